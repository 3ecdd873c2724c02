/* visit.c: recovery that runs in the recorded process itself: which units it reads and writes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "visit.h"

struct visit visit;

void visit_mark(uint64_t *marks, const void *address, size_t size)
{
	const uintptr_t pool = (uintptr_t)visit.pool, at = (uintptr_t)address;
	const uintptr_t first = at > pool ? at - pool : 0;
	const uintptr_t end = at + size < pool + visit.size ? at + size - pool : visit.size;

	for (uintptr_t unit = first / VISIT_UNIT; unit <= (end - 1) / VISIT_UNIT; unit++)
		marks[unit / 64] |= UINT64_C(1) << unit % 64;
}
