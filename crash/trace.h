/* trace.h: what a recorded program did to its pools, event by event */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace is a sequence of events in the order in which they happened. It is
 * all that the engine knows of a program: whoever can write one, by looking at
 * flushed lines, by compiler hooks or from inside a unit test, gets the whole
 * engine.
 *
 * A pool is a file whose contents are judged. Offsets are bytes in it. A unit
 * is what the medium writes in one piece: a cache line, or a sector.
 */
#ifndef PMEM_CRASH_TRACE_H
#define PMEM_CRASH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
	/* The bytes (payload) at [offset, offset + length) of the pool are these from now on. */
	TRACE_STORE = 1,

	/* The units of [offset, offset + length) are on their way: durable at this thread's next fence. */
	TRACE_FLUSH,

	/* The same, durable before any later store (clflush). */
	TRACE_FLUSH_ORDERED,

	/* What this thread has flushed is durable. */
	TRACE_FENCE,

	/* msync, fsync and their like returned success: whole pages of the range are durable, whoever stored there. */
	TRACE_SYNC,

	/* The pool is offset bytes long from now on; new bytes are zero. */
	TRACE_SIZE,

	/* The program wrote the payload to its standard output. */
	TRACE_OUTPUT,

	/* A thread has begun; offset: its process's id, as getpid(2) tells it. */
	TRACE_THREAD,

	/*
	 * Code: payload is the path of the file, padded with zeros; it occupies [offset, offset + length), and
	 * address - offset is what the file itself calls an address there.
	 */
	TRACE_MODULE,

	/* Payload: return addresses (uint64_t), innermost first, that stack stands for from now on. */
	TRACE_STACK,

	/* Payload: a remark for people, not terminated, about something that the recorder could not see. */
	TRACE_REMARK,
};

/* Flags of TRACE_STORE. Without any: one store, atomic in each aligned 8 bytes that it touches. */
enum {
	/* Of the aligned 8-byte parts any subset may be durable, until all are: vector, non-temporal, rep movs, memcpy.
	 */
	STORE_UNORDERED = 1 << 0,

	/*
	 * Found by comparing: the unit held something else here before and this now, by stores that were not
	 * seen. One event for a unit, from the first byte that differs to the last. Never split: between the two lie
	 * states that the program may never have made.
	 */
	STORE_OBSERVED = 1 << 1,

	/* Found by comparing, in a program whose stores should all have been seen: a hint for people. */
	STORE_UNSEEN = 1 << 2,

	/* By write(2) or another system call: in the page cache, whatever the media. */
	STORE_BY_KERNEL = 1 << 3,

	/* Non-temporal: waits for this thread's fence even where the caches are persistent. */
	STORE_NONTEMPORAL = 1 << 4,
};

enum {
	/* No stack was taken. */
	STACK_NONE = 0,
	/* Return addresses that a stack has at most. */
	STACK_DEPTH = 24,
};

struct trace_event {
	uint32_t size; /* bytes of this header, the payload, and padding to a multiple of 8 */
	uint8_t kind;  /* enum trace_kind */
	uint8_t flags;
	uint16_t thread; /* 0 is the first; never used again */
	uint32_t pool;   /* index in the order of the command line */
	uint32_t stack;  /* a number that a TRACE_STACK of this thread's process gave; it tells call paths apart */
	uint64_t site;   /* the return address in the program's code, 0 if unknown */
	uint64_t offset;
	uint64_t length; /* of the range; of the payload where there is one */
	unsigned char payload[];
};

/* Bytes that an event with this payload takes. */
static inline uint32_t trace_event_size(uint64_t payload)
{
	return (uint32_t)((sizeof(struct trace_event) + payload + 7) & ~(uint64_t)7);
}

/* Is an event's site its own place? A store that was found by comparing has that of whoever found it. */
static inline bool trace_has_place(const struct trace_event *event)
{
	return event->kind != TRACE_STORE || !(event->flags & STORE_OBSERVED) || (event->flags & STORE_BY_KERNEL);
}

/* Events one after the other in memory, growing at the end. */
struct trace {
	unsigned char *bytes;
	size_t used;
	size_t room;
	size_t events;
};

/* Appends whole events. False, and nothing has changed, without memory. */
bool trace_append(struct trace *trace, const void *events, size_t bytes, size_t count);

/* Room for an event of this size at the end; NULL without memory. trace_commit() makes it a part of the trace. */
void *trace_reserve(struct trace *trace, size_t bytes);
void trace_commit(struct trace *trace, size_t bytes);

/* The event after this one, the first for NULL; NULL at the end. */
const struct trace_event *trace_next(const struct trace *trace, const struct trace_event *event);

void trace_free(struct trace *trace);

#endif
