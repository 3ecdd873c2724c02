/* recovery-not-idempotent.c: a recovery that is itself cut adds the logged amount once more */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct account {
	_Alignas(LINE) uint64_t balance;
	_Alignas(LINE) uint64_t pending;
	uint64_t amount, result; /* of the payment that is on its way */
};

static void recover(struct account *account)
{
	if (!account->pending)
		return;
	if (IS_FIXED)
		account->balance = account->result;
	else
		account->balance += account->amount; /* BUG */
	pmem_persist(&account->balance, sizeof(account->balance), 0);
	account->pending = 0; /* BUG */
	pmem_persist(&account->pending, sizeof(account->pending), 0);
}

/* The payment is logged: the next start makes it. */
static void run(void *pool)
{
	struct account *account = pool;

	account->amount = 100;
	account->result = account->balance + 100;
	pmem_persist(&account->amount, 2 * sizeof(uint64_t), 0);
	account->pending = 1;
	pmem_persist(&account->pending, sizeof(account->pending), 0);
}

static bool check(void *pool, size_t promised)
{
	struct account *account = pool;

	(void)promised;
	recover(account);
	return account->balance == 0 || account->balance == 100;
}
