/* freelist-double-use.c: a block is on the free list while its owner still has it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct heap {
	_Alignas(LINE) uint64_t free;  /* the first free block, 0: none */
	_Alignas(LINE) uint64_t owned; /* the block in use, 0: none */
	_Alignas(LINE) uint64_t next[3];
};

static void give_up(struct heap *heap)
{
	heap->owned = 0; /* BUG */
	pmem_persist(&heap->owned, sizeof(heap->owned), 0);
}

static void release(struct heap *heap)
{
	const uint64_t block = heap->owned;

	if (IS_FIXED)
		give_up(heap);
	heap->next[block] = heap->free;
	pmem_persist(&heap->next[block], sizeof(heap->next[block]), 0);
	heap->free = block; /* BUG */
	pmem_persist(&heap->free, sizeof(heap->free), 0);
	if (!IS_FIXED)
		give_up(heap);
}

static void run(void *pool)
{
	struct heap *heap = pool;

	heap->owned = 1;
	pmem_persist(&heap->owned, sizeof(heap->owned), 0);
	release(heap);
}

/* A block that nobody has is found by a walk over all at the next start; one that two have is not. */
static bool check(void *pool, size_t promised)
{
	const struct heap *heap = pool;

	(void)promised;
	for (uint64_t block = heap->free; block; block = heap->next[block]) {
		if (block == heap->owned)
			return false;
	}
	return true;
}
