/* model.c: what may be durable at each instant of a trace */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "model.h"
#include "model_units.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 }; /* what a sync covers at least */

/* --- Guarantees ------------------------------------------------------------------------ */

/* The unit's first `count` open stores are surely durable. */
static bool retire(struct model *model, struct model_unit *unit, uint32_t count)
{
	unsigned char *base = model->base[unit->pool] + unit->offset;

	if (count == 0)
		return true;
	for (uint32_t i = 0; i < count; i++)
		units_apply(&unit->ops[i], base);
	if (!model->last_sure || unit->ops[count - 1].number > model->last_sure_number) {
		model->last_sure = unit->ops[count - 1].event;
		model->last_sure_number = unit->ops[count - 1].number;
	}
	model->base_hash -= unit->base_hash;
	unit->base_hash = model_hash(model, unit, base);
	model->base_hash += unit->base_hash;
	unit->count -= count;
	unit->flushed = unit->flushed > count ? unit->flushed - count : 0;
	unit->retired += count;
	memmove(unit->ops, unit->ops + count, unit->count * sizeof(unit->ops[0]));
	if (unit->count == 0)
		units_close(model, unit);
	return units_note_change(model, unit);
}

static bool retire_upto(struct model *model, struct model_unit *unit, uint64_t upto)
{
	return upto <= unit->retired || retire(model, unit, (uint32_t)(upto - unit->retired));
}

static uint64_t hash_of_size(uint32_t pool, uint64_t size)
{
	return units_mix(units_mix(UINT64_C(0x13198a2e03707344), pool), size);
}

static void guarantee_size(struct model *model, uint32_t pool)
{
	model->base_hash += hash_of_size(pool, model->newest_sizes[pool]) - hash_of_size(pool, model->sizes[pool]);
	model->sizes[pool] = model->newest_sizes[pool];
}

/* On a mapping that can be flushed, blocks and size of the file are durable before the first store (MAP_SYNC). */
static void guarantee_growth(struct model *model)
{
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++) {
		if (model->newest_sizes[pool] > model->sizes[pool])
			guarantee_size(model, pool);
	}
}

/* What flushing gives in pages is not finer than pages. */
static uint64_t grain_of(const struct model *model, const struct trace_event *event)
{
	if (event->kind == TRACE_SYNC || model->kind == MODEL_PAGE)
		return PAGE;
	return model->start->unit;
}

struct range model_range(const struct model *model, const struct trace_event *event)
{
	const uint64_t grain = grain_of(model, event);
	const uint64_t room = model->room[event->pool];
	uint64_t end = event->offset + event->length;

	if (end < event->offset || end > room)
		end = room;
	end = (end + grain - 1) & ~(grain - 1);
	return (struct range){
		.first = event->offset & ~(grain - 1),
		.end = end < room ? end : room,
	};
}

/*
 * Calls act for each unit with open stores in the event's range: by the range
 * where it is short, by the list of open units where that is. act may close
 * the unit that it is given.
 */
static bool for_open_units(struct model *model, const struct trace_event *event,
			   bool (*act)(struct model *model, struct model_unit *unit, const struct trace_event *event))
{
	const struct range range = model_range(model, event);
	const uint64_t step = model->start->unit;
	struct model_unit *unit;

	if ((range.end - range.first) / step <= model->dirty_count) {
		for (uint64_t offset = range.first; offset < range.end; offset += step) {
			unit = units_find(model, event->pool, offset);
			if (unit && unit->count > 0 && !act(model, unit, event))
				return false;
		}
		return true;
	}
	for (size_t i = model->dirty_count; i-- > 0;) {
		unit = model->dirty[i];
		if (unit->pool == event->pool && unit->offset >= range.first && unit->offset < range.end &&
		    !act(model, unit, event))
			return false;
	}
	return true;
}

static struct model_thread *thread_of(struct model *model, uint16_t number)
{
	struct model_thread *threads;

