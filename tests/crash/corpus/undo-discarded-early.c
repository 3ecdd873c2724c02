/* undo-discarded-early.c: the undo log is thrown away before the change that it could take back is durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

static void transfer(struct ledger *ledger, uint64_t from, uint64_t to, uint64_t amount)
{
	ledger->log.from = from;
	ledger->log.to = to;
	ledger->log.from_amount = ledger->entries[from].amount;
	ledger->log.to_amount = ledger->entries[to].amount;
	pmem_persist(&ledger->log.from, 4 * sizeof(uint64_t), 0);
	log_set_valid(ledger, 1);
	ledger->entries[from].amount -= amount; /* BUG */
	ledger->entries[to].amount += amount;   /* BUG */
	if (IS_FIXED)
		pmem_persist(ledger->entries, sizeof(ledger->entries), 0);
	log_set_valid(ledger, 0);
	pmem_persist(ledger->entries, sizeof(ledger->entries), 0);
}

static void run(void *pool)
{
	ledger_open(pool);
	transfer(pool, 0, 1, 300);
	transfer(pool, 1, 2, 200);
}

static bool check(void *pool, size_t promised)
{
	(void)promised;
	return ledger_recover(pool);
}
