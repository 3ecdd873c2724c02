/* launch.h: runs a program under the recorder */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_LAUNCH_H
#define PMEM_CRASH_LAUNCH_H

#include "trace.h"
#include "workplace.h"

#include <stdbool.h>

struct launch {
	const char *program;          /* program_find() */
	const char *recorder;         /* program_recorder() */
	char *const *arguments;       /* argv, NULL at the end */
	const char *const *variables; /* NAME=VALUE, NULL at the end; NULL for none */
	const char *input;            /* the file that is its standard input; NULL: /dev/null */
	uint64_t seed;                /* of the schedule of threads; 0: as the kernel likes */
	double seconds;               /* after which it is killed; 0: never */
};

/* What a run was. */
struct launched {
	struct trace trace;
	int status;           /* as wait(2) tells it */
	bool timed_out;       /* it was killed at the time limit */
	bool opened;          /* a pool was opened by a process with the recorder */
	const char *unopened; /* the name of a pool that was not, NULL if all were; the workplace's */
	bool instrumented;    /* every process that opened a pool was compiled for it */
	char *overrun;        /* why the trace is not whole, allocated; NULL if it is */
	char *output;         /* all of its standard output */
	size_t output_length;
	char *errors; /* of its standard error, the end; terminated */
	double run_seconds;
};

/*
 * Runs the program on fresh copies of the pools, in a process group of its own,
 * without randomised addresses, and records it. Returns when the program has
 * ended; what it left running is killed. False, and *reason says for people
 * why, if it could not be started, or not be followed to its end.
 */
bool launch_run(struct workplace *workplace, const struct launch *launch, struct launched *launched, char **reason);

void launched_free(struct launched *launched);

#endif
