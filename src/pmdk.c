/* pmdk.c: the functions of libpmem.h, on top of the library's own */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmdk.h"

#include "arch/arch.h"
#include "cancel.h"
#include "failure.h"
#include "media.h"
#include "mode.h"
#include "sysfs.h"

#include <errno.h>
#include <libpmem.h>
#include <pmem.h>

enum cpu_work pmdk_unknown_work = CPU_FLUSH;

static int is_volatile_region(const char *region, void *arg)
{
	unsigned *regions = arg;

	++*regions;
	return sysfs_region_domain(region) != PMEM_DOMAIN_CPU_CACHE;
}

static bool all_caches_are_persistent(void)
{
	unsigned regions = 0;

	return sysfs_all_regions(is_volatile_region, &regions) == 0 && regions > 0;
}

/* After the constructors that read the environment. */
__attribute__((constructor(102))) static void pmdk_start(void)
{
	const enum caches caches = mode_caches();

	if (caches == CACHES_PERSISTENT || (caches == CACHES_BY_DOMAIN && all_caches_are_persistent()))
		pmdk_unknown_work = CPU_FENCE;
}

enum cpu_work pmdk_work_of_pages(uintptr_t address, size_t length)
{
	const enum cpu_work work = registry_work(address, length);

	if (work != CPU_NOT_ENOUGH || length == 0 || address + length < address)
		return work;
	return registry_next(address, address + length) == address + length ? pmdk_unknown_work : CPU_NOT_ENOUGH;
}

/* --- Flush and drain ------------------------------------------------------------------ */

/*
 * One part of [start, end): of one mapping, or of none. deep: caches that are
 * persistent themselves are flushed too.
 */
static int flush_part(uintptr_t start, uintptr_t end, bool deep, uintptr_t *part_end)
{
	const struct mapping *mapping = registry_find(start);
	enum cpu_work work = pmdk_unknown_work;

	*part_end = mapping ? (uintptr_t)mapping->end : registry_next(start, end);
	if (*part_end > end)
		*part_end = end;
	if (mapping)
		work = mapping->cpu_work;
	if (work == CPU_NOT_ENOUGH)
		return media_flush(start, *part_end - start);
	if (work == CPU_FLUSH || deep)
		cpu.flush(start, *part_end);
	return 0;
}

static int flush_range(uintptr_t address, size_t length, bool deep)
{
	const uintptr_t end = address + length;
	uintptr_t part_end;
	int result = 0;

	if (end < address)
		return media_flush(address, length); /* which says what is wrong with it */
	for (uintptr_t at = address; at < end; at = part_end) {
		if (flush_part(at, end, deep, &part_end) < 0)
			result = -1;
	}
	return result;
}

int pmdk_flush(uintptr_t address, size_t length)
{
	return flush_range(address, length, false);
}

void pmem_flush(const void *addr, size_t len)
{
	if (flush_range((uintptr_t)addr, len, false) < 0)
		failure_report();
}

void pmem_deep_flush(const void *addr, size_t len)
{
	if (flush_range((uintptr_t)addr, len, true) < 0)
		failure_report();
}

void pmem_drain(void)
{
	if (media_fence() < 0)
		failure_report();
}

int pmem_deep_drain(const void *addr, size_t len)
{
	return pmem_deep_persist(addr, len);
}

int pmem_msync(const void *addr, size_t len)
{
	return media_sync((uintptr_t)addr, len);
}

/* --- What the memory and the library are ------------------------------------------------ */

int pmem_is_pmem(const void *addr, size_t len)
{
	if (mode_now() == MODE_MSYNC || len == 0)
		return 0;
	if (mode_now() == MODE_FORCE)
		return 1;
	return pmem_granularity(addr, len) <= PMEM_GRANULARITY_CACHE_LINE;
}

int pmem_has_auto_flush(void)
{
	const int cancel = cancel_forbid();
	const bool all = all_caches_are_persistent();

	cancel_allow(cancel);
	return all;
}

int pmem_has_hw_drain(void)
{
	return 0;
}

const char *pmem_check_version(unsigned major_required, unsigned minor_required)
{
	if (major_required == PMEM_MAJOR_VERSION && minor_required <= PMEM_MINOR_VERSION)
		return NULL;
	fail(EINVAL, "the program needs version %u.%u of libpmem's interface, and this library has %d.%d",
	     major_required, minor_required, PMEM_MAJOR_VERSION, PMEM_MINOR_VERSION);
	return pmem_errormsg();
}
