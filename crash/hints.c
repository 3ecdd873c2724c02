/* hints.c: what is worth a look and breaks nothing */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "hints.h"

#include <stdlib.h>
#include <string.h>

/* NULL without memory: a hint is not worth more. */
static struct hint *hint_at(struct result *result, enum hint_kind kind, const struct trace_event *event)
{
	const uint64_t site = event ? event->site : 0;
	struct hint *hints;

	for (size_t i = 0; i < result->hint_count; i++) {
		struct hint *hint = &result->hints[i];

		if (hint->kind == kind && (hint->place.event ? hint->place.event->site : 0) == site &&
		    kind != HINT_REMARK)
			return hint;
	}
	hints = realloc(result->hints, (result->hint_count + 1) * sizeof(hints[0]));
	if (!hints)
		return NULL;
	result->hints = hints;
	hints[result->hint_count] = (struct hint){.kind = kind, .place = {.event = event}};
	return &hints[result->hint_count++];
}

static void count(struct result *result, enum hint_kind kind, const struct trace_event *event, uint64_t bytes)
{
	struct hint *hint = hint_at(result, kind, event);

	if (!hint)
		return;
	hint->count++;
	hint->bytes += bytes;
}

void hints_add_flaky(struct result *result, const struct trace_event *at)
{
	count(result, HINT_FLAKY, at, 0);
}

static void note_redundant(void *result, const struct trace_event *flush)
{
	if (flush->length > 0)
		count(result, HINT_REDUNDANT_FLUSH, flush, flush->length);
}

static void note_never_flushed(struct result *result, const struct model *model)
{
	for (size_t i = 0; i < model->dirty_count; i++) {
		const struct model_unit *unit = model->dirty[i];

		for (uint32_t op = 0; op < unit->count; op++) {
			if (!unit->ops[op].flush)
				count(result, HINT_NEVER_FLUSHED, unit->ops[op].event, unit->ops[op].length);
		}
	}
}

static void note_event(struct result *result, const struct trace_event *event)
{
	struct hint *hint;

	if (event->kind == TRACE_STORE && (event->flags & STORE_UNSEEN))
		count(result, HINT_UNSEEN_STORES, event, event->length);
	if (event->kind != TRACE_REMARK)
		return;
	hint = hint_at(result, HINT_REMARK, event);
	if (!hint)
		return;
	hint->count = 1;
	hint->text = strndup((const char *)event->payload, event->length);
}

static void note_skipped(struct result *result, const struct shared *shared, unsigned workers)
{
	size_t skipped = 0;
	struct hint *hint;

	for (unsigned i = 0; i < workers; i++)
		skipped += shared->slots[i].skipped;
	if (skipped == 0)
		return;
	hint = hint_at(result, HINT_SKIPPED, NULL);
	if (hint)
		hint->count = skipped;
	result->complete = false;
}

bool hints_collect(struct result *result, const struct start *start, const struct shared *shared,
		   const struct explore_options *options)
{
	struct model *model = model_new(start, result->trace, options->model);
	bool done = false;

	if (!model)
		return false;
	model->redundant = note_redundant;
	model->arg = result;
	while (model_next(model))
		;
	if (!model->failed) {
		note_never_flushed(result, model);
		done = true;
	}
	model_free(model);
	for (const struct trace_event *event = trace_next(result->trace, NULL); event;
	     event = trace_next(result->trace, event))
		note_event(result, event);
	note_skipped(result, shared, options->workers);
	return done;
}
