/* plan.c: which states are tried, and in which order */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In trials every confirmed bug showed in a state in which zero or one line
 * deviates from "everything" or "nothing", and pairs found nearly all of the
 * rest (Vinter, Chipmunk). So the rounds go from few deviations to many, and
 * from the first visits of each place in the program to all.
 */
#include "plan.h"

#include "model_units.h"

#include <stdlib.h>

enum {
	VERSIONS_AT_ENDS = 8, /* of a unit with many open stores: the first and the last prefixes */
	PAIRS_UNITS = 64,     /* open units of which all pairs are tried: those stored to last */
	PRODUCT_MAX = 256,    /* states of a failure point that are tried one and all */
	RANDOM_MIXES = 8,     /* of a failure point */
	MIX_UNITS = 64,       /* open units in a mix */
};

static struct choice all_lost(struct model_unit *unit)
{
	return (struct choice){.unit = unit, .version = 0};
}

static struct choice all_durable(struct model_unit *unit)
{
	return (struct choice){.unit = unit, .version = unit->count};
}

/* Pools whose size is not sure. */
static uint32_t open_sizes(const struct model *model)
{
	uint32_t pools = 0;

	for (uint32_t pool = 0; pool < model->start->pool_count; pool++) {
		if (model->sizes[pool] != model->newest_sizes[pool])
			pools |= 1u << pool;
	}
	return pools;
}

static bool plan_extremes(struct worker *worker)
{
	return worker_propose(worker, &(struct state){.newest = true}) &&
	       worker_propose(worker, &(struct state){.newest = false});
}

/* One open unit deviates. What recovery did not read makes no difference, as far as it is known. */
static bool plan_unit(struct worker *worker, size_t at, const struct choice *choice, bool newest)
{
	const struct state state = {.newest = newest, .choices = choice, .count = 1};

	if (worker->put_off_unread && !worker_was_read(worker, at, newest)) {
		worker->slot->unread++;
		return true;
	}
	return worker_propose(worker, &state);
}

static bool plan_sizes(struct worker *worker)
{
	const uint32_t pools = open_sizes(worker->model);

	if (pools == 0)
		return true;
	for (uint32_t pool = 0; pool < worker->model->start->pool_count; pool++) {
		const uint32_t bit = 1u << pool;

		if ((pools & bit) && (!worker_propose(worker, &(struct state){.newest = true, .other_sizes = bit}) ||
				      !worker_propose(worker, &(struct state){.newest = false, .other_sizes = bit})))
			return false;
	}
	return true;
}

static bool plan_singles(struct worker *worker)
{
	const struct model *model = worker->model;

	for (size_t i = model->dirty_count; i-- > 0;) {
		const struct choice lost = all_lost(model->dirty[i]);
		const struct choice early = all_durable(model->dirty[i]);

		if (!plan_unit(worker, i, &lost, true) || !plan_unit(worker, i, &early, false))
			return false;
	}
	return plan_sizes(worker);
}

static bool plan_version(struct worker *worker, size_t at, uint32_t version, uint64_t mask)
{
	const struct choice choice = {.unit = worker->model->dirty[at], .version = version, .mask = mask};

	return plan_unit(worker, at, &choice, true) && plan_unit(worker, at, &choice, false);
}

/* A store of several parts, of which one is missing, or there alone. */
static bool plan_parts(struct worker *worker, size_t at, uint32_t version)
{
	const unsigned parts = worker->model->dirty[at]->ops[version].parts;
	const uint64_t all = parts >= 64 ? UINT64_MAX : (UINT64_C(1) << parts) - 1;

	for (unsigned part = 0; parts > 1 && part < parts && part < 64; part++) {
		const uint64_t one = UINT64_C(1) << part;

		if (!plan_version(worker, at, version, one) || !plan_version(worker, at, version, all & ~one))
			return false;
	}
	return true;
}

/* Prefixes of one unit's stores, and torn stores. */
static bool plan_versions(struct worker *worker)
{
	for (size_t i = worker->model->dirty_count; i-- > 0;) {
		const uint32_t count = worker->model->dirty[i]->count;

		for (uint32_t version = 0; version < count; version++) {
			if (version == VERSIONS_AT_ENDS && count > 2 * VERSIONS_AT_ENDS)
				version = count - VERSIONS_AT_ENDS;
			if ((version > 0 && !plan_version(worker, i, version, 0)) || !plan_parts(worker, i, version))
				return false;
		}
	}
	return true;
}

