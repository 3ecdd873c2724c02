/* trial.c: one state of a model's failure point, and what the judge says of it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

#include "model_units.h"

#include <stdlib.h>
#include <string.h>

/* Beyond this a judge does better to take the whole base anew. */
enum { CHANGES_MAX = 4096 };

static uint64_t size_in(const struct model *model, const struct state *state, uint32_t pool)
{
	const bool newest = state->newest != (bool)(state->other_sizes >> pool & 1);

	return newest ? model->newest_sizes[pool] : model->sizes[pool];
}

static size_t promised_length(const struct model *model, const struct state *state)
{
	return model->output_length - state->unpromised;
}

uint64_t trial_hash(const struct model *model, const struct state *state)
{
	uint64_t hash = state->newest ? model->newest_hash : model->base_hash;
	unsigned char bytes[UNIT_MAX];

	for (size_t i = 0; i < state->count; i++) {
		const struct model_unit *unit = state->choices[i].unit;

		model_contents(model, &state->choices[i], bytes);
		hash += model_hash(model, unit, bytes) - (state->newest ? unit->newest_hash : unit->base_hash);
	}
	if (state->other_sizes) {
		for (uint32_t pool = 0; pool < model->start->pool_count; pool++)
			hash = units_mix(hash, size_in(model, state, pool));
	}
	return units_mix(hash, promised_length(model, state));
}

static bool make_room(struct trial *trial, size_t units, size_t bytes)
{
	if (units > trial->room) {
		struct image_unit *more = realloc(trial->units, units * 2 * sizeof(more[0]));

		if (!more)
			return false;
		trial->units = more;
		trial->room = units * 2;
	}
	if (bytes > trial->bytes_room) {
		unsigned char *more = realloc(trial->bytes, bytes * 2);

		if (!more)
			return false;
		trial->bytes = more;
		trial->bytes_room = bytes * 2;
	}
	return true;
}

static size_t add_unit(struct trial *trial, size_t at, const struct model_unit *unit, const unsigned char *bytes)
{
	trial->units[at] = (struct image_unit){.pool = unit->pool, .offset = unit->offset, .bytes = bytes};
	return at + 1;
}

/* The open units as the program sees them, but for those that were chosen otherwise. */
static size_t add_newest(struct trial *trial, const struct state *state)
{
	const struct model *model = trial->model;
	size_t at = 0;

	for (size_t i = 0; i < model->dirty_count; i++) {
		bool chosen = false;

		for (size_t j = 0; j < state->count && !chosen; j++)
			chosen = state->choices[j].unit == model->dirty[i];
		if (!chosen)
			at = add_unit(trial, at, model->dirty[i], model->dirty[i]->newest);
	}
	return at;
}

/* Fills trial->units; SIZE_MAX without memory. */
static size_t collect_units(struct trial *trial, const struct state *state)
{
	const struct model *model = trial->model;
	const size_t unit = model->start->unit;
	size_t at;

	if (!make_room(trial, model->dirty_count + state->count + 1, (state->count + 1) * unit))
		return SIZE_MAX;
	at = state->newest ? add_newest(trial, state) : 0;
	for (size_t i = 0; i < state->count; i++) {
		model_contents(model, &state->choices[i], trial->bytes + i * unit);
		at = add_unit(trial, at, state->choices[i].unit, trial->bytes + i * unit);
	}
	return at;
}

static bool collect_changes(struct trial *trial, struct contents *contents)
{
	struct model *model = trial->model;

	contents->all_changed = trial->fresh || model->changed_count > CHANGES_MAX;
	trial->fresh = false;
	if (contents->all_changed) {
		model_forget_changes(model);
		return true;
	}
	if (model->changed_count > trial->changed_room) {
		struct image_unit *more = realloc(trial->changed, CHANGES_MAX * sizeof(more[0]));

		if (!more)
			return false;
		trial->changed = more;
		trial->changed_room = CHANGES_MAX;
	}
	for (size_t i = 0; i < model->changed_count; i++) {
		trial->changed[i] = (struct image_unit){
			.pool = model->changed[i]->pool,
			.offset = model->changed[i]->offset,
		};
	}
	contents->changed = trial->changed;
	contents->changed_count = model->changed_count;
	model_forget_changes(model);
	return true;
}

bool trial_run(struct trial *trial, const struct state *state, bool keep_output, struct verdict *verdict)
{
	const struct model *model = trial->model;
	const size_t units = collect_units(trial, state);
	struct contents contents = {
		.start = model->start,
		.units = trial->units,
		.unit_count = units,
		.output = model->output ? model->output : "",
		.output_length = promised_length(model, state),
	};

	*verdict = (struct verdict){0};
	if (units == SIZE_MAX || !collect_changes(trial, &contents))
		return false;
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++) {
		contents.base[pool] = model->base[pool];
		contents.room[pool] = model->room[pool];
		contents.sizes[pool] = size_in(model, state, pool);
	}
	trial->judge->try(trial->judge, &contents, keep_output, verdict);
	return !verdict->could_not_start;
}

/* --- Images --------------------------------------------------------------------------- */

static bool differs_from_start(const struct model *model, const struct model_unit *unit, const unsigned char *bytes)
{
	const uint64_t size = model->start->pools[unit->pool].size;
	const unsigned char *before = model->start->pools[unit->pool].bytes;

	for (uint32_t i = 0; i < model->start->unit; i++) {
		if (bytes[i] != (unit->offset + i < size ? before[unit->offset + i] : 0))
			return true;
	}
	return false;
}

static const struct choice *choice_of(const struct state *state, const struct model_unit *unit)
{
	for (size_t i = 0; i < state->count; i++) {
		if (state->choices[i].unit == unit)
			return &state->choices[i];
	}
	return NULL;
}

static void unit_in(const struct model *model, const struct state *state, struct model_unit *unit, unsigned char *bytes)
{
	const struct choice *chosen = choice_of(state, unit);
	const struct choice plain = {.unit = unit, .version = state->newest ? unit->count : 0};

	model_contents(model, chosen ? chosen : &plain, bytes);
}

static int by_place(const void *left, const void *right)
{
	const struct image_unit *a = left, *b = right;

	if (a->pool != b->pool)
		return a->pool < b->pool ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

struct image *trial_image(struct trial *trial, const struct state *state)
{
	const struct model *model = trial->model;
	const uint32_t size = model->start->unit;
	struct image image = {.start = model->start, .output_length = promised_length(model, state)};
	unsigned char *bytes = malloc((model->unit_count + 1) * size);
	struct image *copy = NULL;

	image.units = malloc((model->unit_count + 1) * sizeof(image.units[0]));
	if (!bytes || !image.units)
		goto out;
	for (uint32_t pool = 0; pool < model->start->pool_count; pool++)
		image.sizes[pool] = size_in(model, state, pool);
	for (size_t bucket = 0; bucket < model->bucket_count; bucket++) {
		for (struct model_unit *unit = model->buckets[bucket]; unit; unit = unit->next) {
			unsigned char *at = bytes + image.unit_count * size;

			unit_in(model, state, unit, at);
			if (differs_from_start(model, unit, at))
				image.units[image.unit_count++] =
					(struct image_unit){.pool = unit->pool, .offset = unit->offset, .bytes = at};
		}
	}
	qsort(image.units, image.unit_count, sizeof(image.units[0]), by_place);
	copy = image_copy(&image);
out:
	free(image.units);
	free(bytes);
	return copy;
}

void trial_free(struct trial *trial)
{
	free(trial->units);
	free(trial->bytes);
	free(trial->changed);
	*trial = (struct trial){0};
}
