/* missing-flush.c: a new record is used though it was never flushed */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct account {
	_Alignas(LINE) uint64_t owner;
	uint64_t balance;
};

struct bank {
	_Alignas(LINE) uint64_t count;
	struct account accounts[4];
};

static void run(void *pool)
{
	struct bank *bank = pool;

	for (uint64_t i = 0; i < 4; i++) {
		bank->accounts[i].owner = i + 1; /* BUG */
		bank->accounts[i].balance = 100; /* BUG */
		if (IS_FIXED)
			pmem_persist(&bank->accounts[i], sizeof(bank->accounts[i]), 0);
		bank->count = i + 1;
		pmem_persist(&bank->count, sizeof(bank->count), 0);
	}
}

static bool check(void *pool, size_t promised)
{
	const struct bank *bank = pool;

	(void)promised;
	for (uint64_t i = 0; i < bank->count; i++) {
		if (bank->accounts[i].owner != i + 1 || bank->accounts[i].balance != 100)
			return false;
	}
	return bank->count <= 4;
}
