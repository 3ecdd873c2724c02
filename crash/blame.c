/* blame.c: which store is to blame for a state that recovery did not survive */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state in which everything is durable passes, the failing state does not.
 * On the way from the first to the second, as few units as possible are taken
 * back: their first store that is missing is the lost one. If it is missed only
 * for what the program wrote to its standard output since, that promise came too
 * early. Else, with these lost, as few others as possible are left durable: their
 * last store is the one that should not have been durable without it.
 */
#include "blame.h"

#include <stdlib.h>
#include <string.h>

enum {
	TRIES_MAX = 64,    /* units tried one by one */
	VERSIONS_MAX = 16, /* prefixes of one unit tried */
	PROMISES_MAX = 16, /* outputs of which it is asked whether they are the one that was broken */
};

/* Units that are not as the program saw them, and units that are, though nothing makes them durable. */
struct suspects {
	struct worker *worker;
	struct choice *lost, *early, *mix;
	size_t lost_count, early_count;
};

/* Everything durable but for what is lost. */
static struct state most_state(const struct suspects *suspects)
{
	return (struct state){
		.newest = true,
		.choices = suspects->lost,
		.count = suspects->lost_count,
	};
}

static bool fails_without(struct suspects *suspects)
{
	const struct state state = most_state(suspects);

	return worker_fails(suspects->worker, &state);
}

/* Only what is sure, but for what is early; of the lost units what the failing state has of them. */
static struct state least_state(struct suspects *suspects)
{
	memcpy(suspects->mix, suspects->lost, suspects->lost_count * sizeof(suspects->mix[0]));
	memcpy(suspects->mix + suspects->lost_count, suspects->early, suspects->early_count * sizeof(suspects->mix[0]));
	return (struct state){
		.newest = false,
		.choices = suspects->mix,
		.count = suspects->lost_count + suspects->early_count,
	};
}

static bool fails_with(struct suspects *suspects)
{
	const struct state state = least_state(suspects);

	return worker_fails(suspects->worker, &state);
}

/* Leaves one choice of a list, if one alone is enough; else takes away what is not needed. */
static void reduce(struct suspects *suspects, struct choice *list, size_t *count,
		   bool (*fails)(struct suspects *suspects))
{
	struct choice kept, *all;
	const size_t full = *count;

	if (full < 2)
		return;
	all = malloc(full * sizeof(all[0]));
	if (!all)
		return;
	memcpy(all, list, full * sizeof(all[0]));
	*count = 1;
	for (size_t i = full; i-- > 0 && full - i <= TRIES_MAX;) {
		list[0] = all[i];
		if (fails(suspects))
			goto out;
	}
	memcpy(list, all, full * sizeof(all[0]));
	*count = full;
	for (size_t i = full; i-- > 0 && full <= TRIES_MAX && *count > 1;) {
		kept = list[i];
		list[i] = list[--*count];
		if (fails(suspects))
			continue;
		list[i] = kept; /* what came in its place stands behind the end still */
		(*count)++;
	}
out:
	free(all);
}

static void list_lost(struct suspects *suspects, const struct state *state)
{
	const struct model *model = suspects->worker->model;

	for (size_t i = 0; i < model->dirty_count; i++) {
		struct model_unit *unit = model->dirty[i];
		struct choice choice = {.unit = unit, .version = state->newest ? unit->count : 0};

		for (size_t j = 0; j < state->count; j++) {
			if (state->choices[j].unit == unit)
				choice = state->choices[j];
		}
		if (choice.version < unit->count)
			suspects->lost[suspects->lost_count++] = choice;
	}
}

/* As many of a lost unit's stores as can be durable, the failure still there: the next is the lost one. */
static void raise_lost(struct suspects *suspects, struct choice *lost)
{
	const struct choice before = *lost;

	for (uint32_t version = before.unit->count - 1, tries = 0; version > before.version && tries < VERSIONS_MAX;
	     version--, tries++) {
		*lost = (struct choice){.unit = before.unit, .version = version};
		if (fails_without(suspects))
			return;
	}
	*lost = (struct choice){.unit = before.unit, .version = before.version};
	if (before.mask && !fails_without(suspects))
		*lost = before;
}

/* As few of an early unit's stores as needed: the last of them is the early one. */
static void lower_early(struct suspects *suspects, struct choice *early, uint32_t least)
{
	const struct choice before = *early;

	for (uint32_t version = least; version < before.version && version - least < VERSIONS_MAX; version++) {
		*early = (struct choice){.unit = before.unit, .version = version};
		if (fails_with(suspects))
			return;
	}
	*early = before;
}

static bool find_lost(struct suspects *suspects, const struct state *state)
{
	list_lost(suspects, state);
	reduce(suspects, suspects->lost, &suspects->lost_count, fails_without);
	for (size_t i = 0; i < suspects->lost_count && i < 4; i++)
		raise_lost(suspects, &suspects->lost[i]);
	return suspects->lost_count > 0;
}

