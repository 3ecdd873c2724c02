/* interpose_pmem.c: stands in for pmem.h's functions, and for the one that PMDK calls the same */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * While the program is recorded nothing is really flushed: what counts as
 * durable is decided later, from the trace. Ranges outside the pools go on to
 * the library.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <pmem.h>
#pragma GCC visibility pop

#include "next.h"
#include "record.h"

#include <string.h>

/* PMDK's function has no third argument, and what is in its place does not matter here. */
void pmem_persist(void *address, size_t length, int flags)
{
	static void *found;
	__typeof__(pmem_persist) *next;

	if (record_persist(address, length, __builtin_return_address(0)))
		return;
	next = next_function(&found, "pmem_persist");
	if (next)
		next(address, length, flags);
}

void pmem_flush_cache(void *address, size_t length, int flags)
{
	static void *found;
	__typeof__(pmem_flush_cache) *next;

	if (record_flush(address, length, false, __builtin_return_address(0)))
		return;
	next = next_function(&found, "pmem_flush_cache");
	if (next)
		next(address, length, flags);
}

/* Completes flushes outside the pools too. */
void pmem_fence(void)
{
	static void *found;
	__typeof__(pmem_fence) *next = next_function(&found, "pmem_fence");

	record_fence(__builtin_return_address(0));
	if (next)
		next();
}

void pmem_drain_pm_stores(void)
{
	static void *found;
	__typeof__(pmem_drain_pm_stores) *next = next_function(&found, "pmem_drain_pm_stores");

	record_fence(__builtin_return_address(0));
	if (next)
		next();
}

int pmem_try_persist(void *address, size_t length)
{
	static void *found;
	__typeof__(pmem_try_persist) *next;

	if (record_persist(address, length, __builtin_return_address(0)))
		return 0;
	next = next_function(&found, "pmem_try_persist");
	return next ? next(address, length) : 0;
}

int pmem_try_persistv(const struct iovec *ranges, int count)
{
	static void *found;
	__typeof__(pmem_try_persistv) *next = next_function(&found, "pmem_try_persistv");
	int status = 0;

	if (count < 0)
		return next ? next(ranges, count) : -1;
	for (int i = 0; i < count; i++) {
		if (!record_flush(ranges[i].iov_base, ranges[i].iov_len, false, __builtin_return_address(0)) && next &&
		    next(&ranges[i], 1) < 0)
			status = -1;
	}
	record_fence(__builtin_return_address(0));
	return status;
}

int pmem_deep_persist(const void *address, size_t length)
{
	static void *found;
	__typeof__(pmem_deep_persist) *next;

	if (record_persist(address, length, __builtin_return_address(0)))
		return 0;
	next = next_function(&found, "pmem_deep_persist");
	return next ? next(address, length) : 0;
}

/* A private working copy whose lines libpmem writes to the file would hide from us what is stored. */
void pmem_fit_mode(void)
{
	static void *found;
	__typeof__(pmem_fit_mode) *next = next_function(&found, "pmem_fit_mode");

	if (record_is_session())
		record_remark("the program asked for pmem_fit_mode(), which has no effect while it is recorded");
	else if (next)
		next();
}
