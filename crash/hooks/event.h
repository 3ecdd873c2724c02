/* event.h: what a hook tells the recorder; in the library that programs are linked with, nobody listens */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The hooks are compiled twice: into the recorder, with HOOKS_RECORD, and into
 * libpmem_crash_hooks.so, where what is declared here is empty.
 */
#ifndef PMEM_HOOKS_EVENT_H
#define PMEM_HOOKS_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOOK __attribute__((visibility("default")))

/* Where the program called the hook. */
#define SITE __builtin_return_address(0)

#ifdef HOOKS_RECORD

#pragma GCC visibility push(hidden)
#include "../record/record.h"
#include "../trace.h"

/* The functions of record.h without their effects on errno. */
void event_store(const void *address, size_t size, unsigned flags, const void *site);
void event_copied(const void *address, size_t size, unsigned flags, const void *site);
void event_load(const void *address, size_t size, const void *site);
void event_flush(const void *address, size_t size, bool ordered, const void *site);
void event_fence(const void *site);
void event_atomic_begin(const void *address, size_t size, const void *site);
void event_atomic_end(const void *address, size_t size, bool stored, const void *site);
#pragma GCC visibility pop

/* Most accesses are not to a pool: these tests are all that they pay. */

static inline void tell_store(const void *address, size_t size, const void *site)
{
	if (__builtin_expect(record_may_touch(address, size), 0))
		event_store(address, size, 0, site);
}

/* A store that the C library makes, in an order of its own. */
static inline void tell_copy(const void *address, size_t size, const void *site)
{
	if (__builtin_expect(record_may_touch(address, size), 0))
		event_store(address, size, STORE_UNORDERED, site);
}

/* The same, told afterwards, where how much it would be was not known before. */
static inline void tell_copied(const void *address, size_t size, const void *site)
{
	if (__builtin_expect(record_may_touch(address, size), 0))
		event_copied(address, size, STORE_UNORDERED, site);
}

static inline void tell_load(const void *address, size_t size, const void *site)
{
	if (__builtin_expect(record_may_touch(address, size), 0))
		event_load(address, size, site);
}

static inline void tell_fence(const void *site)
{
	if (__builtin_expect(record_bounds.low != UINTPTR_MAX, 0))
		event_fence(site);
}

/* A locked instruction from begin to end; wherever it stores to, it is a fence for what its thread has flushed. */
static inline bool tell_atomic_begin(const volatile void *address, size_t size, const void *site)
{
	const bool recorded = __builtin_expect(record_bounds.low != UINTPTR_MAX, 0);

	if (recorded)
		event_atomic_begin((const void *)address, size, site);
	return recorded;
}

/* begun: what tell_atomic_begin() returned. */
static inline void tell_atomic_end(bool begun, const volatile void *address, size_t size, bool stored, const void *site)
{
	if (begun)
		event_atomic_end((const void *)address, size, stored, site);
}

static inline void tell_instrumented(void)
{
	record_instrumented();
}

#else

static inline void tell_store(const void *address, size_t size, const void *site)
{
	(void)address, (void)size, (void)site;
}

static inline void tell_copy(const void *address, size_t size, const void *site)
{
	(void)address, (void)size, (void)site;
}

static inline void tell_load(const void *address, size_t size, const void *site)
{
	(void)address, (void)size, (void)site;
}

static inline void tell_fence(const void *site)
{
	(void)site;
}

static inline bool tell_atomic_begin(const volatile void *address, size_t size, const void *site)
{
	(void)address, (void)size, (void)site;
	return false;
}

static inline void tell_atomic_end(bool begun, const volatile void *address, size_t size, bool stored, const void *site)
{
	(void)begun, (void)address, (void)size, (void)stored, (void)site;
}

static inline void tell_instrumented(void)
{
}

#endif
#endif
