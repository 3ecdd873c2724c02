/* node-split.c: a full leaf gives up half of its keys before the new leaf that has them is linked */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

enum { KEYS = 6 };

struct leaf {
	_Alignas(LINE) uint64_t count;
	uint64_t next; /* index + 1; 0: none */
	uint64_t keys[KEYS];
};

struct tree {
	_Alignas(LINE) uint64_t filled;
	struct leaf leaves[2];
};

static void cut_in_half(struct leaf *leaf)
{
	leaf->count = KEYS / 2; /* BUG */
	pmem_persist(&leaf->count, sizeof(leaf->count), 0);
}

static void split(struct tree *tree)
{
	struct leaf *full = &tree->leaves[0], *fresh = &tree->leaves[1];

	memcpy(fresh->keys, full->keys + KEYS / 2, KEYS / 2 * sizeof(fresh->keys[0]));
	fresh->count = KEYS / 2;
	pmem_persist(fresh, sizeof(*fresh), 0);
	if (!IS_FIXED)
		cut_in_half(full);
	full->next = 2; /* BUG */
	pmem_persist(&full->next, sizeof(full->next), 0);
	if (IS_FIXED)
		cut_in_half(full);
}

static void run(void *pool)
{
	struct tree *tree = pool;

	for (uint64_t i = 0; i < KEYS; i++)
		tree->leaves[0].keys[i] = i + 1;
	tree->leaves[0].count = KEYS;
	pmem_persist(&tree->leaves[0], sizeof(tree->leaves[0]), 0);
	tree->filled = 1;
	pmem_persist(&tree->filled, sizeof(tree->filled), 0);
	split(tree);
}

/* A key that is in both leaves is one that the split had not taken out yet. */
static bool check(void *pool, size_t promised)
{
	const struct tree *tree = pool;
	unsigned found = 0;

	(void)promised;
	for (uint64_t at = 1; tree->filled && at && at <= 2; at = tree->leaves[at - 1].next) {
		for (uint64_t i = 0; i < tree->leaves[at - 1].count; i++)
			found |= 1u << tree->leaves[at - 1].keys[i];
	}
	return !tree->filled || found == 0x7e;
}
