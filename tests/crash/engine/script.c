/* script.c: traces written by hand, and a judge that is a function */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void add(struct script *script, struct trace_event event, const void *payload)
{
	const size_t length = payload ? event.length : 0;
	struct trace_event *whole = calloc(1, trace_event_size(length));

	event.size = trace_event_size(length);
	event.thread = script->thread;
	memcpy(whole, &event, sizeof(event));
	if (length > 0)
		memcpy(whole->payload, payload, length);
	if (!trace_append(&script->trace, whole, event.size, 1))
		abort();
	free(whole);
}

void script_store_bytes(struct script *script, uint64_t site, uint64_t offset, const void *bytes, size_t length,
			unsigned flags)
{
	add(script,
	    (struct trace_event){
		    .kind = TRACE_STORE, .flags = (uint8_t)flags, .site = site, .offset = offset, .length = length},
	    bytes);
}

void script_store(struct script *script, uint64_t site, uint64_t offset, uint64_t value)
{
	script_store_bytes(script, site, offset, &value, sizeof(value), 0);
}

static void add_range(struct script *script, enum trace_kind kind, uint64_t site, uint64_t offset, uint64_t length)
{
	add(script, (struct trace_event){.kind = (uint8_t)kind, .site = site, .offset = offset, .length = length},
	    NULL);
}

void script_flush(struct script *script, uint64_t site, uint64_t offset, size_t length)
{
	add_range(script, TRACE_FLUSH, site, offset, length);
}

void script_flush_ordered(struct script *script, uint64_t site, uint64_t offset, size_t length)
{
	add_range(script, TRACE_FLUSH_ORDERED, site, offset, length);
}

void script_fence(struct script *script, uint64_t site)
{
	add_range(script, TRACE_FENCE, site, 0, 0);
}

void script_persist(struct script *script, uint64_t site, uint64_t offset, size_t length)
{
	script_flush(script, site, offset, length);
	script_fence(script, site);
}

void script_sync(struct script *script, uint64_t site, uint64_t offset, size_t length)
{
	add_range(script, TRACE_SYNC, site, offset, length);
}

void script_size(struct script *script, uint64_t site, uint64_t size)
{
	add_range(script, TRACE_SIZE, site, size, 0);
}

void script_output(struct script *script, uint64_t site, const char *text)
{
	add(script, (struct trace_event){.kind = TRACE_OUTPUT, .site = site, .length = strlen(text)}, text);
}

uint64_t left_word(const struct left *left, uint64_t offset)
{
	uint64_t word;

	memcpy(&word, left->bytes + offset, sizeof(word));
	return word;
}

/* --- The judge ------------------------------------------------------------------------ */

struct function_judge {
	struct judge judge;
	script_check *check;
	size_t *seen; /* shared with the workers */
};

static size_t *states_seen;

static bool begin(struct judge *judge, unsigned worker)
{
	(void)judge;
	(void)worker;
	return true;
}

static void end(struct judge *judge)
{
	(void)judge;
}

static void try_state(struct judge *judge, const struct contents *contents, bool keep_output, struct verdict *verdict)
{
	const struct function_judge *self = (const struct function_judge *)judge;
	unsigned char bytes[2 * SCRIPT_POOL] = {0};
	struct left left = {
		.bytes = bytes,
		.size = contents->sizes[0],
		.output = contents->output,
		.output_length = contents->output_length,
	};

	(void)keep_output;
	memcpy(bytes, contents->base[0], contents->room[0]);
	for (size_t i = 0; i < contents->unit_count; i++)
		memcpy(bytes + contents->units[i].offset, contents->units[i].bytes, contents->start->unit);
	memset(bytes + left.size, 0, sizeof(bytes) - left.size);
	++*self->seen;
	verdict->failure = FAILURE_EXIT;
	verdict->status = self->check(&left);
	verdict->passed = verdict->status == 0;
}

enum explore_status script_explore(const struct script *script, enum model_kind model, script_check *check,
				   struct result *result)
{
	static const unsigned char zeros[SCRIPT_POOL];
	static struct start start;
	const struct explore_options options = {
		.model = model,
		.budget = 60,
		.workers = 2,
		.instrumented = true,
	};
	struct function_judge judge = {
		.judge = {.begin = begin, .try = try_state, .end = end},
		.check = check,
	};
	struct verdict control;

	if (!states_seen)
		states_seen =
			mmap(NULL, sizeof(*states_seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*states_seen = 0;
	judge.seen = states_seen;
	start = (struct start){
		.pool_count = 1,
		.unit = model == MODEL_PAGE ? 512 : 64,
		.pools = {{.name = "pool", .bytes = zeros, .size = SCRIPT_POOL}},
	};
	return explore(&start, &script->trace, &options, &judge.judge, result, &control);
}

size_t script_states_seen(void)
{
	return *states_seen;
}
