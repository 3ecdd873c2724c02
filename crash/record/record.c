/* record.c: what interposers and hooks report, made into events */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"
#include "schedule.h"
#include "visit.h"

#include <string.h>

enum { LINE = 64 };

struct recording recording;
_Thread_local struct record_thread record_self;

/* Calls of a signal handler that came while its thread was in the recorder; told when the thread leaves it. */
static void defer(const void *address, size_t size, bool ordered, const void *site)
{
	if (!recording.on)
		return;
	if (record_self.deferred_count == DEFERRED_FLUSHES) {
		if (recording.session)
			atomic_store(&recording.session->overrun, 1);
		return;
	}
	record_self.deferred[record_self.deferred_count] = (struct deferred_flush){
		.address = address,
		.size = size,
		.site = site,
		.ordered = ordered,
	};
	record_self.deferred_count++;
}

bool record_enter(void)
{
	if (!recording.on || record_self.inside)
		return false;
	record_self.inside = true;
	return true;
}

void record_leave(void)
{
	record_self.inside = false;
	while (record_self.deferred_count > 0) {
		struct deferred_flush deferred[DEFERRED_FLUSHES];
		const unsigned count = record_self.deferred_count;

		memcpy(deferred, record_self.deferred, count * sizeof(deferred[0]));
		record_self.deferred_count = 0;
		for (unsigned i = 0; i < count; i++) {
			if (deferred[i].size)
				record_flush(deferred[i].address, deferred[i].size, deferred[i].ordered,
					     deferred[i].site);
			else
				record_fence(deferred[i].site);
		}
	}
}

void record_instrumented(void)
{
	recording.instrumented = true;
}

bool record_is_session(void)
{
	return recording.session != NULL;
}

enum { REMARKS = 16 };

/* Literals, by their addresses. True the first time. */
static bool is_new_remark(const char *text)
{
	static const char *told[REMARKS];

	for (int i = 0; i < REMARKS; i++) {
		if (told[i] == text)
			return false;
		if (!told[i]) {
			told[i] = text;
			return true;
		}
	}
	return false;
}

void record_remark(const char *text)
{
	if (!record_enter())
		return;
	record_lock();
	if (is_new_remark(text))
		tell_payload(TRACE_REMARK, 0, NULL, 0, 0, text, strlen(text));
	record_unlock();
	record_leave();
}

/* The lock is held. */
static bool flush(const void *address, size_t size, bool ordered, const struct origin *origin)
{
	const enum trace_kind kind = ordered ? TRACE_FLUSH_ORDERED : TRACE_FLUSH;
	const unsigned char *at = address, *end = at + size;
	struct mapped_part part;
	bool found = false;

	while (at < end && mapping_find(at, (size_t)(end - at), &part)) {
		contents_tell(part.pool, part.offset, part.length, part.address, contents_flags(), origin);
		tell(kind, origin, part.pool, part.offset, part.length);
		record_self.unfenced = true;
		at = part.address + part.length;
		found = true;
	}
	return found;
}

static void fence(const struct origin *origin)
{
	tell(TRACE_FENCE, origin, 0, 0, 0);
	record_self.unfenced = false;
}

/* The lock is held. The shadow's line is far away in a large pool: it comes while the place is looked up. */
static void fetch_shadow(const void *address)
{
	struct mapped_part part;

	if (mapping_find(address, 1, &part) && part.offset < recording.pools[part.pool].viewed)
		__builtin_prefetch(recording.pools[part.pool].shadow + part.offset);
}

bool record_flush(const void *address, size_t size, bool ordered, const void *site)
{
	struct origin origin;
	bool found;

	if (size == 0 || !record_may_touch(address, size))
		return false;
	if (visit_covers(address, size))
		return true;
	schedule_point();
	if (!record_enter()) {
		defer(address, size, ordered, site);
		return recording.on;
	}
	record_lock();
	fetch_shadow(address);
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	contents_tell_all_sometimes(&origin);
	found = flush(address, size, ordered, &origin);
	record_unlock();
	record_leave();
	return found;
}

void record_fence(const void *site)
{
	struct origin origin;

	schedule_point();
	if (!record_enter()) {
		defer(NULL, 0, false, site);
		return;
	}
	record_lock();
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	contents_tell_all_sometimes(&origin);
	fence(&origin);
	record_unlock();
	record_leave();
}

bool record_persist(const void *address, size_t size, const void *site)
{
	struct origin origin;
	bool found;

	if (visit_covers(address, size))
		return true;
	schedule_point();
	if (!record_enter()) {
		if (size)
			defer(address, size, false, site);
		defer(NULL, 0, false, site);
		return recording.on;
	}
	record_lock();
	fetch_shadow(address);
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	contents_tell_all_sometimes(&origin);
	found = flush(address, size, false, &origin);
	fence(&origin);
	record_unlock();
	record_leave();
	return found;
}

