/* explore.h: tries the states that a power cut may leave, and finds those that recovery does not survive */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_EXPLORE_H
#define PMEM_CRASH_EXPLORE_H

#include "judge.h"

#include <signal.h>

struct explore_options {
	enum model_kind model;
	uint64_t seed;
	double budget;     /* seconds, for everything */
	unsigned workers;  /* at least 1 */
	bool instrumented; /* the trace has every store, where it happened */
	bool recovery;     /* the trace is of a recovery: what is found is FINDING_RECOVERY */
	bool control;      /* the judge has passed its control run already, and has its limit */

	/* Called a few times a second, and at the end; may be NULL. */
	void (*report)(const struct progress *progress, void *arg);
	void *arg;

	/* Set by a signal handler: stop soon, keep what was found. May be NULL. */
	const volatile sig_atomic_t *interrupted;
};

enum explore_status {
	EXPLORE_DONE,           /* the result says what was found, and whether all was tried */
	EXPLORE_CONTROL_FAILED, /* without any cut, after the whole run, the check does not pass: its verdict is in
				   *control */
	EXPLORE_NOT_STARTED,    /* the check cannot be started, or no memory: said on stderr */
};

/*
 * start and trace must outlive the result. output is all that the program wrote
 * to its standard output. Places in the result have their events; files and
 * lines are for places.h to find, sentences for blame.h to say.
 */
enum explore_status explore(const struct start *start, const struct trace *trace, const struct explore_options *options,
			    struct judge *judge, struct result *result, struct verdict *control);

#endif
