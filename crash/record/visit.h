/* visit.h: recovery that runs in the recorded process itself: which units it reads and writes */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * While somebody visits a pool nothing is recorded: flushes and fences of the
 * pool do nothing, and what the compiler's hooks tell is marked, one bit for
 * each unit, so that it can be undone.
 */
#ifndef PMEM_CRASH_VISIT_H
#define PMEM_CRASH_VISIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VISIT_UNIT = 64 }; /* bytes */

struct visit {
	const unsigned char *pool; /* NULL: nobody visits */
	size_t size;               /* bytes */
	uint64_t *written, *read;  /* bit n % 64 of word n / 64 is unit n */
};
extern struct visit visit;

/* Is some of the range in the visited pool? */
static inline bool visit_covers(const void *address, size_t size)
{
	const uintptr_t at = (uintptr_t)address, pool = (uintptr_t)visit.pool;

	return visit.pool && at < pool + visit.size && at + size > pool;
}

/* Marks the units of a range of which some is in the pool. */
void visit_mark(uint64_t *marks, const void *address, size_t size);

#endif
