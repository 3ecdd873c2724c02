/* pending.c: stores that the compiler's hooks have announced */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hook runs before the store. What is stored is read when the thread does
 * something else that matters: then the store has been made.
 */
#include "recording.h"

void pending_tell_store(struct record_thread *thread)
{
	const struct pending_store pending = thread->pending;
	const char *address = pending.address;
	size_t left = pending.size;
	struct mapped_part part;

	thread->pending.size = 0;
	if (pending.flags & STORE_UNORDERED)
		thread->unfenced = true;
	while (left > 0 && mapping_find(address, left, &part)) {
		contents_tell_store(part.pool, part.offset, part.length, part.address, pending.flags, &pending.origin);
		left -= (size_t)((const char *)part.address + part.length - address);
		address = (const char *)part.address + part.length;
	}
}
