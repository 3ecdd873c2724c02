/* msync_double.h: sees each msync of the library, and fails those that a test chooses */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MSYNC_DOUBLE_H
#define MSYNC_DOUBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The kernel's msync is called all the same, unless one is to fail. Only MS_SYNC
 * calls count: MS_ASYNC is how the library asks for holes.
 */

/* Forgets all calls and orders. */
void msync_reset(void);

/* Calls since. */
unsigned msync_calls(void);

/* Was every byte of the range in a call that returned 0? */
bool msync_covered(const void *addr, size_t len);

/* Was any byte of it in a call? */
bool msync_touched(const void *addr, size_t len);

/* The next count calls that touch the range fail with error. */
void msync_fail(const void *addr, size_t len, int error, unsigned count);

/*
 * The library may start to write a range of a file back with sync_file_range
 * before it msyncs it. How often it did, and how often before the first msync.
 */
unsigned write_starts(void);
unsigned write_starts_before_msync(void);

/* The next count starts at that offset fail with error. */
void write_start_fail(off_t offset, int error, unsigned count);

/*
 * What the library learns of the dirty pages in a gap between two runs; without
 * an order, and after each reset, that the kernel does not tell.
 */
void dirty_pages_are(uint64_t count);
void dirty_pages_are_as_the_kernel_says(void);

/* Called before each call is carried out; NULL for none. */
void msync_before(void (*hook)(void));

#endif