static bool plan_pair(struct worker *worker, struct model_unit *one, struct model_unit *other)
{
	const struct choice lost[] = {all_lost(one), all_lost(other)};
	const struct choice early[] = {all_durable(one), all_durable(other)};

	return worker_propose(worker, &(struct state){.newest = true, .choices = lost, .count = 2}) &&
	       worker_propose(worker, &(struct state){.newest = false, .choices = early, .count = 2});
}

static bool plan_pairs(struct worker *worker)
{
	const struct model *model = worker->model;
	const size_t first = model->dirty_count > PAIRS_UNITS ? model->dirty_count - PAIRS_UNITS : 0;

	for (size_t i = first; i < model->dirty_count; i++) {
		for (size_t j = i + 1; j < model->dirty_count; j++) {
			if (!plan_pair(worker, model->dirty[i], model->dirty[j]))
				return false;
		}
	}
	return true;
}

/* The open units that recovery reads, as far as that is known; SIZE_MAX: more than a mix can have. */
static size_t list_read(struct worker *worker, struct choice *mix)
{
	const struct model *model = worker->model;
	size_t count = 0;

	for (size_t i = 0; i < model->dirty_count; i++) {
		if (!worker_was_read(worker, i, true) && !worker_was_read(worker, i, false))
			continue;
		if (count == MIX_UNITS)
			return SIZE_MAX;
		mix[count++] = all_lost(model->dirty[i]);
	}
	return count;
}

static bool is_small_product(const struct choice *mix, size_t count)
{
	uint64_t states = 1;

	for (size_t i = 0; i < count && states <= PRODUCT_MAX; i++)
		states *= mix[i].unit->count + 1u;
	return states <= PRODUCT_MAX;
}

/* Every mix of what recovery reads, counted up like a number whose digits are the units' versions. */
static bool plan_product(struct worker *worker)
{
	struct choice mix[MIX_UNITS];
	const size_t count = list_read(worker, mix);
	size_t digit;

	if (count == SIZE_MAX || !is_small_product(mix, count))
		return true;
	do {
		if (!worker_propose(worker, &(struct state){.newest = true, .choices = mix, .count = count}))
			return false;
		for (digit = 0; digit < count && mix[digit].version == mix[digit].unit->count; digit++)
			mix[digit].version = 0;
		if (digit < count)
			mix[digit].version++;
	} while (digit < count);
	return true;
}

static uint64_t next_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return units_mix(UINT64_C(0xa4093822299f31d0), *state);
}

static bool plan_random(struct worker *worker)
{
	const struct model *model = worker->model;
	const size_t count = model->dirty_count < MIX_UNITS ? model->dirty_count : MIX_UNITS;
	uint64_t random = units_mix(worker->options->seed, model->point);
	struct choice mix[MIX_UNITS];

	if (count < 3)
		return true;
	for (unsigned i = 0; i < RANDOM_MIXES; i++) {
		const uint64_t first = next_random(&random);

		for (size_t j = 0; j < count; j++) {
			struct model_unit *unit = model->dirty[(first + j) % model->dirty_count];

			mix[j] = (struct choice){
				.unit = unit,
				.version = (uint32_t)(next_random(&random) >> 8) % (unit->count + 1),
			};
		}
		if (!worker_propose(worker, &(struct state){.newest = i & 1, .choices = mix, .count = count}))
			return false;
	}
	return true;
}

static bool plan_unread(struct worker *worker)
{
	return plan_singles(worker) && plan_versions(worker);
}

const struct round plan_rounds[] = {
	{.name = "everything or nothing", .chosen = true, .plan = plan_extremes},
	{.name = "one line", .chosen = true, .plan = plan_singles},
	{.name = "within a line", .chosen = true, .plan = plan_versions},
	{.name = "everything or nothing, every time", .plan = plan_extremes},
	{.name = "one line, every time", .plan = plan_singles},
	{.name = "two lines", .chosen = true, .plan = plan_pairs},
	{.name = "within a line, every time", .plan = plan_versions},
	{.name = "two lines, every time", .plan = plan_pairs},
	{.name = "every mix of what recovery reads", .plan = plan_product},
	{.name = "mixes by chance", .plan = plan_random},
	{.name = "lines that recovery did not read", .unread = true, .plan = plan_unread},
};

const unsigned plan_round_count = sizeof(plan_rounds) / sizeof(plan_rounds[0]);
