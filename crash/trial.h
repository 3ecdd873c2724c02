/* trial.h: one state of a model's failure point, and what the judge says of it */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_TRIAL_H
#define PMEM_CRASH_TRIAL_H

#include "judge.h"
#include "model.h"

/* What is durable: everything or nothing of what may be, but for some units. */
struct state {
	bool newest;                  /* every store so far; else only what is sure */
	const struct choice *choices; /* units that differ from that, each once */
	size_t count;
	uint32_t other_sizes; /* a bit for each pool whose size differs from that */
	size_t unpromised;    /* bytes less of what the program wrote to its standard output before the cut */
};

/* Tries the states of one model with one judge. */
struct trial {
	struct model *model;
	struct judge *judge;
	bool fresh; /* nothing was tried yet */

	struct image_unit *units;
	size_t room;
	unsigned char *bytes;
	size_t bytes_room;
	struct image_unit *changed;
	size_t changed_room;
};

/* A hash of the contents and sizes of all pools, and of what was promised. */
uint64_t trial_hash(const struct model *model, const struct state *state);

/* Tries a state at the model's present failure point. False without memory, or where the judge cannot try it. */
bool trial_run(struct trial *trial, const struct state *state, bool keep_output, struct verdict *verdict);

/* The state as an image with bytes of its own; NULL without memory. */
struct image *trial_image(struct trial *trial, const struct state *state);

void trial_free(struct trial *trial);

#endif
