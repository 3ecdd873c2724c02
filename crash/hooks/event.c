/* event.c: what touches a pool is told to the recorder */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "event.h"

#include <errno.h>

/* A store of the program does not change errno. */

void event_store(const void *address, size_t size, unsigned flags, const void *site)
{
	const int saved = errno;

	record_before_store(address, size, flags, site);
	errno = saved;
}

void event_copied(const void *address, size_t size, unsigned flags, const void *site)
{
	const int saved = errno;

	record_stored(address, size, flags, site);
	errno = saved;
}

void event_load(const void *address, size_t size, const void *site)
{
	const int saved = errno;

	record_load(address, size, site);
	errno = saved;
}

void event_flush(const void *address, size_t size, bool ordered, const void *site)
{
	const int saved = errno;

	record_flush(address, size, ordered, site);
	errno = saved;
}

void event_fence(const void *site)
{
	const int saved = errno;

	record_fence(site);
	errno = saved;
}

/* A signal handler that comes between begin and end has atomics of its own: they are part of this one. */
static __thread unsigned depth __attribute__((tls_model("initial-exec")));

void event_atomic_begin(const void *address, size_t size, const void *site)
{
	const int saved = errno;

	if (depth++ == 0)
		record_atomic_begin(address, size, site);
	errno = saved;
}

void event_atomic_end(const void *address, size_t size, bool stored, const void *site)
{
	const int saved = errno;

	if (--depth == 0)
		record_atomic_end(address, size, stored, site);
	errno = saved;
}
