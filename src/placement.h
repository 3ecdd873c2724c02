/* placement.h: mappings where PMEM_MMAP_HINT wants them */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_PLACEMENT_H
#define PMEM_PLACEMENT_H

#include <stddef.h>
#include <stdint.h>

/* The address that PMEM_MMAP_HINT names, in hexadecimal; 0 without one. */
uintptr_t placement_hint(void);

/*
 * Maps the first len bytes of fd, shared, at the first free and aligned address
 * from the hint on, and registers the mapping. Alignment is that of
 * pmem_map_file(). NULL with errno and message.
 */
void *placement_map(uintptr_t hint, int fd, size_t len);

#endif
