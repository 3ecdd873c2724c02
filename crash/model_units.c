/* model_units.c: the units of a model: finding them, their contents, their hashes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "model_units.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS_FIRST = 1024 };

/* --- Hashes ----------------------------------------------------------------------- */

uint64_t units_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
	return hash ^ hash >> 35;
}

uint64_t model_hash(const struct model *model, const struct model_unit *unit, const unsigned char *bytes)
{
	uint64_t hash = units_mix(units_mix(UINT64_C(0x243f6a8885a308d3), unit->offset), unit->pool);
	uint64_t word;

	for (uint32_t at = 0; at < model->start->unit; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		hash = units_mix(hash, word);
	}
	return hash;
}

/* --- Units -------------------------------------------------------------------------- */

static size_t bucket_of(const struct model *model, uint32_t pool, uint64_t offset)
{
	return units_mix(offset, pool) & (model->bucket_count - 1);
}

bool units_grow(struct model *model)
{
	const size_t count = model->bucket_count ? model->bucket_count * 4 : BUCKETS_FIRST;
	struct model_unit **old = model->buckets, **buckets = calloc(count, sizeof(struct model_unit *));
	const size_t old_count = model->bucket_count;

	if (!buckets)
		return false;
	model->buckets = buckets;
	model->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		for (struct model_unit *unit = old[i], *next; unit; unit = next) {
			struct model_unit **bucket = &buckets[bucket_of(model, unit->pool, unit->offset)];

			next = unit->next;
			unit->next = *bucket;
			*bucket = unit;
		}
	}
	free(old);
	return true;
}

struct model_unit *units_find(const struct model *model, uint32_t pool, uint64_t offset)
{
	struct model_unit *unit = model->buckets[bucket_of(model, pool, offset)];

	while (unit && (unit->pool != pool || unit->offset != offset))
		unit = unit->next;
	return unit;
}

struct model_unit *units_add(struct model *model, uint32_t pool, uint64_t offset)
{
	struct model_unit *unit = calloc(1, sizeof(*unit) + model->start->unit);
	struct model_unit **bucket;

	if (!unit || (model->unit_count >= model->bucket_count && !units_grow(model))) {
		free(unit);
		return NULL;
	}
	unit->pool = pool;
	unit->offset = offset;
	unit->dirty = SIZE_MAX;
	memcpy(unit->newest, model->base[pool] + offset, model->start->unit);
	unit->base_hash = unit->newest_hash = model_hash(model, unit, unit->newest);
	bucket = &model->buckets[bucket_of(model, pool, offset)];
	unit->next = *bucket;
	*bucket = unit;
	model->unit_count++;
	return unit;
}

/* Room for one more pointer in a list that doubles. */
static bool make_room(struct model_unit ***list, size_t count, size_t *room)
{
	const size_t more = *room ? *room * 2 : 64;
	struct model_unit **grown;

	if (count < *room)
		return true;
	grown = realloc(*list, more * sizeof(*grown));
	if (!grown)
		return false;
	*list = grown;
	*room = more;
	return true;
}

bool units_open(struct model *model, struct model_unit *unit)
{
	if (unit->dirty != SIZE_MAX)
		return true;
	if (!make_room(&model->dirty, model->dirty_count, &model->dirty_room))
		return false;
	unit->dirty = model->dirty_count;
	model->dirty[model->dirty_count++] = unit;
	return true;
}

void units_close(struct model *model, struct model_unit *unit)
{
	struct model_unit *last = model->dirty[--model->dirty_count];

	model->dirty[unit->dirty] = last;
	last->dirty = unit->dirty;
	unit->dirty = SIZE_MAX;
}

bool units_note_change(struct model *model, struct model_unit *unit)
{
	if (unit->changed)
		return true;
	if (!make_room(&model->changed, model->changed_count, &model->changed_room))
		return false;
	unit->changed = true;
	model->changed[model->changed_count++] = unit;
	return true;
}

void model_forget_changes(struct model *model)
{
	for (size_t i = 0; i < model->changed_count; i++)
		model->changed[i]->changed = false;
	model->changed_count = 0;
}

/* --- What a choice makes of a unit ------------------------------------------------ */

static void apply_part(const struct model_op *op, unsigned part, unsigned char *bytes)
{
	const unsigned first = op->at / UNIT_PART * UNIT_PART + part * UNIT_PART;
	const unsigned from = first > op->at ? first : op->at;
	const unsigned end = op->at + op->length;
	const unsigned to = first + UNIT_PART < end ? first + UNIT_PART : end;

	memcpy(bytes + from, op->bytes + (from - op->at), to - from);
}

void units_apply(const struct model_op *op, unsigned char *bytes)
{
	memcpy(bytes + op->at, op->bytes, op->length);
}

void model_contents(const struct model *model, const struct choice *choice, unsigned char *bytes)
{
	const struct model_unit *unit = choice->unit;

	if (choice->version == unit->count) {
		memcpy(bytes, unit->newest, model->start->unit);
		return;
	}
	memcpy(bytes, model->base[unit->pool] + unit->offset, model->start->unit);
	for (uint32_t i = 0; i < choice->version; i++)
		units_apply(&unit->ops[i], bytes);
	for (unsigned part = 0; part < unit->ops[choice->version].parts; part++) {
		if (choice->mask >> part & 1)
			apply_part(&unit->ops[choice->version], part, bytes);
	}
}
