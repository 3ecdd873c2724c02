/* interpose_pmdk.c: stands in for PMDK's functions that flush, drain and sync */
/* SPDX-License-Identifier: BSD-3-Clause */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <stddef.h>

void libpmem_persist(const void *address, size_t length); /* pmem_persist(), as libpmem.h calls it */
void pmem_flush(const void *address, size_t length);
void pmem_deep_flush(const void *address, size_t length);
void pmem_drain(void);
int pmem_deep_drain(const void *address, size_t length);
#pragma GCC visibility pop

#include "next.h"
#include "record.h"

/*
 * pmem_persist() and pmem_deep_persist() are in interpose_pmem.c. pmem_msync(),
 * pmem_map_file() and pmem_unmap() need nothing here: the library's calls of
 * msync, open, mmap and munmap are seen.
 */

void libpmem_persist(const void *address, size_t length)
{
	static void *found;
	__typeof__(libpmem_persist) *next;

	if (record_persist(address, length, __builtin_return_address(0)))
		return;
	next = next_function(&found, "libpmem_persist");
	if (next)
		next(address, length);
}

void pmem_flush(const void *address, size_t length)
{
	static void *found;
	__typeof__(pmem_flush) *next;

	if (record_flush(address, length, false, __builtin_return_address(0)))
		return;
	next = next_function(&found, "pmem_flush");
	if (next)
		next(address, length);
}

void pmem_deep_flush(const void *address, size_t length)
{
	static void *found;
	__typeof__(pmem_deep_flush) *next;

	if (record_flush(address, length, false, __builtin_return_address(0)))
		return;
	next = next_function(&found, "pmem_deep_flush");
	if (next)
		next(address, length);
}

void pmem_drain(void)
{
	static void *found;
	__typeof__(pmem_drain) *next = next_function(&found, "pmem_drain");

	record_fence(__builtin_return_address(0));
	if (next)
		next();
}

int pmem_deep_drain(const void *address, size_t length)
{
	static void *found;
	__typeof__(pmem_deep_drain) *next;

	record_fence(__builtin_return_address(0));
	if (record_covers(address, length))
		return 0;
	next = next_function(&found, "pmem_deep_drain");
	return next ? next(address, length) : 0;
}
