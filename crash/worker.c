/* worker.c: one of the processes that share the states of an exploration */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "worker.h"

#include "blame.h"
#include "known.h"
#include "plan.h"
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

bool worker_must_stop(const struct worker *worker)
{
	return atomic_load_explicit(&worker->shared->stop, memory_order_relaxed) || now() >= worker->deadline;
}

/* --- Trying ------------------------------------------------------------------------- */

bool shared_add_killer(struct shared *shared, uint64_t hash, enum failure failure, int status)
{
	const size_t at = atomic_fetch_add(&shared->killer_count, 1);

	if (at >= KILLERS_MAX) {
		atomic_store(&shared->killer_count, KILLERS_MAX);
		return false;
	}
	shared->killers[at] = (struct killer){.hash = hash, .failure = failure, .status = status};
	return true;
}

/* What is known already of a state, or what the judge says now. NULL if it cannot be tried. */
static const struct known_verdict *verdict_of(struct worker *worker, const struct state *state, uint64_t hash)
{
	const struct known_verdict *known = known_find(worker->known, hash);
	struct verdict verdict;

	if (known)
		return known;
	atomic_store(&worker->slot->trying, hash);
	if (!trial_run(&worker->trial, state, false, &verdict)) {
		atomic_store(&worker->slot->trying, 0);
		return NULL;
	}
	worker->slot->states++;
	if (verdict.spoiled && shared_add_killer(worker->shared, hash, verdict.failure, verdict.status))
		_exit(WORKER_SPOILED);
	atomic_store(&worker->slot->trying, 0);
	return known_add(worker->known, hash,
			 (struct known_verdict){
				 .passed = verdict.passed,
				 .failure = verdict.failure,
				 .status = verdict.status,
			 });
}

bool worker_fails(struct worker *worker, const struct state *state)
{
	const uint64_t hash = trial_hash(worker->model, state);
	const struct known_verdict *verdict = known_find(worker->known, hash);

	if (!verdict && !worker_must_stop(worker))
		verdict = verdict_of(worker, state, hash);
	return verdict && !verdict->passed;
}

bool worker_newest_fails(struct worker *worker)
{
	const struct state newest = {.newest = true};
	const struct known_verdict *verdict = verdict_of(worker, &newest, trial_hash(worker->model, &newest));

	return verdict && !verdict->passed;
}

bool worker_propose(struct worker *worker, const struct state *state)
{
	const uint64_t hash = trial_hash(worker->model, state);
	const struct known_verdict *verdict;

	if (hash % worker->count != worker->number)
		return true;
	if (worker_must_stop(worker))
		return false;
	if (known_find(worker->known, hash) && !known_is_killer(worker->known, hash)) {
		worker->slot->equal++;
		return true;
	}
	if (places_hangs(worker->places, worker->model->place) >= HANGS_AT_A_PLACE) {
		worker->slot->skipped++;
		return true;
	}
	verdict = verdict_of(worker, state, hash);
	if (!verdict)
		return false;
	if (verdict->passed)
		return true;
	if (verdict->failure == FAILURE_HANG)
		places_note_hang(worker->places, worker->model->place);
	worker->slot->failing++;
	known_forget_killer(worker->known, hash);
	blame(worker, state, verdict);
	return true;
}

/* --- What recovery reads --------------------------------------------------------------- */

static bool make_read_room(struct worker *worker)
{
	const size_t room = worker->model->dirty_count + 1;

	if (room <= worker->read_room)
		return true;
	free(worker->read_newest);
	free(worker->read_sure);
	worker->read_newest = malloc(room * 2);
	worker->read_sure = malloc(room * 2);
	worker->read_room = worker->read_newest && worker->read_sure ? room * 2 : 0;
	return worker->read_room > 0;
}

static bool any_bit(const unsigned char *loads, uint64_t offset, uint32_t length)
{
	for (uint64_t unit = offset / SESSION_LOADS_UNIT; unit < (offset + length) / SESSION_LOADS_UNIT; unit++) {
		if (loads[unit / 8] >> (unit % 8) & 1)
			return true;
	}
	return false;
}

/* Tries a plain state once more, for the sake of what it reads; false: nothing is known. */
static bool look_at_reads(struct worker *worker, bool newest, bool *read)
{
	const struct state state = {.newest = newest};
	const struct model *model = worker->model;
	struct verdict verdict;
	bool tried;

	atomic_store(&worker->slot->trying, trial_hash(model, &state));
	tried = trial_run(&worker->trial, &state, false, &verdict);
	atomic_store(&worker->slot->trying, 0);
	if (!tried)
		return false;
	for (size_t i = 0; i < model->dirty_count; i++) {
		const struct model_unit *unit = model->dirty[i];

		read[i] = !verdict.loads[unit->pool] ||
			  any_bit(verdict.loads[unit->pool], unit->offset, model->start->unit);
	}
	return true;
}

bool worker_was_read(struct worker *worker, size_t open_unit, bool newest)
{
	bool *have = newest ? &worker->have_read_newest : &worker->have_read_sure;

	if (!worker->tells_loads || !make_read_room(worker))
		return true;
	if (!*have && !look_at_reads(worker, newest, newest ? worker->read_newest : worker->read_sure))
		return true;
	*have = true;
	return (newest ? worker->read_newest : worker->read_sure)[open_unit];
}

/* --- Rounds ------------------------------------------------------------------------------ */

static struct model *rewind_model(struct worker *worker, const struct start *start, const struct trace *trace)
{
	model_free(worker->model);
	worker->model = model_new(start, trace, worker->options->model);
	worker->trial.model = worker->model;
	worker->trial.fresh = true;
	places_rewind(worker->places);
	return worker->model;
}

static bool run_round(struct worker *worker, const struct round *round, size_t first_point)
{
	while (model_next(worker->model)) {
		const bool chosen = places_visit(worker->places, worker->model->place) || !worker->model->at;

		if (worker->model->point < first_point || (round->chosen && !chosen))
			continue;
		atomic_store(&worker->slot->point, worker->model->point);
		worker->have_read_newest = worker->have_read_sure = false;
		if (!round->plan(worker))
			return false;
	}
	return !worker->model->failed;
}

static void add_killers(struct worker *worker)
{
	const size_t count = atomic_load(&worker->shared->killer_count);

	for (size_t i = 0; i < count && i < KILLERS_MAX; i++) {
		const struct killer *killer = &worker->shared->killers[i];

		known_add_killer(worker->known, killer->hash, killer->failure, killer->status);
	}
}

int worker_run(struct worker *worker, const struct start *start, const struct trace *trace, struct judge *judge,
	       unsigned first_round, size_t first_point)
{
	worker->trial = (struct trial){.judge = judge};
	worker->known = known_new();
	worker->places = places_seen_new();
	if (!worker->known || !worker->places || !judge->begin(judge, worker->number + 1))
		return EXIT_FAILURE;
	add_killers(worker);
	for (unsigned round = first_round; round < plan_round_count; round++) {
		if (plan_rounds[round].unread && !worker->tells_loads)
			continue;
		worker->round = round;
		worker->put_off_unread = worker->tells_loads && !plan_rounds[round].unread;
		atomic_store(&worker->slot->round, round);
		if (!rewind_model(worker, start, trace) ||
		    !run_round(worker, &plan_rounds[round], round == first_round ? first_point : 0))
			break;
		if (round + 1 == plan_round_count || (round + 2 == plan_round_count && !worker->tells_loads))
			atomic_store(&worker->slot->finished, true);
	}
	judge->end(judge);
	return EXIT_SUCCESS;
}
