/* crash_options.h: the command line of pmem crash */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_OPTIONS_H
#define PMEM_CRASH_OPTIONS_H

#include "command.h"
#include "image.h"
#include "result.h"

struct crash_options {
	const char *pools[IMAGE_POOLS];
	size_t pool_count;
	const char *check; /* NULL: the program itself */
	double budget;     /* seconds */
	unsigned workers;
	enum model_kind model;
	unsigned schedules; /* 0: a few, if the program has threads */
	uint64_t seed;
	const char *keep; /* NULL: the usual place */
	bool verbose, progress;
	char **program; /* argv */
};

/* A format to write, and where to. */
enum crash_format { CRASH_HTML, CRASH_JSON, CRASH_JUNIT, CRASH_SARIF, CRASH_FORMATS };

struct crash_outputs {
	const char *files[CRASH_FORMATS]; /* NULL: not asked for; "-": stdout */
	bool made[CRASH_FORMATS];         /* the file was not there before */
};

enum { CRASH_GO_ON = -1 };

/* CRASH_GO_ON, or the exit status of a command that is over: with help printed, or with a message. */
int crash_options_parse(const struct command *self, int argc, char *argv[], struct crash_options *options,
			struct crash_outputs *outputs);

#endif
