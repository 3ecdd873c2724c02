/* pmdk_copy.c: the copies and fills of libpmem.h */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "copy.h"
#include "failure.h"
#include "media.h"
#include "pmdk.h"

#include <libpmem.h>

#define likely(condition) __builtin_expect(!!(condition), 1)

/*
 * Unknown flags mean nothing; the hints neither: whether to go past the caches
 * is chosen by the length and the processor, and every line is flushed whatever
 * stored it.
 */
static inline bool wants_fence(unsigned flags)
{
	return !(flags & (PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NOFLUSH));
}

/* The hot path: the processor's copy alone, which flushes, and fences if asked. */
static inline bool is_for_cpu(const void *dst, size_t length, unsigned flags)
{
	return likely(!(flags & PMEM_F_MEM_NOFLUSH) && pmdk_work((uintptr_t)dst, length) == CPU_FLUSH &&
		      page_pending == 0);
}

/* What the processor has to do after its stores, where it can do all. */
static unsigned how_by_cpu(enum cpu_work work, unsigned flags)
{
	return (work == CPU_FLUSH ? COPY_FLUSH : 0) | (wants_fence(flags) ? COPY_FENCE : 0);
}

/* What was stored is flushed as each part needs it; page-cache ranges wait for the same drain. */
static void finish(void *dst, size_t length, unsigned flags)
{
	if (pmdk_flush((uintptr_t)dst, length) < 0)
		failure_report();
	if (wants_fence(flags))
		pmem_drain();
}

__attribute__((noinline)) static void *copy_otherwise(void *dst, const void *src, size_t length, unsigned flags)
{
	const enum cpu_work work = pmdk_work_of_pages((uintptr_t)dst, length);

	if (flags & PMEM_F_MEM_NOFLUSH)
		return memmove(dst, src, length);
	if (work != CPU_NOT_ENOUGH && page_pending == 0)
		return copy_by_cpu(dst, src, length, how_by_cpu(work, flags));
	memmove(dst, src, length);
	finish(dst, length, flags);
	return dst;
}

__attribute__((noinline)) static void *fill_otherwise(void *dst, int byte, size_t length, unsigned flags)
{
	const enum cpu_work work = pmdk_work_of_pages((uintptr_t)dst, length);

	if (flags & PMEM_F_MEM_NOFLUSH)
		return memset(dst, byte, length);
	if (work != CPU_NOT_ENOUGH && page_pending == 0)
		return fill_by_cpu(dst, byte, length, how_by_cpu(work, flags));
	memset(dst, byte, length);
	finish(dst, length, flags);
	return dst;
}

static inline void *copy(void *dst, const void *src, size_t length, unsigned flags)
{
	if (is_for_cpu(dst, length, flags))
		return cpu_copy.copy(dst, src, length, wants_fence(flags));
	return copy_otherwise(dst, src, length, flags);
}

static inline void *fill(void *dst, int byte, size_t length, unsigned flags)
{
	if (is_for_cpu(dst, length, flags))
		return cpu_copy.fill(dst, byte, length, wants_fence(flags));
	return fill_otherwise(dst, byte, length, flags);
}

void *pmem_memmove(void *pmemdest, const void *src, size_t len, unsigned flags)
{
	return copy(pmemdest, src, len, flags);
}

void *pmem_memcpy(void *pmemdest, const void *src, size_t len, unsigned flags)
{
	return copy(pmemdest, src, len, flags);
}

void *pmem_memset(void *pmemdest, int c, size_t len, unsigned flags)
{
	return fill(pmemdest, c, len, flags);
}

void *pmem_memmove_persist(void *pmemdest, const void *src, size_t len)
{
	return copy(pmemdest, src, len, 0);
}

void *pmem_memcpy_persist(void *pmemdest, const void *src, size_t len)
{
	return copy(pmemdest, src, len, 0);
}

void *pmem_memset_persist(void *pmemdest, int c, size_t len)
{
	return fill(pmemdest, c, len, 0);
}

void *pmem_memmove_nodrain(void *pmemdest, const void *src, size_t len)
{
	return copy(pmemdest, src, len, PMEM_F_MEM_NODRAIN);
}

void *pmem_memcpy_nodrain(void *pmemdest, const void *src, size_t len)
{
	return copy(pmemdest, src, len, PMEM_F_MEM_NODRAIN);
}

void *pmem_memset_nodrain(void *pmemdest, int c, size_t len)
{
	return fill(pmemdest, c, len, PMEM_F_MEM_NODRAIN);
}
