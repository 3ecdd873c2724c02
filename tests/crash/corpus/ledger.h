/* ledger.h: a ledger whose sum never changes, for the programs with undo and redo logs */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LEDGER_H
#define LEDGER_H

#include "corpus.h"

enum { ENTRIES = 4, TOTAL = 1000 };

struct ledger {
	_Alignas(LINE) uint64_t opened;
	struct {
		_Alignas(LINE) uint64_t amount;
	} entries[ENTRIES];
	struct {
		_Alignas(LINE) uint64_t valid;
		_Alignas(LINE) uint64_t from;
		uint64_t to, from_amount, to_amount;
	} log;
};

/* Everything is on the first entry. */
static inline void ledger_open(struct ledger *ledger)
{
	ledger->entries[0].amount = TOTAL;
	pmem_persist(ledger->entries, sizeof(ledger->entries), 0);
	ledger->opened = 1;
	pmem_persist(&ledger->opened, sizeof(ledger->opened), 0);
}

static inline void log_set_valid(struct ledger *ledger, uint64_t valid)
{
	ledger->log.valid = valid;
	pmem_persist(&ledger->log.valid, sizeof(ledger->log.valid), 0);
}

/* Puts the amounts of the log into the entries, durably. */
static inline void log_apply(struct ledger *ledger)
{
	ledger->entries[ledger->log.from].amount = ledger->log.from_amount;
	ledger->entries[ledger->log.to].amount = ledger->log.to_amount;
	pmem_persist(ledger->entries, sizeof(ledger->entries), 0);
}

/* The same for an undo log and a redo log: what is valid is applied. */
static inline bool ledger_recover(struct ledger *ledger)
{
	uint64_t sum = 0;

	if (ledger->log.valid) {
		if (ledger->log.from >= ENTRIES || ledger->log.to >= ENTRIES)
			return false;
		log_apply(ledger);
		log_set_valid(ledger, 0);
	}
	for (unsigned i = 0; i < ENTRIES; i++)
		sum += ledger->entries[i].amount;
	return !ledger->opened || sum == TOTAL;
}

#endif
