/* acknowledged-early.c: the world is told before the record is durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct journal {
	_Alignas(LINE) uint64_t count;
	_Alignas(LINE) uint64_t records[8];
};

static void append(struct journal *journal, uint64_t record)
{
	const uint64_t at = journal->count;

	journal->records[at] = record;
	pmem_persist(&journal->records[at], sizeof(record), 0);
	journal->count = at + 1; /* BUG */
	if (!IS_FIXED)
		acknowledge();
	pmem_persist(&journal->count, sizeof(journal->count), 0);
	if (IS_FIXED)
		acknowledge();
}

static void run(void *pool)
{
	for (uint64_t i = 1; i <= 4; i++)
		append(pool, i);
}

static bool check(void *pool, size_t promised)
{
	const struct journal *journal = pool;

	if (journal->count < promised || journal->count > 4)
		return false;
	for (uint64_t at = 0; at < journal->count; at++) {
		if (journal->records[at] != at + 1)
			return false;
	}
	return true;
}
