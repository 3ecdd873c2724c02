/* crash_search.h: records a program and explores its power cuts, level by level */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_SEARCH_H
#define PMEM_CRASH_SEARCH_H

#include "crash_options.h"

#include "check.h"
#include "explore.h"
#include "report.h"
#include "workplace.h"

struct search {
	const struct command *self;
	const struct crash_options *options;
	struct check check;
	char *program, *recorder; /* files */
	struct workplace *workplace;
	double started, deadline; /* on the monotonic clock */
	double limit;             /* seconds after which a check hangs */
	volatile sig_atomic_t *interrupted;
	void (*report)(const struct progress *progress, void *arg); /* of the run so far; may be NULL */
	void *arg;

	struct exploration_report *explorations;
	size_t count, room;
	struct progress before; /* of explorations that are over */
	unsigned schedules;
	bool whole;    /* nothing was left out for want of time */
	char *missing; /* why source lines are missing; NULL if none is */
};

double search_now(void);

/* Everything, until the deadline. CRASH_GO_ON, or the exit status of a run that could not be made, with the reason told. */
int search_run(struct search *search);

void search_free(struct search *search);

#endif
