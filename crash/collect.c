/* collect.c: brings what recorders have written into a trace */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "collect.h"

#include "difference.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t trace_limit = (uint64_t)4 << 30; /* bytes */

static bool append_store(struct trace *trace, const struct ring_store *store)
{
	const uint32_t size = trace_event_size(sizeof(store->word));
	struct trace_event *event = trace_reserve(trace, size);

	if (!event)
		return false;
	*event = (struct trace_event){
		.size = size,
		.kind = TRACE_STORE,
		.flags = (uint8_t)(store->head >> 8),
		.thread = (uint16_t)(store->head >> 16),
		.pool = (uint32_t)(store->place >> RING_STORE_POOL),
		.stack = STACK_NONE,
		.site = store->place & (((uint64_t)1 << RING_STORE_POOL) - 1),
		.offset = store->offset,
		.length = sizeof(store->word),
	};
	memcpy(event->payload, &store->word, sizeof(store->word));
	trace_commit(trace, size);
	return true;
}

/* Appends what is at this place of the ring; returns its size there, 0 without memory. */
static size_t take(struct trace *trace, const unsigned char *at)
{
	uint32_t head;

	memcpy(&head, at, sizeof(head));
	if ((head & 0xff) == RING_STORE)
		return append_store(trace, (const struct ring_store *)at) ? sizeof(struct ring_store) : 0;
	return trace_append(trace, at, head, 1) ? head : 0;
}

bool collect_ring(struct session *session, struct trace *trace)
{
	const uint64_t written = atomic_load_explicit(&session->written, memory_order_acquire);
	uint64_t read = atomic_load_explicit(&session->read, memory_order_relaxed);

	while (read < written) {
		const size_t size = trace->used < trace_limit ? take(trace, session->ring + read % SESSION_RING) : 0;

		if (size == 0)
			return false;
		read += size;
		atomic_store_explicit(&session->read, read, memory_order_release);
	}
	return true;
}

/* One event with a payload. */
static bool append(struct trace *trace, struct trace_event event, const void *payload)
{
	static const char zeros[8];
	const uint32_t size = trace_event_size(event.length), padding = size - sizeof(event) - (uint32_t)event.length;
	const size_t before = trace->used;

	event.size = size;
	if (trace_append(trace, &event, sizeof(event), 0) && trace_append(trace, payload, event.length, 0) &&
	    trace_append(trace, zeros, padding, 1))
		return true;
	trace->used = before;
	return false;
}

/* As the recorder tells what it finds by comparing. */
static bool append_unit(struct session *session, struct trace *trace, uint32_t pool, uint64_t offset,
			const unsigned char *now, const unsigned char *before, size_t length)
{
	const bool seen = session->instrumented && session->instrumented == session->processes;
	size_t from;
	const size_t end = difference(now, before, length, &from);
	const struct trace_event event = {
		.kind = TRACE_STORE,
		.flags = STORE_OBSERVED | (seen ? STORE_UNSEEN : 0),
		.pool = pool,
		.offset = offset + from,
		.length = end - from,
	};

	return append(trace, event, now + from);
}

static bool append_differences(struct session *session, struct trace *trace, uint32_t pool, const unsigned char *work,
			       const unsigned char *shadow, uint64_t from, uint64_t end)
{
	const uint64_t step = session->unit;

	for (uint64_t at = from / step * step; at < end; at += step) {
		const size_t length = end - at < step ? end - at : step;

		if (memcmp(work + at, shadow + at, length) != 0 &&
		    !append_unit(session, trace, pool, at, work + at, shadow + at, length))
			return false;
	}
	return true;
}

/* A file mapped for reading; bytes is NULL where that cannot be, or the file is empty. */
struct view {
	int fd;
	const unsigned char *bytes;
	uint64_t size;
};

static struct view view_open(const char *path)
{
	struct view view = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	struct stat status;
	void *bytes;

	if (view.fd < 0 || fstat(view.fd, &status) < 0 || status.st_size == 0)
		return view;
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, view.fd, 0);
	if (bytes == MAP_FAILED)
		return view;
	view.bytes = bytes;
	view.size = (uint64_t)status.st_size;
	return view;
}

static void view_close(const struct view *view)
{
	if (view->bytes)
		munmap((void *)view->bytes, view->size);
	if (view->fd >= 0)
		close(view->fd);
}

/* Holes are passed over: to look at them would fill them, and the recorder has told where one was made. */
static bool append_data(struct session *session, struct trace *trace, uint32_t pool, const struct view *work,
			const struct view *shadow, uint64_t size)
{
	off_t data = 0, hole;

	while ((data = lseek(work->fd, data, SEEK_DATA)) >= 0 && (uint64_t)data < size &&
	       (hole = lseek(work->fd, data, SEEK_HOLE)) > data) {
		const uint64_t end = (uint64_t)hole < size ? (uint64_t)hole : size;

		if (!append_differences(session, trace, pool, work->bytes, shadow->bytes, (uint64_t)data, end))
			return false;
		data = hole;
	}
	return true;
}

/* The shadow is as long as the pool was told to be, or longer. */
static bool collect_pool(struct session *session, struct trace *trace, uint32_t pool)
{
	const struct session_pool *shared = &session->pools[pool];
	const struct view work = view_open(shared->work), shadow = view_open(shared->shadow);
	uint64_t size = shared->work_size;
	bool done = true;

	if (size > work.size)
		size = work.size;
	if (size > shadow.size)
		size = shadow.size;
	if (work.bytes && shadow.bytes)
		done = append_data(session, trace, pool, &work, &shadow, size);
	view_close(&work);
	view_close(&shadow);
	return done;
}

bool collect_rest(struct session *session, struct trace *trace, const char *output, size_t output_length)
{
	const uint64_t told = session->output_told;

	for (uint32_t pool = 0; pool < session->pool_count; pool++) {
		if (!collect_pool(session, trace, pool))
			return false;
	}
	if (output_length <= told)
		return true;
	return append(trace, (struct trace_event){.kind = TRACE_OUTPUT, .length = output_length - told}, output + told);
}