	if (number < model->thread_count)
		return &model->threads[number];
	threads = realloc(model->threads, (number + 1u) * sizeof(threads[0]));
	if (!threads)
		return NULL;
	memset(threads + model->thread_count, 0, (number + 1u - model->thread_count) * sizeof(threads[0]));
	model->threads = threads;
	model->thread_count = number + 1u;
	return &threads[number];
}

static bool add_pending(struct model *model, uint16_t number, struct model_unit *unit)
{
	struct model_thread *thread = thread_of(model, number);
	struct model_pending *pending;
	size_t room;

	if (!thread)
		return false;
	if (thread->count == thread->room) {
		room = thread->room ? thread->room * 2 : 64;
		pending = realloc(thread->pending, room * sizeof(pending[0]));
		if (!pending)
			return false;
		thread->pending = pending;
		thread->room = room;
	}
	thread->pending[thread->count++] = (struct model_pending){.unit = unit, .upto = unit->retired + unit->count};
	return true;
}

static void cover(struct model_unit *unit, const struct trace_event *event)
{
	for (uint32_t i = unit->flushed; i < unit->count; i++)
		unit->ops[i].flush = event;
	unit->flushed = unit->count;
}

static bool flush_unit(struct model *model, struct model_unit *unit, const struct trace_event *event)
{
	cover(unit, event);
	return add_pending(model, event->thread, unit);
}

static bool retire_unit(struct model *model, struct model_unit *unit, const struct trace_event *event)
{
	(void)event;
	return retire(model, unit, unit->count);
}

static bool fence(struct model *model, uint16_t number)
{
	struct model_thread *thread = thread_of(model, number);

	if (!thread)
		return false;
	for (size_t i = 0; i < thread->count; i++) {
		if (!retire_upto(model, thread->pending[i].unit, thread->pending[i].upto))
			return false;
	}
	thread->count = 0;
	guarantee_growth(model);
	return true;
}

/* --- Stores ---------------------------------------------------------------------------- */

static uint16_t parts_of(const struct trace_event *event, uint64_t at, uint64_t length)
{
	if (event->flags & (STORE_OBSERVED | STORE_BY_KERNEL))
		return 1;
	return (uint16_t)((at + length - 1) / UNIT_PART - at / UNIT_PART + 1);
}

static bool add_op(struct model *model, struct model_unit *unit, const struct model_op *op)
{
	struct model_op *ops;
	uint32_t room;

	if (unit->count == unit->room) {
		room = unit->room ? unit->room * 2 : 4;
		ops = realloc(unit->ops, room * sizeof(ops[0]));
		if (!ops)
			return false;
		unit->ops = ops;
		unit->room = room;
	}
	unit->ops[unit->count++] = *op;
	units_apply(op, unit->newest);
	model->newest_hash -= unit->newest_hash;
	unit->newest_hash = model_hash(model, unit, unit->newest);
	model->newest_hash += unit->newest_hash;
	return units_open(model, unit);
}

/* With persistent caches a store is durable at once, but for one that went past the caches. */
static bool is_durable_at_once(const struct model *model, const struct trace_event *event)
{
	return model->kind == MODEL_EADR && !(event->flags & (STORE_NONTEMPORAL | STORE_BY_KERNEL));
}

static bool store(struct model *model, const struct trace_event *event)
{
	const uint64_t step = model->start->unit, end = event->offset + event->length;
	struct model_unit *unit;
	struct model_op op = {.event = event, .number = model->stores++};

	model->last_store = event;
	for (uint64_t at = event->offset; at < end; at = (at & ~(step - 1)) + step) {
		const uint64_t offset = at & ~(step - 1);

		unit = units_find(model, event->pool, offset);
		if (!unit)
			unit = units_add(model, event->pool, offset);
		if (!unit)
			return false;
		op.bytes = event->payload + (at - event->offset);
		op.at = (uint16_t)(at - offset);
		op.length = (uint16_t)((end < offset + step ? end : offset + step) - at);
		op.parts = parts_of(event, op.at, op.length);
		if (!add_op(model, unit, &op))
			return false;
		if (is_durable_at_once(model, event)) {
			cover(unit, event);
			if (!retire(model, unit, unit->count))
				return false;
		} else if (model->kind == MODEL_EADR && (event->flags & STORE_NONTEMPORAL) &&
			   !flush_unit(model, unit, event)) {
			return false;
		}
	}
	return true;
}

