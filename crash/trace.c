/* trace.c: events one after the other in memory */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "trace.h"

#include <string.h>
#include <sys/mman.h>

enum { TRACE_FIRST = 4 << 20 };

/* Huge pages where there are any: touching fresh memory page by page would be slower than the program. */
static bool grow(struct trace *trace, size_t needed)
{
	size_t room = trace->room ? trace->room : TRACE_FIRST;
	void *bytes;

	while (room < needed)
		room *= 2;
	if (trace->bytes)
		bytes = mremap(trace->bytes, trace->room, room, MREMAP_MAYMOVE);
	else
		bytes = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		return false;
	madvise(bytes, room, MADV_HUGEPAGE);
	trace->bytes = bytes;
	trace->room = room;
	return true;
}

bool trace_append(struct trace *trace, const void *events, size_t bytes, size_t count)
{
	if (trace->used + bytes > trace->room && !grow(trace, trace->used + bytes))
		return false;
	memcpy(trace->bytes + trace->used, events, bytes);
	trace->used += bytes;
	trace->events += count;
	return true;
}

void *trace_reserve(struct trace *trace, size_t bytes)
{
	if (trace->used + bytes > trace->room && !grow(trace, trace->used + bytes))
		return NULL;
	return trace->bytes + trace->used;
}

void trace_commit(struct trace *trace, size_t bytes)
{
	trace->used += bytes;
	trace->events++;
}

const struct trace_event *trace_next(const struct trace *trace, const struct trace_event *event)
{
	const unsigned char *next = event ? (const unsigned char *)event + event->size : trace->bytes;

	return next < trace->bytes + trace->used ? (const struct trace_event *)next : NULL;
}

void trace_free(struct trace *trace)
{
	if (trace->bytes)
		munmap(trace->bytes, trace->room);
	*trace = (struct trace){0};
}
