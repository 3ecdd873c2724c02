/* pmdk.h: what the functions of libpmem.h have in common */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_PMDK_H
#define PMEM_PMDK_H

#include "registry.h"

#include <stddef.h>

/*
 * What to do with an address that no mapping of ours covers: the caller has
 * asked pmem_is_pmem(), or made the mapping itself, and is taken at its word.
 * Whether caches need a flush there is known of the whole machine only.
 */
extern enum cpu_work pmdk_unknown_work;

/*
 * What the processor alone has to do to make a range durable: one mapping's, or
 * inside of one page that nobody registered. CPU_NOT_ENOUGH for any other.
 */
static inline enum cpu_work pmdk_work(uintptr_t address, size_t length)
{
	const uintptr_t page = (uintptr_t)1 << PAGE_BITS;
	const struct mapping *mapping = registry_entry(address);

	if (mapping && mapping_holds(mapping, address, length))
		return atomic_load_explicit(&mapping->cpu_work, memory_order_relaxed);
	if (!mapping && length - 1 < page - address % page)
		return pmdk_unknown_work;
	return CPU_NOT_ENOUGH;
}

/* The same, for a range over any number of pages that nobody registered too. */
enum cpu_work pmdk_work_of_pages(uintptr_t address, size_t length);

/* Starts to make any range durable. 0, or -1 with errno and this thread's message set. */
int pmdk_flush(uintptr_t address, size_t length);

/* Does somebody listen to notices? */
bool pmdk_wants_notices(void);

/* Tells the log what is no failure, to those who listen, who may change errno. */
void pmdk_log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
