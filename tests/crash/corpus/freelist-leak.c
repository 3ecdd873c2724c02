/* freelist-leak.c: a block leaves the free list before anything else knows of it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

enum { BLOCKS = 4 };

/* Blocks are numbered from 1. */
struct heap {
	_Alignas(LINE) uint64_t formatted;
	_Alignas(LINE) uint64_t free;   /* the first free block */
	_Alignas(LINE) uint64_t owned;  /* the block in use */
	_Alignas(LINE) uint64_t intent; /* the block that is on its way from one to the other */
	_Alignas(LINE) uint64_t next[BLOCKS + 1];
};

static void store(uint64_t *at, uint64_t value)
{
	*at = value; /* BUG */
	pmem_persist(at, sizeof(*at), 0);
}

static void allocate(struct heap *heap)
{
	const uint64_t block = heap->free;

	if (IS_FIXED)
		store(&heap->intent, block);
	store(&heap->free, heap->next[block]);
	store(&heap->owned, block);
	store(&heap->intent, 0);
}

static void run(void *pool)
{
	struct heap *heap = pool;

	for (uint64_t block = 1; block < BLOCKS; block++)
		heap->next[block] = block + 1;
	heap->free = 1;
	pmem_persist(heap, sizeof(*heap), 0);
	store(&heap->formatted, 1);
	allocate(heap);
}

/* Each block is free or owned: none is lost. */
static bool check(void *pool, size_t promised)
{
	struct heap *heap = pool;
	unsigned found = 0;

	(void)promised;
	if (!heap->formatted)
		return true;
	if (heap->intent && heap->free != heap->intent)
		store(&heap->owned, heap->intent);
	store(&heap->intent, 0);
	for (uint64_t block = heap->free; block; block = heap->next[block])
		found |= 1u << block;
	if (heap->owned)
		found |= 1u << heap->owned;
	return found == 0x1e;
}
