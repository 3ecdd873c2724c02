/* process.h: runs a command to its end or to a limit, and keeps what it said */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PROCESS_H
#define PMEM_CRASH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

/* The beginning and the end of what a process said. */
struct said {
	char first[8192];
	char last[8192]; /* a ring */
	size_t total;    /* bytes said */
};

/* As one allocated text, without the middle if it was long; NULL without memory. */
char *said_text(const struct said *said);

struct process {
	char *const *argv;        /* argv[0] is looked for in PATH */
	char *const *environment; /* of the new process */
	const char *input;        /* a file: its standard input */
	double limit;             /* seconds; INFINITY for none */
};

struct process_end {
	int error;  /* it could not be started: errno; nothing else is set then */
	bool hung;  /* it was killed at the limit */
	int status; /* as wait(2) has it */
	double seconds;
};

/*
 * Starts the process in a process group of its own, both output streams going
 * to said, waits, and kills what it may have left running, be it in another
 * session. The caller's other children must stay in the caller's process group.
 */
struct process_end process_run(const struct process *process, struct said *said);

/* What process_run() of this process has started is killed, if there is something. For signal handlers. */
void process_kill_running(void);

/* From now on a SIGTERM or SIGHUP ends this process, and before that what it is running. */
void process_end_together(void);

#endif