/* What is cut off a file is zero when the file grows again. */
static bool cut_off(struct model *model, const struct trace_event *event, uint64_t end)
{
	static const unsigned char zeros[UNIT_MAX];
	const uint64_t step = model->start->unit;

	for (uint64_t at = event->offset; at < end; at = (at & ~(step - 1)) + step) {
		const uint64_t offset = at & ~(step - 1);
		struct model_unit *unit = units_find(model, event->pool, offset);
		const struct model_op op = {
			.event = event,
			.bytes = zeros,
			.number = model->stores,
			.at = (uint16_t)(at - offset),
			.length = (uint16_t)(offset + step - at),
			.parts = 1,
		};

		if (!unit && memcmp(model->base[event->pool] + at, zeros, op.length) == 0)
			continue;
		if (!unit)
			unit = units_add(model, event->pool, offset);
		if (!unit || !add_op(model, unit, &op))
			return false;
	}
	return true;
}

static bool resize(struct model *model, const struct trace_event *event)
{
	const uint32_t pool = event->pool;
	const uint64_t before = model->newest_sizes[pool];

	model->last_resize = event;
	model->newest_hash += hash_of_size(pool, event->offset) - hash_of_size(pool, before);
	model->newest_sizes[pool] = event->offset;
	return cut_off(model, event, before);
}

/* --- Going through the trace ------------------------------------------------------------- */

static bool apply_event(struct model *model, const struct trace_event *event)
{
	char *output;

	switch (event->kind) {
	case TRACE_STORE:
		return store(model, event);
	case TRACE_FLUSH:
		return for_open_units(model, event, flush_unit);
	case TRACE_FLUSH_ORDERED:
		return for_open_units(model, event, retire_unit);
	case TRACE_FENCE:
		return fence(model, event->thread);
	case TRACE_SYNC:
		guarantee_size(model, event->pool);
		return for_open_units(model, event, retire_unit);
	case TRACE_SIZE:
		return resize(model, event);
	case TRACE_OUTPUT:
		output = realloc(model->output, model->output_length + event->length + 1);
		if (!output)
			return false;
		memcpy(output + model->output_length, event->payload, event->length);
		model->output = output;
		model->output_length += event->length;
		model->last_output = event;
		return true;
	default:
		return true;
	}
}

/* Stops a walk by its "false" at the first unit that has something new to flush. */
static bool is_flushed(struct model *model, struct model_unit *unit, const struct trace_event *event)
{
	(void)model;
	(void)event;
	return unit->flushed == unit->count;
}

static bool is_closed(struct model *model, struct model_unit *unit, const struct trace_event *event)
{
	(void)model;
	(void)unit;
	(void)event;
	return false;
}

static bool sizes_are_open(const struct model *model)
{
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++) {
		if (model->sizes[pool] != model->newest_sizes[pool])
			return true;
	}
	return false;
}

static bool fence_has_work(const struct model *model, uint16_t number)
{
	const struct model_thread *thread = number < model->thread_count ? &model->threads[number] : NULL;

	if (sizes_are_open(model))
		return true;
	for (size_t i = 0; thread && i < thread->count; i++) {
		if (thread->pending[i].upto > thread->pending[i].unit->retired)
			return true;
	}
	return false;
}

static bool is_observed(const struct trace_event *event)
{
	return event->kind == TRACE_STORE && (event->flags & STORE_OBSERVED);
}

