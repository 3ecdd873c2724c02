/* judge.h: whether a program's recovery accepts the contents that a power cut left */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine makes states, a judge tries them. There are two: one starts the
 * check as a process on an image file (judge_process.c), one calls it in this
 * process (judge_callback.c). Each of the engine's workers is a process of its
 * own, forked after the judge was made, so that a judge needs no locks.
 */
#ifndef PMEM_CRASH_JUDGE_H
#define PMEM_CRASH_JUDGE_H

#include "image.h"
#include "result.h"

/*
 * A state: what is surely durable at its failure point (the base), and units
 * that differ from that. The base stays the same object through a worker's
 * life, and changes in place as the worker goes through the trace.
 */
struct contents {
	const struct start *start;
	const unsigned char *base[IMAGE_POOLS]; /* of the room that the largest size of the pool takes */
	uint64_t room[IMAGE_POOLS];             /* bytes there; zero beyond the sizes */
	uint64_t sizes[IMAGE_POOLS];            /* bytes that the pool is long in this state */

	/* Units over the base: the state is both together. Each once, in no order. */
	const struct image_unit *units;
	size_t unit_count;

	/* Units of the base that have changed since the last state that this worker tried; bytes are not set. */
	const struct image_unit *changed;
	size_t changed_count;
	bool all_changed; /* too many to list, or there was no last state */

	/* What the program had written to its standard output before the cut. */
	const char *output;
	size_t output_length;
};

struct verdict {
	bool passed;
	bool could_not_start; /* the check cannot be executed, or its image not be made: nothing was tried */
	enum failure failure; /* of one that did not pass */
	int status;           /* exit status or signal number */
	bool spoiled; /* the check did not come to its end, and what it held it holds still: this process ends */
	double seconds;
	char *output; /* of the check, allocated; NULL unless asked for */

	/*
	 * Which units of the pools the check read before anything else could have
	 * told it what they hold, one bit for SESSION_LOADS_UNIT bytes each, for as
	 * long as the judge makes no other trial; NULL where that is not known.
	 */
	const unsigned char *loads[IMAGE_POOLS];
};

struct judge {
	/* In a worker that has just been forked, and in the parent as worker 0: makes its own image and the like. False
	 * with a message told. */
	bool (*begin)(struct judge *judge, unsigned worker);

	/* Tries one state. keep_output: wants the verdict's output. */
	void (*try)(struct judge *judge, const struct contents *contents, bool keep_output, struct verdict *verdict);

	/* The worker ends. */
	void (*end)(struct judge *judge);

	/* The workers' verdicts tell what the check read, though the parent's may not. */
	bool tells_loads;

	/* Seconds after which a check hangs; set by the engine after the control run, infinite before. */
	double limit;
};

#endif
