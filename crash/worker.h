/* worker.h: one of the processes that share the states of an exploration */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each worker goes through the whole trace by itself, round by round, and tries
 * the states whose hash is its own; so the share is the same in every run, and
 * nobody waits for anybody. What a worker finds goes to memory that it shares
 * with the command. If recovery kills the worker that it runs in, the state
 * counts as one that crashed, and a new worker goes on from there.
 */
#ifndef PMEM_CRASH_WORKER_H
#define PMEM_CRASH_WORKER_H

#include "explore.h"
#include "trial.h"

#include <stdatomic.h>

enum {
	WORKERS_MAX = 64,
	RECORDS_MAX = 512,    /* a worker's; more of the same kind are only counted */
	RECORD_CHOICES = 16,  /* units that a record can name */
	KILLERS_MAX = 256,    /* states that killed their worker, of all workers */
	HANGS_AT_A_PLACE = 3, /* after that its siblings are skipped */
};

#define NO_EVENT SIZE_MAX

/* A finding, in terms of the trace: offsets of events in it, NO_EVENT for none. */
struct record {
	enum finding_kind kind;
	enum failure failure;
	int status;
	bool torn;
	unsigned round;
	size_t point;
	uint64_t place;
	size_t at, store, other, after, flush, fence;
	uint64_t states; /* that failed and are the same, as far as the worker can tell */

	/* The state. */
	bool newest;
	uint32_t other_sizes;
	uint32_t count;
	struct {
		uint32_t pool;
		uint64_t offset;
		uint32_t version, stores;
		uint64_t mask;
	} choices[RECORD_CHOICES];
};

struct killer {
	uint64_t hash;
	enum failure failure;
	int status;
};

/* Written by one worker, read by the command. */
struct slot {
	_Atomic size_t states, equal, unread, skipped, planned;
	_Atomic unsigned round;
	_Atomic size_t point;
	_Atomic size_t failing;
	_Atomic bool finished;   /* every round to its end */
	_Atomic uint64_t trying; /* hash of the state being tried, 0 for none */
	_Atomic size_t record_count;
	struct record records[RECORDS_MAX];
};

struct shared {
	_Atomic bool stop; /* the command was interrupted */
	_Atomic size_t killer_count;
	struct killer killers[KILLERS_MAX];
	size_t points; /* failure points in the trace */
	struct slot slots[];
};

struct worker {
	const struct explore_options *options;
	struct shared *shared;
	struct slot *slot;
	unsigned number, count; /* of all workers */
	double deadline;        /* on the monotonic clock */
	bool tells_loads;       /* the judge knows what recovery read */
	struct trial trial;
	struct model *model; /* trial.model */
	unsigned round;
	bool put_off_unread;
	struct known *known; /* verdicts by hash */
	struct places_seen *places;
	bool *read_newest, *read_sure; /* of the open units at this point: what recovery read of the two plain states */
	size_t read_room;
	bool have_read_newest, have_read_sure;
};

/* The exit status of a worker that a check has spoiled: another one goes on. */
enum { WORKER_SPOILED = 100 };

/* Remembers a state that ended its worker. False if there were too many. */
bool shared_add_killer(struct shared *shared, uint64_t hash, enum failure failure, int status);

/* Is the budget spent, or did somebody interrupt? */
bool worker_must_stop(const struct worker *worker);

/*
 * Proposes a state of the present failure point: tries it if it is this
 * worker's and new. False if the worker must stop.
 */
bool worker_propose(struct worker *worker, const struct state *state);

/* Does the state fail? Whoever's it is; for explanations. False where it is not known and there is no time left. */
bool worker_fails(struct worker *worker, const struct state *state);

/* Does the state fail in which every store is durable? Tried even without time: nothing could be explained else. */
bool worker_newest_fails(struct worker *worker);

/* Did recovery read the open unit, when it ran on the plain state? True where that is not known. */
bool worker_was_read(struct worker *worker, size_t open_unit, bool newest);

/* In a process of its own: all rounds, from the given round and point on. Returns the exit status. */
int worker_run(struct worker *worker, const struct start *start, const struct trace *trace, struct judge *judge,
	       unsigned first_round, size_t first_point);

#endif
