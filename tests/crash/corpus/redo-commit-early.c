/* redo-commit-early.c: the mark that commits a redo log is on its way together with the log */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

static void transfer(struct ledger *ledger, uint64_t from, uint64_t to, uint64_t amount)
{
	ledger->log.from = from;                                         /* BUG */
	ledger->log.to = to;                                             /* BUG */
	ledger->log.from_amount = ledger->entries[from].amount - amount; /* BUG */
	ledger->log.to_amount = ledger->entries[to].amount + amount;     /* BUG */
	if (IS_FIXED)
		pmem_persist(&ledger->log.from, 4 * sizeof(uint64_t), 0);
	ledger->log.valid = 1;
	pmem_persist(&ledger->log, sizeof(ledger->log), 0);
	log_apply(ledger);
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
