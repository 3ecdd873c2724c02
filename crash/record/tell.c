/* tell.c: writes single events */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE = 1 << 20 }; /* longer payloads are told in pieces: they must fit in the ring */

/* The trace learns of a thread when it first does something. */
static void introduce(void)
{
	struct trace_event *event;

	record_self.number =
		(uint16_t)atomic_fetch_add(recording.session ? &recording.session->threads : &recording.threads, 1);
	record_self.epoch = recording.epoch;
	event = recording.sink->reserve(sizeof(*event));
	if (!event)
		return;
	*event = (struct trace_event){
		.size = sizeof(*event),
		.kind = TRACE_THREAD,
		.thread = record_self.number,
		.offset = (uint64_t)syscall(SYS_getpid),
	};
	recording.sink->commit(sizeof(*event));
}

static struct trace_event *begin(enum trace_kind kind, const struct origin *origin, size_t payload)
{
	const uint32_t size = trace_event_size(payload);
	struct trace_event *event;

	if (!recording.on)
		return NULL;
	if (record_self.epoch != recording.epoch)
		introduce();
	event = recording.sink->reserve(size);
	if (!event)
		return NULL;
	*event = (struct trace_event){
		.size = size,
		.kind = (uint8_t)kind,
		.thread = record_self.number,
		.stack = origin ? origin->stack : STACK_NONE,
		.site = origin ? (uintptr_t)origin->site : 0,
	};
	/* What pads the payload is zero: a module's path ends there. */
	if (payload % 8)
		memset((char *)event + size - 8, 0, 8);
	return event;
}

void tell(enum trace_kind kind, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t length)
{
	struct trace_event *event = begin(kind, origin, 0);

	if (!event)
		return;
	event->pool = pool;
	event->offset = offset;
	event->length = length;
	recording.sink->commit(event->size);
}

void tell_payload(enum trace_kind kind, unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset,
		  const void *payload, size_t length)
{
	for (size_t done = 0; done < length; done += PIECE) {
		const size_t piece = length - done < PIECE ? length - done : PIECE;
		struct trace_event *event = begin(kind, origin, piece);

		if (!event)
			return;
		event->flags = (uint8_t)flags;
		event->pool = pool;
		event->offset = kind == TRACE_STORE ? offset + done : offset;
		event->length = piece;
		memcpy(event->payload, (const char *)payload + done, piece);
		recording.sink->commit(event->size);
	}
}

void tell_word(unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t word)
{
	if (recording.sink->store && recording.on && record_self.epoch == recording.epoch)
		recording.sink->store(flags, origin, pool, offset, word);
	else
		tell_payload(TRACE_STORE, flags, origin, pool, offset, &word, sizeof(word));
}

void tell_module(const char *path, uint64_t bias, uint64_t length)
{
	const size_t payload = strlen(path);
	struct trace_event *event = begin(TRACE_MODULE, NULL, payload);

	if (!event)
		return;
	event->offset = bias;
	event->length = length;
	memcpy(event->payload, path, payload);
	recording.sink->commit(event->size);
}