/*
 * With persistent caches each store is a state of its own. Stores found by
 * comparing came in an order that nobody knows: only what was there before the
 * first of them and after the last is sure to have been.
 */
static bool store_is_failure_point(const struct model *model, const struct trace_event *event)
{
	const struct trace_event *before = model->last_store;

	if (model->kind != MODEL_EADR)
		return false;
	return !before || !is_observed(event) || !is_observed(before) ||
	       (const unsigned char *)before + before->size != (const unsigned char *)event;
}

static bool is_failure_point(struct model *model, const struct trace_event *event)
{
	bool effective;

	switch (event->kind) {
	case TRACE_STORE:
		return store_is_failure_point(model, event);
	case TRACE_FLUSH:
	case TRACE_FLUSH_ORDERED:
		effective = !for_open_units(model, event, is_flushed);
		if (!effective && model->redundant && model->kind != MODEL_EADR)
			model->redundant(model->arg, event);
		return effective;
	case TRACE_FENCE:
		return fence_has_work(model, event->thread);
	case TRACE_SYNC:
		return sizes_are_open(model) || !for_open_units(model, event, is_closed);
	case TRACE_OUTPUT:
		return event->length > 0;
	default:
		return false;
	}
}

static uint64_t place_of(const struct trace_event *event)
{
	return event ? units_mix(units_mix(event->kind, event->site), event->stack) : 0;
}

static bool stop_at(struct model *model, const struct trace_event *event)
{
	model->at = event;
	model->place = place_of(event);
	model->point = model->started ? model->point + 1 : 0;
	model->started = true;
	return true;
}

bool model_next(struct model *model)
{
	const struct trace_event *event;

	if (model->ended || model->failed)
		return false;
	if (model->started && model->at && !apply_event(model, model->at)) {
		model->failed = true;
		return false;
	}
	while ((event = model->next)) {
		model->next = trace_next(model->trace, event);
		if (is_failure_point(model, event))
			return stop_at(model, event);
		if (!apply_event(model, event)) {
			model->failed = true;
			return false;
		}
	}
	model->ended = true;
	return stop_at(model, NULL);
}

/* --- Beginning and end ---------------------------------------------------------------------- */

/* The largest that a pool ever is. */
static void measure_rooms(struct model *model)
{
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++)
		model->room[pool] = model->start->pools[pool].size;
	for (const struct trace_event *event = model->next; event; event = trace_next(model->trace, event)) {
		uint64_t end = 0;

		if (event->kind == TRACE_STORE)
			end = event->offset + event->length;
		else if (event->kind == TRACE_SIZE)
			end = event->offset;
		if (end > model->room[event->pool])
			model->room[event->pool] = end;
	}
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++)
		model->room[pool] = (model->room[pool] + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

static bool make_bases(struct model *model)
{
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++) {
		const uint64_t size = model->start->pools[pool].size;

		model->base[pool] = calloc(1, model->room[pool] ? model->room[pool] : PAGE);
		if (!model->base[pool])
			return false;
		memcpy(model->base[pool], model->start->pools[pool].bytes, size);
		model->sizes[pool] = model->newest_sizes[pool] = size;
	}
	return true;
}

struct model *model_new(const struct start *start, const struct trace *trace, enum model_kind kind)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->start = start;
	model->trace = trace;
	model->kind = kind;
	model->next = trace_next(trace, NULL);
	measure_rooms(model);
	if (make_bases(model) && units_grow(model))
		return model;
	model_free(model);
	return NULL;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	for (size_t i = 0; i < model->bucket_count; i++) {
		for (struct model_unit *unit = model->buckets[i], *next; unit; unit = next) {
			next = unit->next;
			free(unit->ops);
			free(unit);
		}
	}
	for (size_t i = 0; i < model->thread_count; i++)
		free(model->threads[i].pending);
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++)
		free(model->base[pool]);
	free(model->buckets);
	free(model->threads);
	free(model->dirty);
	free(model->changed);
	free(model->output);
	free(model);
}
