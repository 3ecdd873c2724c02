/* blame.h: which store is to blame for a state that recovery did not survive */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_BLAME_H
#define PMEM_CRASH_BLAME_H

#include "known.h"
#include "worker.h"

/*
 * Looks for the smallest set of units that shows the failure, by trying more
 * states at the present failure point, and adds a record to the worker's, or
 * counts the state with one that is the same.
 */
void blame(struct worker *worker, const struct state *state, const struct known_verdict *verdict);

#endif