void record_settle(void)
{
	if (!record_self.pending.size || !record_enter())
		return;
	record_lock();
	pending_tell(&record_self);
	record_unlock();
	record_leave();
}

void record_locked_instruction(const void *site)
{
	if (record_self.inside) /* what unwinds the stack has locks too */
		return;
	if (record_self.unfenced)
		record_fence(site);
	else
		record_settle();
}

bool record_covers(const void *address, size_t size)
{
	struct mapped_part part;
	bool found;

	if (visit_covers(address, size))
		return true;
	if (!record_may_touch(address, size) || !record_enter())
		return false;
	record_lock();
	found = mapping_find(address, size, &part);
	record_unlock();
	record_leave();
	return found;
}

void record_observe(const void *address, size_t size, const void *site)
{
	const unsigned char *at = address, *end = at + size;
	struct mapped_part part;
	struct origin origin;

	if (!record_may_touch(address, size) || !record_enter())
		return;
	record_lock();
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	while (at < end && mapping_find(at, (size_t)(end - at), &part)) {
		contents_tell(part.pool, part.offset, part.length, part.address, contents_flags(), &origin);
		at = part.address + part.length;
	}
	record_unlock();
	record_leave();
}

/* Recovery inside a unit test: nothing is recorded, and what it touches is marked. */
static bool is_visit(const void *address, size_t size, bool stores)
{
	uint64_t *marks = stores ? visit.written : visit.read;

	if (!visit_covers(address, size))
		return false;
	if (marks)
		visit_mark(marks, address, size);
	return true;
}

void record_before_store(const void *address, size_t size, unsigned flags, const void *site)
{
	if (!record_may_touch(address, size) || is_visit(address, size, true) || !record_enter())
		return;
	record_lock();
	/* Of a line that was not stored to just now, the shadow comes while the store is made. */
	if (((uintptr_t)address ^ (uintptr_t)record_self.pending.address) / LINE)
		fetch_shadow(address);
	pending_tell(&record_self);
	record_self.pending = (struct pending_store){
		.address = address,
		.size = size,
		.flags = flags,
		.origin = {.site = site}, /* where it is made is enough: no cut comes before a store alone */
	};
	record_unlock();
	record_leave();
}

/* The lock is held. */
static void stored(const void *address, size_t size, unsigned flags, const struct origin *origin)
{
	const unsigned char *at = address, *end = at + size;
	struct mapped_part part;

	while (at < end && mapping_find(at, (size_t)(end - at), &part)) {
		contents_tell_store(part.pool, part.offset, part.length, part.address, flags, origin);
		at = part.address + part.length;
	}
	if (flags & STORE_UNORDERED)
		record_self.unfenced = true;
}

void record_stored(const void *address, size_t size, unsigned flags, const void *site)
{
	struct origin origin;

	if (!record_may_touch(address, size) || is_visit(address, size, true) || !record_enter())
		return;
	record_lock();
	pending_tell(&record_self);
	origin = stack_origin(site, __builtin_frame_address(0));
	stored(address, size, flags, &origin);
	record_unlock();
	record_leave();
}

void record_load(const void *address, size_t size, const void *site)
{
	struct mapped_part part;

	(void)site;
	if (!record_may_touch(address, size) || is_visit(address, size, false))
		return;
	if (!mapping_find(address, size, &part) || !recording.loads[part.pool])
		return;
	for (uint64_t unit = part.offset / SESSION_LOADS_UNIT;
	     unit <= (part.offset + part.length - 1) / SESSION_LOADS_UNIT; unit++) {
		_Atomic unsigned char *byte = &recording.loads[part.pool][unit / 8];
		const unsigned char bit = (unsigned char)(1u << unit % 8);

		if (!(atomic_load_explicit(byte, memory_order_relaxed) & bit))
			atomic_fetch_or_explicit(byte, bit, memory_order_relaxed);
	}
}

void record_atomic_begin(const void *address, size_t size, const void *site)
{
	struct origin origin;

	if (is_visit(address, size, false))
		return;
	schedule_point();
	if (!record_enter())
		return;
	record_lock();
	pending_tell(&record_self);
	if (record_self.unfenced) {
		origin = stack_origin(site, __builtin_frame_address(0));
		fence(&origin);
	}
	record_self.in_atomic = true;
}

void record_atomic_end(const void *address, size_t size, bool did_store, const void *site)
{
	struct origin origin;

	if (!record_self.in_atomic) {
		if (did_store)
			is_visit(address, size, true);
		return;
	}
	record_self.in_atomic = false;
	if (did_store && record_may_touch(address, size)) {
		origin = stack_origin(site, __builtin_frame_address(0));
		stored(address, size, 0, &origin);
	}
	record_unlock();
	record_leave();
}
