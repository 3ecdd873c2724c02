/* two-pools.c: the index in one pool refers to data in another that is not durable yet */
/* SPDX-License-Identifier: BSD-3-Clause */
#define CORPUS_OWN_MAIN
#include "corpus.h"

struct index {
	_Alignas(LINE) uint64_t entries;
};

struct data {
	struct {
		_Alignas(LINE) uint64_t value;
	} entries[4];
};

static struct index *index_pool;

static void run(void *pool)
{
	struct data *data = pool;

	for (uint64_t i = 0; i < 3; i++) {
		data->entries[i].value = i + 5; /* BUG */
		if (IS_FIXED)
			pmem_persist(&data->entries[i], sizeof(data->entries[i]), 0);
		index_pool->entries = i + 1;
		pmem_persist(&index_pool->entries, sizeof(index_pool->entries), 0);
		pmem_persist(&data->entries[i], sizeof(data->entries[i]), 0);
	}
}

static bool check(void *pool, size_t promised)
{
	const struct data *data = pool;

	(void)promised;
	for (uint64_t i = 0; i < index_pool->entries; i++) {
		if (data->entries[i].value != i + 5)
			return false;
	}
	return index_pool->entries <= 3;
}

/* PROGRAM run DATA INDEX */
int main(int argc, char *argv[])
{
	void *pool;

	if (argc != 4)
		return 99;
	pool = map_pool(argv[2]);
	index_pool = map_pool(argv[3]);
	if (strcmp(argv[1], "check") == 0)
		return check(pool, 0) ? 0 : 1;
	run(pool);
	return 0;
}
