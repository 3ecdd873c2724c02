/* neighbour-line.c: the slot beside the one that was written is flushed */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct slot {
	_Alignas(LINE) uint64_t key;
	uint64_t value;
};

struct table {
	_Alignas(LINE) uint64_t used;
	struct slot slots[5];
};

static void put(struct table *table, uint64_t key, uint64_t value)
{
	const uint64_t at = table->used;

	table->slots[at].key = key;     /* BUG */
	table->slots[at].value = value; /* BUG */
	pmem_persist(&table->slots[IS_FIXED ? at : at + 1], sizeof(struct slot), 0);
	table->used = at + 1;
	pmem_persist(&table->used, sizeof(table->used), 0);
}

static void run(void *pool)
{
	for (uint64_t key = 1; key <= 3; key++)
		put(pool, key, key * key);
}

static bool check(void *pool, size_t promised)
{
	const struct table *table = pool;

	(void)promised;
	for (uint64_t at = 0; at < table->used; at++) {
		if (table->slots[at].value != table->slots[at].key * table->slots[at].key || !table->slots[at].key)
			return false;
	}
	return table->used <= 3;
}
