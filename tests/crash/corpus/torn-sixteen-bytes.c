/* torn-sixteen-bytes.c: a pointer and its generation, 16 bytes, are taken for one piece */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct tagged {
	uint64_t target, generation;
};

struct root {
	_Alignas(LINE) struct tagged copies[2];
	_Alignas(LINE) uint64_t current;
	_Alignas(LINE) uint64_t targets[4]; /* each holds the generation that it is good for */
};

static void publish(struct root *root, uint64_t target)
{
	const struct tagged fresh = {target, root->targets[target]};
	const uint64_t copy = IS_FIXED ? !root->current : 0;

	root->copies[copy] = fresh; /* BUG */
	pmem_persist(&root->copies[copy], sizeof(fresh), 0);
	root->current = copy;
	pmem_persist(&root->current, sizeof(root->current), 0);
}

static void run(void *pool)
{
	struct root *root = pool;

	for (uint64_t i = 1; i < 4; i++)
		root->targets[i] = 100 + i;
	pmem_persist(root->targets, sizeof(root->targets), 0);
	for (uint64_t i = 1; i < 4; i++)
		publish(root, i);
}

static bool check(void *pool, size_t promised)
{
	const struct root *root = pool;
	const struct tagged *tagged = &root->copies[root->current];

	(void)promised;
	return tagged->target < 4 && (!tagged->generation || root->targets[tagged->target] == tagged->generation) &&
	       !tagged->target == !tagged->generation;
}
