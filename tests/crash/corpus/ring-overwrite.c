/* ring-overwrite.c: a full ring takes a new entry over the oldest before it has given that up */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

enum { ROOM = 4 };

struct ring {
	_Alignas(LINE) uint64_t first; /* entries are numbered; number n lies at n % ROOM */
	uint64_t end;
	struct {
		_Alignas(LINE) uint64_t number;
	} entries[ROOM];
};

static void drop_oldest(struct ring *ring)
{
	if (ring->end - ring->first < ROOM)
		return;
	ring->first++; /* BUG */
	pmem_persist(&ring->first, sizeof(ring->first), 0);
}

static void add(struct ring *ring)
{
	const uint64_t number = ring->end;

	if (IS_FIXED)
		drop_oldest(ring);
	ring->entries[number % ROOM].number = number; /* BUG */
	pmem_persist(&ring->entries[number % ROOM], sizeof(ring->entries[0]), 0);
	if (!IS_FIXED)
		drop_oldest(ring);
	ring->end = number + 1; /* BUG */
	pmem_persist(&ring->end, sizeof(ring->end), 0);
}

static void run(void *pool)
{
	for (unsigned i = 0; i < 6; i++)
		add(pool);
}

static bool check(void *pool, size_t promised)
{
	const struct ring *ring = pool;

	(void)promised;
	for (uint64_t number = ring->first; number < ring->end; number++) {
		if (ring->entries[number % ROOM].number != number)
			return false;
	}
	return ring->end - ring->first <= ROOM;
}
