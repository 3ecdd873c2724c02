/* memory.c: records what a unit test does to memory of its own, in its own process */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "memory.h"

#include "recording.h"

#include <string.h>
#include <sys/mman.h>

static struct trace *trace;
static struct writers_lock lock;
static void *recorded;
static size_t recorded_size;
static bool failed;

static void *reserve(size_t size)
{
	void *room = trace_reserve(trace, size);

	if (!room) {
		failed = true;
		recording.on = false;
	}
	return room;
}

static void commit(size_t size)
{
	trace_commit(trace, size);
}

static const struct record_sink memory_sink = {.reserve = reserve, .commit = commit};

bool memory_start(void *pool, size_t size, uint32_t unit, struct trace *into)
{
	unsigned char *shadow;

	if (recording.on)
		return false;
	shadow = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (shadow == MAP_FAILED)
		return false;
	memcpy(shadow, pool, size);
	trace = into;
	failed = false;
	recorded = pool;
	recorded_size = size;
	recording.unit = unit;
	recording.pool_count = 1;
	recording.pools[0] = (struct recorded_pool){.contents = pool, .shadow = shadow, .size = size, .viewed = size};
	recording.sink = &memory_sink;
	recording.lock = &lock;
	lock = (struct writers_lock){0};
	recording.epoch++;
	recording.threads = 0;
	if (!mapping_add(pool, size, 0, 0)) {
		munmap(shadow, size);
		return false;
	}
	recording.on = true;
	return true;
}

void memory_promise(const void *bytes, size_t length, const void *site)
{
	struct origin origin;

	if (!record_enter())
		return;
	record_lock();
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	contents_tell_all(&origin);
	tell_payload(TRACE_OUTPUT, 0, &origin, 0, 0, bytes, length);
	record_unlock();
	record_leave();
}

bool memory_stop(void)
{
	if (record_enter()) {
		record_lock();
		pending_tell(&record_self);
		contents_tell_all(NULL);
		recording.on = false;
		record_unlock();
		record_leave();
	}
	munmap(recording.pools[0].shadow, recorded_size);
	recording.pool_count = 0;
	stack_forget();
	return !failed;
}

void memory_forget(void)
{
	mapping_remove(recorded, recorded_size);
}

bool memory_has_hooks(void)
{
	return recording.instrumented;
}
