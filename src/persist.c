/* persist.c: persist, flush, fence, drain: the hot path, and nothing else */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/arch.h"
#include "failure.h"
#include "media.h"
#include "registry.h"

#include <errno.h>
#include <pmem.h>
#include <stdint.h>

#define likely(condition) __builtin_expect(!!(condition), 1)

/*
 * Everything that is not the processor's work alone, or that other ranges wait
 * for. Kept out of line: the hot path then stores nothing to the stack, and
 * stores are what it is about.
 */
__attribute__((noinline)) static int persist_otherwise(uintptr_t address, size_t length)
{
	const enum cpu_work work = registry_work(address, length);

	if (work == CPU_NOT_ENOUGH)
		return media_persist(address, length);
	if (work == CPU_FLUSH)
		cpu.flush(address, address + length);
	return media_fence();
}

static inline int persist(uintptr_t address, size_t length)
{
	if (likely(registry_work(address, length) == CPU_FLUSH && page_pending == 0))
		return cpu.persist(address, address + length);
	return persist_otherwise(address, length);
}

/* pmem_persist() for what the hot path leaves over. */
__attribute__((noinline)) static void persist_or_report(uintptr_t address, size_t length)
{
	if (persist_otherwise(address, length) < 0)
		failure_report();
}

static inline int flush(uintptr_t address, size_t length)
{
	const enum cpu_work work = registry_work(address, length);

	if (likely(work == CPU_FLUSH))
		cpu.flush(address, address + length);
	else if (work == CPU_NOT_ENOUGH)
		return media_flush(address, length);
	return 0;
}

void pmem_persist(void *addr, size_t len, int flags)
{
	const uintptr_t address = (uintptr_t)addr;

	(void)flags;
	if (likely(registry_work(address, len) == CPU_FLUSH && page_pending == 0))
		cpu.persist(address, address + len);
	else
		persist_or_report(address, len);
}

int pmem_try_persist(void *addr, size_t len)
{
	return persist((uintptr_t)addr, len);
}

/* pmem_flush_cache() for what is not the processor's work alone. */
__attribute__((noinline)) static void flush_or_report(uintptr_t address, size_t length)
{
	if (flush(address, length) < 0)
		failure_report();
}

void pmem_flush_cache(void *addr, size_t len, int flags)
{
	const uintptr_t address = (uintptr_t)addr;

	(void)flags;
	if (likely(registry_work(address, len) == CPU_FLUSH))
		cpu.flush(address, address + len);
	else
		flush_or_report(address, len);
}

/* pmem_fence() where page-cache ranges wait for it. */
__attribute__((noinline)) static void fence_or_report(void)
{
	if (media_fence() < 0)
		failure_report();
}

static inline void fence(void)
{
	if (likely(page_pending == 0))
		cpu.fence();
	else
		fence_or_report();
}

void pmem_fence(void)
{
	fence();
}

void pmem_drain_pm_stores(void)
{
	fence();
}

int pmem_try_persistv(const struct iovec *ranges, int count)
{
	int result = 0, error = 0;

	if (count < 0)
		return fail(EINVAL, "a count of %d ranges", count);
	for (int i = 0; i < count; i++) {
		if (flush((uintptr_t)ranges[i].iov_base, ranges[i].iov_len) < 0) {
			result = -1;
			error = errno;
		}
	}
	if (count > 0 && media_fence() < 0)
		return -1;
	if (result < 0)
		errno = error;
	return result;
}
