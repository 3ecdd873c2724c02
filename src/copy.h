/* copy.h: copying and filling by the processor alone, whatever is mapped at the destination */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For interfaces whose callers say themselves that the destination is
 * persistent memory, as PMDK's do. pmem.h's own functions look at the mapping
 * first and come here only where it is one for the processor.
 */
#ifndef PMEM_COPY_H
#define PMEM_COPY_H

#include "arch/copy.h"

#include <string.h>

/* What is to be done besides storing; any sum of these. */
enum {
	COPY_FLUSH = 1, /* start writing back every line that is stored to */
	COPY_FENCE = 2, /* wait for the write-back of this thread's lines, these included */
};

/* Page-cache ranges that this thread has flushed are left for the caller to fence. Return dst. */

static inline void *copy_by_cpu(void *dst, const void *src, size_t length, unsigned how)
{
	if (how & COPY_FLUSH)
		return cpu_copy.copy(dst, src, length, how & COPY_FENCE);
	move_untorn(dst, src, length);
	if (how & COPY_FENCE)
		cpu.fence();
	return dst;
}

static inline void *fill_by_cpu(void *dst, int byte, size_t length, unsigned how)
{
	if (how & COPY_FLUSH)
		return cpu_copy.fill(dst, byte, length, how & COPY_FENCE);
	memset(dst, byte, length);
	if (how & COPY_FENCE)
		cpu.fence();
	return dst;
}

#endif
