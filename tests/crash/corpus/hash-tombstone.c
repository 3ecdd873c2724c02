/* hash-tombstone.c: a key that moves in a hash table is buried at its old place before it is at the new one */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

enum { SLOTS = 4, TOMBSTONE = 1 };

struct table {
	_Alignas(LINE) uint64_t filled;
	struct {
		_Alignas(LINE) uint64_t key; /* 0: empty */
		uint64_t value;
	} slots[SLOTS];
};

static void bury(struct table *table, unsigned slot)
{
	table->slots[slot].key = TOMBSTONE; /* BUG */
	pmem_persist(&table->slots[slot], sizeof(table->slots[slot]), 0);
}

static void put(struct table *table, unsigned slot, uint64_t key, uint64_t value)
{
	table->slots[slot].value = value; /* BUG */
	pmem_persist(&table->slots[slot], sizeof(table->slots[slot]), 0);
	table->slots[slot].key = key; /* BUG */
	pmem_persist(&table->slots[slot], sizeof(table->slots[slot]), 0);
}

static void move(struct table *table, unsigned from, unsigned to)
{
	const uint64_t key = table->slots[from].key, value = table->slots[from].value;

	if (!IS_FIXED)
		bury(table, from);
	put(table, to, key, value);
	if (IS_FIXED)
		bury(table, from);
}

static void run(void *pool)
{
	struct table *table = pool;

	put(table, 3, 77, 770);
	table->filled = 1;
	pmem_persist(&table->filled, sizeof(table->filled), 0);
	move(table, 3, 0);
}

static bool check(void *pool, size_t promised)
{
	const struct table *table = pool;

	(void)promised;
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		if (table->slots[slot].key == 77)
			return table->slots[slot].value == 770;
	}
	return !table->filled;
}
