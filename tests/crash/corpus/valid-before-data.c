/* valid-before-data.c: a slot is made valid, durably, before it is filled */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct slot {
	_Alignas(LINE) uint64_t valid;
	_Alignas(LINE) char name[24];
};

static void set_valid(struct slot *slot)
{
	slot->valid = 1; /* BUG */
	pmem_persist(&slot->valid, sizeof(slot->valid), 0);
}

static void run(void *pool)
{
	struct slot *slot = pool;

	if (!IS_FIXED)
		set_valid(slot);
	strcpy(slot->name, "the name of the thing"); /* BUG */
	pmem_persist(slot->name, sizeof(slot->name), 0);
	if (IS_FIXED)
		set_valid(slot);
}

static bool check(void *pool, size_t promised)
{
	const struct slot *slot = pool;

	(void)promised;
	return !slot->valid || strcmp(slot->name, "the name of the thing") == 0;
}
