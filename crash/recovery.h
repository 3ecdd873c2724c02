/* recovery.h: the second level: recovery itself is recorded and cut */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_RECOVERY_H
#define PMEM_CRASH_RECOVERY_H

#include "check.h"
#include "explore.h"
#include "report.h"
#include "workplace.h"

struct recovery_search {
	struct workplace *workplace;
	const struct check *check;
	const char *program;                    /* file that check->program[0] is: program_find() */
	const char *recorder;                   /* program_recorder() */
	const struct exploration_report *first; /* whose states recovery starts from */
	const char *output;                     /* all that the program wrote */
	double limit;                           /* seconds after which a check hangs */
	double deadline;                        /* on the monotonic clock, for all recoveries */
	const struct explore_options *options;  /* of each search; the budget is set here */
};

/*
 * Takes states of the first exploration, spread over its failure points, runs
 * recovery on each under the recorder, and explores every recording that is
 * unlike those before it. Calls found with each such exploration, which belongs
 * to the callee. False if the deadline came before all of that was done.
 */
bool recovery_explore(const struct recovery_search *search,
		      void (*found)(const struct exploration_report *exploration, void *arg), void *arg);

/* Gives back an exploration of a recovery: its start too. */
void recovery_free(struct exploration_report *exploration);

#endif
