/* pages.h: whole pages: rounding to them, writing them back, and holes between them */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_PAGES_H
#define PMEM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uintptr_t page_size(void);

/* The page that holds an address, and the first page boundary at or after one that does not wrap. */
uintptr_t page_down(uintptr_t address);
uintptr_t page_up(uintptr_t address);

/* Does [address, address + length), widened to whole pages, reach beyond the address space? */
bool range_wraps(uintptr_t address, size_t length);

/* Is some page of [start, end) not mapped? Asks the kernel; page-aligned. */
bool range_has_hole(uintptr_t start, uintptr_t end);

/* msync(MS_SYNC), page-aligned, going on after a signal. 0 or an errno value. */
int msync_range(uintptr_t start, uintptr_t end);

#endif
