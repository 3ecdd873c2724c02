/* plan.h: which states are tried, and in which order */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PLAN_H
#define PMEM_CRASH_PLAN_H

#include "worker.h"

struct round {
	const char *name;                    /* for people: "... are being tried" */
	bool chosen;                         /* only where a place in the program is met for the first times */
	bool unread;                         /* what earlier rounds have put off */
	bool (*plan)(struct worker *worker); /* proposes states of the present failure point; false: stop */
};

extern const struct round plan_rounds[];
extern const unsigned plan_round_count;

#endif
