/* result.h: what an exploration found, for the reports */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_RESULT_H
#define PMEM_CRASH_RESULT_H

#include "trace.h"

enum model_kind {
	MODEL_X86,  /* cache lines, each with any prefix of its stores */
	MODEL_EADR, /* every store is durable at once, in order */
	MODEL_PAGE, /* sectors of 512 bytes, each in any version since the last sync of its page */
};

enum finding_kind {
	FINDING_LOST,  /* a store was not durable yet when something later was */
	FINDING_EARLY, /* a store was durable before something that comes later in the program, and should not have been
			*/
	FINDING_CUT,   /* nothing was lost; the cut alone, at this instant, breaks recovery */
	FINDING_RECOVERY, /* a cut of recovery itself */
};

enum failure {
	FAILURE_CRASH, /* a signal */
	FAILURE_HANG,
	FAILURE_EXIT, /* an exit status, or a callback's result */
};

/* A place in the program. event is NULL where there is none; site 0 where it is not known. */
struct place {
	const struct trace_event *event; /* in result.trace */
	char *file;                      /* NULL where not known */
	int line;
	char *function; /* NULL where not known */

	/* Of a store that was found by comparing: the line by which it had been made. NULL where not known. */
	char *seen_file;
	int seen_line;
};

struct unit_reference {
	uint32_t pool;
	uint64_t offset;  /* bytes */
	uint32_t stores;  /* made to the unit since it was last surely durable */
	uint32_t durable; /* of these, in the failing state */
};

struct finding {
	char id[17]; /* hexadecimal; the same for the same bug in the same program */
	enum finding_kind kind;
	enum finding_kind how; /* the same, but for FINDING_RECOVERY: which of the others it is inside of recovery */
	bool torn;             /* FINDING_LOST: of the store, some parts were durable and some not */
	enum failure failure;
	int status;                   /* exit status or signal number */
	size_t failure_point;         /* index, from 0 */
	const struct trace_event *at; /* the event that the cut came before, NULL: the end of the program */
	struct place cut;             /* its place */
	struct place store;           /* lost, or early; FINDING_CUT: the first store after the cut */
	struct place other; /* what was durable though the store was lost; what was lost though it was durable */
	struct place after; /* FINDING_CUT: the last store before the cut */
	struct place flush; /* the flush or fence that came too late for the store; none: never */
	struct place fence; /* the fence that the flush waited for, where that was what came too late */
	struct unit_reference *units; /* the smallest set that shows it */
	size_t unit_count;
	size_t states;  /* failing states that are the same bug */
	char *sentence; /* what happened, in plain words */
	char *advice;   /* what would have prevented it; NULL where it cannot be told */
	char *output;   /* of the check: both streams, its beginning and its end */
	char *promised; /* what the program had written to its standard output before the cut */
	size_t promised_length;
	struct image *image; /* the contents of the pools in the failing state: image.h */
};

enum hint_kind {
	HINT_REDUNDANT_FLUSH, /* nothing in the range had changed since it was last durable */
	HINT_NEVER_FLUSHED,   /* not durable at the end, and nothing in the program ever made it so */
	HINT_UNSEEN_STORES,   /* stores that the compiler's hooks did not show */
	HINT_FLAKY,           /* a check that failed and, tried again on the same image, did not */
	HINT_REMARK,          /* of the recorder */
	HINT_SKIPPED,         /* states that were not tried, since their siblings hung */
};

struct hint {
	enum hint_kind kind;
	struct place place;
	size_t count;   /* how often */
	uint64_t bytes; /* concerned */
	char *text;     /* for people */
};

/* How far the search has gone, for progress and summary. */
struct progress {
	size_t failure_points;
	size_t states;     /* tried */
	size_t equal;      /* not tried: another state had the same image and the same promises */
	size_t unread;     /* put off: what differs was not read by recovery */
	size_t planned;    /* states of the present round, 0 if unknown */
	const char *round; /* what is being tried, for people */
	size_t findings;
	double seconds;
};

struct result {
	const struct trace *trace;
	enum model_kind model;
	uint64_t seed;
	unsigned schedule; /* which of the schedules of threads the trace is of */
	bool instrumented; /* every store was seen */
	bool complete;     /* the budget was enough for every planned state */
	struct progress progress;
	struct finding *findings;
	size_t finding_count;
	struct hint *hints;
	size_t hint_count;
};

void place_free(struct place *place);
void finding_free(struct finding *finding);
void result_free(struct result *result);

#endif
