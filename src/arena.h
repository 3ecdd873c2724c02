/* arena.h: the part of the address space where pmem_map's mappings live */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Version 0.8 of the interface knows no unmap, so that programs call munmap(2)
 * behind our back. If the kernel then gave the addresses to somebody else's
 * mapping, our entry would speak for it. So we map low in the address space,
 * where the kernel, which places mappings from the top down (or from a third of
 * it upwards), comes last.
 *
 * It is divided into windows of 1 GiB. Small mappings are carved out of windows
 * that are reserved whole (PROT_NONE), which keeps the upper page tables alive:
 * the first touch of a mapping alone in its neighbourhood costs several times
 * as much. Large mappings take whole windows, unreserved.
 *
 * All functions want the registry's lock, where they do not say otherwise.
 */
#ifndef PMEM_ARENA_H
#define PMEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Maps length bytes, a multiple of the page size, of fd at offset, at an
 * address that is congruent to the offset by the size of a huge page, in
 * granules that nobody else has. flags as for mmap(2), without an address.
 *
 * Returns the address, or MAP_FAILED with errno.
 */
void *arena_map(size_t length, int protection, int flags, int fd, off_t offset);

/* Unmaps what arena_map() mapped, or a part of it. 0, or -1 with errno. */
int arena_unmap(uintptr_t start, uintptr_t end);

/* Is the range inside the arena? */
bool arena_holds(uintptr_t start, uintptr_t end);

/*
 * Is some page of the range, page-aligned, mapped by nobody? As
 * range_has_hole(), to which our reservations look like mappings. Needs no lock.
 */
bool address_range_has_hole(uintptr_t start, uintptr_t end);

/*
 * Finds the records whose mapping was unmapped behind our back, removes them
 * and closes the holes. Nothing that is still mapped is touched.
 */
void arena_reap(void);

#endif
