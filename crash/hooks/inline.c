/* inline.c: what instructions in inline assembly, and intrinsics, do: told to the recorder */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "inline.h"
#include "event.h"

#include <cpuid.h>

/* Direction: rep movs and stos go down where it is set. */
enum { FLAG_DIRECTION = 1 << 10 };

/* Read by the stubs: are there registers that fxsave does not save? */
__attribute__((visibility("hidden"))) bool inline_has_xsave;

__attribute__((constructor)) static void find_xsave(void)
{
	unsigned a, b, c, d;

	inline_has_xsave = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* The locked instruction that this thread is at. Those of a signal handler that comes then are part of it. */
static __thread struct {
	unsigned depth;
	bool begun;
	const void *address;
	size_t size;
} locked __attribute__((tls_model("initial-exec")));

static void lock_begins(const void *address, size_t size, const void *site)
{
	if (locked.depth++ > 0)
		return;
	locked.address = address;
	locked.size = size;
	locked.begun = tell_atomic_begin(address, size, site);
}

/* Without a beginning where nothing was recorded then. */
static void lock_ends(const void *site)
{
	if (locked.depth == 0 || --locked.depth > 0)
		return;
	tell_atomic_end(locked.begun, locked.address, locked.size, true, site);
}

/* It is in no cache: it waits for the fence, like what was flushed. */
static void nontemporal(const void *address, size_t size, const void *site)
{
	event_copied(address, size, STORE_UNORDERED | STORE_NONTEMPORAL, site);
	event_flush(address, size, false, site);
}

static void repeated(const struct inline_registers *registers, size_t size, uint64_t flags, const void *site)
{
	const uint64_t length = registers->rcx * size;
	uint64_t first = registers->rdi;

	if (length == 0)
		return;
	if (flags & FLAG_DIRECTION)
		first -= length - size;
	tell_copy((const void *)first, length, site);
}

void inline_event(unsigned what, size_t size, const void *site, const struct inline_registers *registers,
		  uint64_t flags)
{
	const void *address = (const void *)registers->rax;

	switch (what) {
	case INLINE_FLUSH:
		event_flush(address, 1, false, site);
		break;
	case INLINE_FLUSH_ORDERED:
		event_flush(address, 1, true, site);
		break;
	case INLINE_FENCE:
		tell_fence(site);
		break;
	case INLINE_STORE:
		tell_store(address, size, site);
		break;
	case INLINE_VECTOR:
		tell_copy(address, size, site);
		break;
	case INLINE_NONTEMPORAL:
		nontemporal(address, size, site);
		break;
	case INLINE_REPEATED:
		repeated(registers, size, flags, site);
		break;
	case INLINE_LOCKED:
		lock_begins(address, size, site);
		break;
	case INLINE_UNLOCKED:
		lock_ends(site);
		break;
	}
}
