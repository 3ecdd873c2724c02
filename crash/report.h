/* report.h: everything that a run of pmem crash has to tell, and the formats it is told in */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_REPORT_H
#define PMEM_CRASH_REPORT_H

#include "image.h"
#include "result.h"

#include <stdio.h>

/* One exploration: of the program under one schedule of its threads, or of a recovery. */
struct exploration_report {
	struct result result; /* described: describe.h */
	struct trace trace;
	const struct start *start;
	char *output; /* all that the program wrote to its standard output; NULL of a recovery */
	char *what;   /* NULL: the program; else which recovery, for people */
};

struct report {
	/* What was asked. */
	const char *const *pools; /* as the user named them */
	size_t pool_count;
	char *program;     /* its command line */
	const char *check; /* NULL: the program itself */
	enum model_kind model;
	uint64_t seed;
	unsigned schedules; /* that were explored */
	double budget;      /* seconds */
	const char *keep;   /* directory of the findings' images, where it is not the usual one; else NULL */
	bool replayable;    /* the images were kept */
	char *kept_directory;
	uint64_t kept_bytes; /* there, of all runs */

	/* What was found. */
	struct exploration_report *explorations;
	size_t exploration_count;

	/* Made of that by report_collect(). */
	struct reported *findings; /* each bug once */
	size_t finding_count;
	struct hint_report *hints; /* each once */
	size_t hint_count;
	struct progress total;
	bool complete;       /* every planned state of every exploration was tried, and nothing was left unexplored */
	bool instrumented;   /* every store of the program was seen */
	bool interrupted;    /* by the user */
	const char *missing; /* why source lines are missing; NULL if none is */
	double seconds;
};

struct reported {
	const struct finding *finding;
	const struct exploration_report *exploration;
	size_t states; /* failing states that are the same bug, of all explorations */
};

struct hint_report {
	const struct hint *hint;
	size_t count;
	uint64_t bytes;
};

/* False without memory. complete is what it was, unless an exploration was not. */
bool report_collect(struct report *report);

/* Gives back what was collected. */
void report_free(struct report *report);

/* Words for enumerations, as they stand in every format. */
const char *report_kind(enum finding_kind kind);
const char *report_failure(enum failure failure);
const char *report_hint_kind(enum hint_kind kind);
const char *report_model(enum model_kind model);

/* A place that a reader can go to: its file, or at least the function, is known and is where the event was made. */
bool report_knows(const struct place *place);

/* "crashed with SIGSEGV", "exited with status 3", "did not end". Allocated. */
char *report_verdict(const struct finding *finding);

/* "pmem crash replay ID". Allocated; NULL where nothing was kept. */
char *report_replay(const struct report *report, const struct finding *finding);

/* What was not tried and why that is not proof; allocated, NULL if all was tried. */
char *report_incomplete(const struct report *report);

struct text_style {
	bool colour;
	bool verbose; /* everything, however long */
};

/* Each writes the whole report. False on a write error, with errno. */
bool report_text(FILE *out, const struct report *report, struct text_style style);
bool report_json(FILE *out, const struct report *report);
bool report_junit(FILE *out, const struct report *report);
bool report_sarif(FILE *out, const struct report *report);
bool report_html(FILE *out, const struct report *report);

#endif