static void find_early(struct suspects *suspects)
{
	const struct model *model = suspects->worker->model;

	if (fails_with(suspects))
		return;
	for (size_t i = 0; i < model->dirty_count; i++) {
		bool is_lost = false;

		for (size_t j = 0; j < suspects->lost_count; j++)
			is_lost |= suspects->lost[j].unit == model->dirty[i];
		if (!is_lost)
			suspects->early[suspects->early_count++] =
				(struct choice){.unit = model->dirty[i], .version = model->dirty[i]->count};
	}
	reduce(suspects, suspects->early, &suspects->early_count, fails_with);
	if (suspects->early_count == 1)
		lower_early(suspects, &suspects->early[0], 1);
}

/* --- What the events are ------------------------------------------------------------- */

static size_t position(const struct model *model, const struct trace_event *event)
{
	return event ? (size_t)((const unsigned char *)event - model->trace->bytes) : NO_EVENT;
}

static const struct model_op *lost_op(const struct suspects *suspects)
{
	const struct model_op *first = NULL;

	for (size_t i = 0; i < suspects->lost_count; i++) {
		const struct choice *lost = &suspects->lost[i];
		const struct model_op *op = &lost->unit->ops[lost->version];

		if (!first || op->number < first->number)
			first = op;
	}
	return first;
}

/*
 * If the state fails only for what the program wrote to its standard output
 * after an event (NULL: ever): the output with which it begins to fail.
 */
static const struct trace_event *broken_promise(struct worker *worker, struct state state,
						const struct trace_event *since)
{
	const struct model *model = worker->model;
	const struct trace_event *const first = since ? since : trace_next(model->trace, NULL);
	const struct trace_event *event;
	unsigned tries = 0;

	state.unpromised = 0;
	for (event = first; event != model->at; event = trace_next(model->trace, event)) {
		if (event->kind == TRACE_OUTPUT)
			state.unpromised += event->length;
	}
	if (state.unpromised == 0 || worker_fails(worker, &state))
		return NULL;
	for (event = first; event != model->at; event = trace_next(model->trace, event)) {
		if (event->kind != TRACE_OUTPUT || event->length == 0)
			continue;
		state.unpromised -= event->length;
		if (++tries > PROMISES_MAX || worker_fails(worker, &state))
			return event;
	}
	return NULL;
}

/* The last store of what is early; with nothing early, of the lost units themselves, or of what is sure. */
static const struct trace_event *early_event(struct suspects *suspects)
{
	const struct model *model = suspects->worker->model;
	const struct model_op *last = NULL;

	for (size_t i = 0; i < suspects->early_count; i++) {
		const struct choice *early = &suspects->early[i];
		const struct model_op *op = &early->unit->ops[early->version - 1];

		if (!last || op->number > last->number)
			last = op;
	}
	if (last)
		return last->event;
	if (suspects->lost_count == 1 && suspects->lost[0].version > 0 && !suspects->lost[0].mask) {
		struct choice *lost = &suspects->lost[0];
		const struct choice before = *lost;

		lower_early(suspects, lost, 0);
		last = lost->version > 0 ? &lost->unit->ops[lost->version - 1] : NULL;
		*lost = before;
	}
	if (last)
		return last->event;
	return model->last_sure;
}

static bool covers(const struct model *model, const struct trace_event *event, const struct model_unit *unit)
{
	const bool flushes =
		event->kind == TRACE_FLUSH || event->kind == TRACE_FLUSH_ORDERED || event->kind == TRACE_SYNC;
	struct range range;

	if (!flushes || event->pool != unit->pool)
		return false;
	range = model_range(model, event);
	return unit->offset >= range.first && unit->offset < range.end;
}

static const struct model_unit *unit_of(const struct suspects *suspects, const struct model_op *op)
{
	for (size_t i = 0; i < suspects->lost_count; i++) {
		const struct model_unit *unit = suspects->lost[i].unit;

		if (op >= unit->ops && op < unit->ops + unit->count)
			return unit;
	}
	return NULL;
}

/* What made, or will make, the lost store durable: too late, or NULL for never. */
static void find_flush(const struct suspects *suspects, const struct model_op *op, struct record *record)
{
	const struct model *model = suspects->worker->model;
	const struct model_unit *unit = unit_of(suspects, op);
	const struct trace_event *flush = op->flush, *event = model->at;

	while (!flush && event) {
		if (covers(model, event, unit))
			flush = event;
		event = trace_next(model->trace, event);
	}
	record->flush = position(model, flush);
	record->fence = NO_EVENT;
	if (!flush || flush->kind != TRACE_FLUSH)
		return;
	event = op->flush ? model->at : event;
	while (event && (event->kind != TRACE_FENCE || event->thread != flush->thread))
		event = trace_next(model->trace, event);
	record->fence = position(model, event);
}

/* --- Records ---------------------------------------------------------------------------- */

static const struct trace_event *event_at(const struct model *model, size_t at)
{
	return at == NO_EVENT ? NULL : (const struct trace_event *)(model->trace->bytes + at);
}

static bool same_site(const struct model *model, size_t left, size_t right)
{
	const struct trace_event *a = event_at(model, left), *b = event_at(model, right);

	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->site == b->site;
}

