/* copy.c: copy and fill: stored and made durable in one */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "copy.h"

#include "failure.h"
#include "media.h"
#include "pages.h"
#include "registry.h"

#include <errno.h>
#include <pmem.h>

#define likely(condition) __builtin_expect(!!(condition), 1)

/*
 * The hot path is a look-up and a jump to the processor's copy, which fences
 * too if asked and returns dst. Everything else is out of line, so that the hot
 * path needs no stack: see persist.c.
 */
static inline bool is_for_cpu(const void *dst, size_t length)
{
	return likely(registry_work((uintptr_t)dst, length) == CPU_FLUSH);
}

/* Nothing can be stored to a range that wraps; everything else is the caller's memory, or a SIGSEGV. */
static bool can_be_stored_to(uintptr_t address, size_t length)
{
	if (length == 0)
		return false;
	if (!range_wraps(address, length))
		return true;
	fail_range(EINVAL, address, address, "NOT stored: %zu bytes at %p wrap around the address space", length,
		   (void *)address);
	failure_report();
	return false;
}

/* Where the caches are persistent, and nothing waits for the fence, ordinary stores are all there is to do. */
static bool needs_no_flush(uintptr_t address, size_t length)
{
	return page_pending == 0 && registry_work(address, length) == CPU_FENCE;
}

/*
 * What was stored is made durable as each part's media wants it: the kernel has
 * to write it, or the range spans mappings, or page-cache ranges wait for the
 * same fence.
 */
static void finish(uintptr_t address, size_t length, bool persist)
{
	if ((persist ? media_persist : media_flush)(address, length) < 0)
		failure_report();
}

__attribute__((noinline)) static void *copy_otherwise(void *dst, const void *src, size_t length, bool persist)
{
	if (!can_be_stored_to((uintptr_t)dst, length))
		return dst;
	if (needs_no_flush((uintptr_t)dst, length))
		return copy_by_cpu(dst, src, length, persist ? COPY_FENCE : 0);
	memmove(dst, src, length);
	finish((uintptr_t)dst, length, persist);
	return dst;
}

__attribute__((noinline)) static void *fill_otherwise(void *dst, int byte, size_t length, bool persist)
{
	if (!can_be_stored_to((uintptr_t)dst, length))
		return dst;
	if (needs_no_flush((uintptr_t)dst, length))
		return fill_by_cpu(dst, byte, length, persist ? COPY_FENCE : 0);
	memset(dst, byte, length);
	finish((uintptr_t)dst, length, persist);
	return dst;
}

void *pmem_copy(void *dst, const void *src, size_t len)
{
	if (is_for_cpu(dst, len))
		return cpu_copy.copy(dst, src, len, false);
	return copy_otherwise(dst, src, len, false);
}

void *pmem_copy_persist(void *dst, const void *src, size_t len)
{
	if (is_for_cpu(dst, len) && likely(page_pending == 0))
		return cpu_copy.copy(dst, src, len, true);
	return copy_otherwise(dst, src, len, true);
}

void *pmem_fill(void *dst, int byte, size_t len)
{
	if (is_for_cpu(dst, len))
		return cpu_copy.fill(dst, byte, len, false);
	return fill_otherwise(dst, byte, len, false);
}

void *pmem_fill_persist(void *dst, int byte, size_t len)
{
	if (is_for_cpu(dst, len) && likely(page_pending == 0))
		return cpu_copy.fill(dst, byte, len, true);
	return fill_otherwise(dst, byte, len, true);
}
