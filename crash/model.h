/* model.h: what may be durable at each instant of a trace */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The model goes through a trace and stops before each event that may change
 * what is guaranteed, the failure points. There it knows, for each unit, the
 * contents that are surely durable (in the base) and the stores made since, any
 * prefix of which may be durable, each unit for itself. Nothing else may be: a
 * state that the processor forbids cannot be expressed.
 *
 * Sources: Px86 (Raad, Wickerson, Neis, Vafeiadis: Persistency semantics of the
 * Intel-x86 architecture, POPL 2020); Intel SDM vol. 1, 11.12 and vol. 3, 8.1.1.
 */
#ifndef PMEM_CRASH_MODEL_H
#define PMEM_CRASH_MODEL_H

#include "image.h"
#include "result.h"

enum {
	UNIT_LINE = 64,
	UNIT_SECTOR = 512,
	UNIT_MAX = UNIT_SECTOR,
	UNIT_PART = 8, /* bytes, aligned: what a store writes in one piece */
};

/* The part of a store that lies in one unit. */
struct model_op {
	const struct trace_event *event;
	const struct trace_event *flush; /* the first that covered it, NULL: none yet */
	const unsigned char *bytes;
	uint64_t number;     /* stores are counted from 0: the order of the program */
	uint16_t at, length; /* bytes in the unit */
	uint16_t parts;      /* aligned 8-byte pieces that may be durable one without the other; 1: none */
};

/* A unit that the program has stored to. */
struct model_unit {
	uint32_t pool;
	uint64_t offset;
	struct model_op *ops; /* not yet surely durable, oldest first */
	uint32_t count, room;
	uint32_t flushed;        /* of these, how many a flush has covered */
	uint64_t retired;        /* stores before ops[0], surely durable */
	size_t dirty;            /* its place in model.dirty; SIZE_MAX where nothing is open */
	bool changed;            /* listed in model.changed */
	uint64_t base_hash;      /* of the contents in the base */
	uint64_t newest_hash;    /* of the contents with all stores */
	struct model_unit *next; /* in its bucket */
	unsigned char newest[];
};

/* What a thread has flushed and not fenced. */
struct model_pending {
	struct model_unit *unit;
	uint64_t upto; /* stores of the unit, counted from the beginning */
};

struct model_thread {
	struct model_pending *pending;
	size_t count, room;
};

struct model {
	const struct start *start;
	const struct trace *trace;
	enum model_kind kind;

	/* At the present failure point. */
	const struct trace_event *at; /* the cut comes before this event; NULL: after all */
	size_t point;                 /* index of the failure point */
	uint64_t place;               /* a hash of where the event is in the program */
	unsigned char *base[IMAGE_POOLS];
	uint64_t room[IMAGE_POOLS];
	uint64_t sizes[IMAGE_POOLS];        /* surely */
	uint64_t newest_sizes[IMAGE_POOLS]; /* as the program sees them */
	struct model_unit **dirty;          /* units with open stores, in no particular order, but always the same */
	size_t dirty_count, dirty_room;
	uint64_t base_hash;   /* of all contents that are surely durable */
	uint64_t newest_hash; /* of all contents as the program sees them */
	char *output;
	size_t output_length;
	const struct trace_event *last_store;
	const struct trace_event *last_sure; /* of the stores that are surely durable, the one that came last */
	const struct trace_event *last_resize;
	const struct trace_event *last_output; /* NULL: nothing was written yet */

	/* Units whose base has changed since model_forget_changes(). */
	struct model_unit **changed;
	size_t changed_count, changed_room;

	/* Called for each flush of a range in which nothing had changed; may be NULL. */
	void (*redundant)(void *arg, const struct trace_event *flush);
	void *arg;

	/* Inside. */
	struct model_unit **buckets;
	size_t bucket_count, unit_count;
	struct model_thread *threads;
	size_t thread_count;
	const struct trace_event *next;
	uint64_t stores, last_sure_number;
	bool started, ended, failed;
};

/* At the trace's beginning. NULL without memory. The base starts as a copy of start. */
struct model *model_new(const struct start *start, const struct trace *trace, enum model_kind kind);

void model_free(struct model *model);

/*
 * Goes on to the next failure point. False after the last one, which is the end
 * of the trace, or without memory (model->failed).
 */
bool model_next(struct model *model);

/* Which stores of a unit are durable in a state: the first `version` of them, and of the next one the parts in mask. */
struct choice {
	struct model_unit *unit;
	uint32_t version;
	uint64_t mask; /* bit n: the n-th part of ops[version]; only where it has several */
};

/* The unit's contents under a choice: bytes of model->start->unit. */
void model_contents(const struct model *model, const struct choice *choice, unsigned char *bytes);

/* A hash of a unit's contents; those of all units of a state add up to the state's. */
uint64_t model_hash(const struct model *model, const struct model_unit *unit, const unsigned char *bytes);

void model_forget_changes(struct model *model);

/* The units that an event's range touches in the model's way: whole pages for TRACE_SYNC. */
struct range {
	uint64_t first, end; /* bytes, unit-aligned */
};
struct range model_range(const struct model *model, const struct trace_event *event);

#endif