static bool is_same(const struct model *model, const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->failure == b->failure && same_site(model, a->store, b->store) &&
	       same_site(model, a->other, b->other) && same_site(model, a->after, b->after) &&
	       same_site(model, a->flush, b->flush);
}

/*
 * The first in the trace stands for all, so that the run is the shortest. What
 * does not fit any more is counted, with the failing states.
 */
static void add_record(struct worker *worker, const struct record *record)
{
	struct slot *slot = worker->slot;
	const size_t count = atomic_load(&slot->record_count);

	for (size_t i = 0; i < count; i++) {
		if (is_same(worker->model, &slot->records[i], record)) {
			slot->records[i].states++;
			return;
		}
	}
	if (count == RECORDS_MAX)
		return;
	slot->records[count] = *record;
	atomic_store(&slot->record_count, count + 1);
}

static void add_choices(struct record *record, const struct choice *choices, size_t count)
{
	for (size_t i = 0; i < count && record->count < RECORD_CHOICES; i++) {
		const struct model_unit *unit = choices[i].unit;

		record->choices[record->count].pool = unit->pool;
		record->choices[record->count].offset = unit->offset;
		record->choices[record->count].version = choices[i].version;
		record->choices[record->count].stores = unit->count;
		record->choices[record->count].mask = choices[i].mask;
		record->count++;
	}
}

static struct record new_record(const struct worker *worker, const struct known_verdict *verdict)
{
	const struct model *model = worker->model;

	return (struct record){
		.failure = verdict->failure,
		.status = verdict->status,
		.round = worker->round,
		.point = model->point,
		.place = model->place,
		.at = position(model, model->at),
		.store = NO_EVENT,
		.other = NO_EVENT,
		.after = NO_EVENT,
		.flush = NO_EVENT,
		.fence = NO_EVENT,
		.states = 1,
	};
}

static const struct trace_event *next_store(const struct model *model)
{
	const struct trace_event *event = model->at;

	while (event && event->kind != TRACE_STORE)
		event = trace_next(model->trace, event);
	return event;
}

static void record_cut(struct worker *worker, const struct known_verdict *verdict)
{
	const struct model *model = worker->model;
	struct record record = new_record(worker, verdict);

	record.kind = FINDING_CUT;
	record.newest = true;
	record.store = position(model, next_store(model));
	record.after = position(model, model->last_store);
	record.other = position(model, broken_promise(worker, (struct state){.newest = true}, model->last_store));
	add_record(worker, &record);
}

static void record_order(struct suspects *suspects, const struct known_verdict *verdict)
{
	const struct model *model = suspects->worker->model;
	struct record record = new_record(suspects->worker, verdict);
	const struct model_op *lost = lost_op(suspects);
	const struct trace_event *early = broken_promise(suspects->worker, most_state(suspects), lost->event);

	if (!early) {
		find_early(suspects);
		early = early_event(suspects);
	}
	record.torn = suspects->lost_count == 1 && suspects->lost[0].mask != 0;
	find_flush(suspects, lost, &record);
	if (!record.torn && early && early->kind == TRACE_STORE && early < lost->event) {
		record.kind = FINDING_EARLY;
		record.store = position(model, early);
		record.other = position(model, lost->event);
	} else {
		record.kind = FINDING_LOST;
		record.store = position(model, lost->event);
		record.other = record.torn ? NO_EVENT : position(model, early);
	}
	record.newest = !(record.kind == FINDING_EARLY && suspects->early_count > 0);
	if (!record.newest)
		add_choices(&record, suspects->early, suspects->early_count);
	for (size_t i = 0; i < suspects->lost_count; i++) {
		if (record.newest || suspects->lost[i].version > 0 || suspects->lost[i].mask)
			add_choices(&record, &suspects->lost[i], 1);
	}
	add_record(suspects->worker, &record);
}

/* A pool's size alone: the store is the resize. */
static void record_size(struct worker *worker, const struct state *state, const struct known_verdict *verdict)
{
	const struct model *model = worker->model;
	struct record record = new_record(worker, verdict);

	record.kind = FINDING_LOST;
	record.newest = state->newest;
	record.other_sizes = state->other_sizes;
	record.store = position(model, model->last_resize);
	record.other = position(model, model->last_sure);
	add_record(worker, &record);
}

void blame(struct worker *worker, const struct state *state, const struct known_verdict *found)
{
	const struct known_verdict verdict = *found;
	const size_t units = worker->model->dirty_count;
	struct choice *lists;
	struct suspects suspects = {.worker = worker};

	if (state->newest && state->count == 0 && !state->other_sizes) {
		record_cut(worker, &verdict);
		return;
	}
	/* Where even this fails, the cut is the reason, and is recorded by the worker whose state it is. */
	if (worker_newest_fails(worker))
		return;
	if (state->other_sizes) {
		record_size(worker, state, &verdict);
		return;
	}
	lists = calloc(4 * units + 4, sizeof(lists[0]));
	if (!lists)
		return;
	suspects.lost = lists;
	suspects.early = lists + units + 1;
	suspects.mix = lists + 2 * (units + 1);
	if (find_lost(&suspects, state))
		record_order(&suspects, &verdict);
	free(lists);
}
