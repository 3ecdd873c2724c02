/* undo-after-change.c: the change is made before the undo log that could take it back is durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

static void transfer(struct ledger *ledger, uint64_t from, uint64_t to, uint64_t amount)
{
	const uint64_t from_amount = ledger->entries[from].amount, to_amount = ledger->entries[to].amount;

	if (!IS_FIXED)
		ledger->entries[from].amount -= amount; /* BUG */
	ledger->log.from = from;
	ledger->log.to = to;
	ledger->log.from_amount = from_amount;
	ledger->log.to_amount = to_amount;
	pmem_persist(&ledger->log.from, 4 * sizeof(uint64_t), 0);
	ledger->log.valid = 1; /* BUG */
	pmem_persist(&ledger->log.valid, sizeof(ledger->log.valid), 0);
	if (IS_FIXED)
		ledger->entries[from].amount -= amount;
	ledger->entries[to].amount += amount; /* BUG */
	pmem_persist(ledger->entries, sizeof(ledger->entries), 0);
	log_set_valid(ledger, 0);
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
