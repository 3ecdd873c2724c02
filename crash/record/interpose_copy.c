/* interpose_copy.c: stands in for the functions of pmem.h and PMDK that copy and fill */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The extent of such a store is known, though the program was not compiled for
 * recording: it is told as one store whose parts may become durable in any
 * order, after what the program itself had stored to the same lines.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <stddef.h>

void *pmem_copy(void *to, const void *from, size_t length);
void *pmem_copy_persist(void *to, const void *from, size_t length);
void *pmem_fill(void *to, int byte, size_t length);
void *pmem_fill_persist(void *to, int byte, size_t length);
void *pmem_memmove(void *to, const void *from, size_t length, unsigned flags);
void *pmem_memcpy(void *to, const void *from, size_t length, unsigned flags);
void *pmem_memset(void *to, int byte, size_t length, unsigned flags);
void *pmem_memmove_persist(void *to, const void *from, size_t length);
void *pmem_memcpy_persist(void *to, const void *from, size_t length);
void *pmem_memset_persist(void *to, int byte, size_t length);
void *pmem_memmove_nodrain(void *to, const void *from, size_t length);
void *pmem_memcpy_nodrain(void *to, const void *from, size_t length);
void *pmem_memset_nodrain(void *to, int byte, size_t length);
#pragma GCC visibility pop

#include "../trace.h"
#include "next.h"
#include "record.h"

#include <string.h>

/* PMDK's flags. */
enum {
	MEM_NODRAIN = 1 << 0,
	MEM_NOFLUSH = 1 << 5, /* and no drain */
};

enum step { STEP_STORE, STEP_FLUSH, STEP_PERSIST };

static enum step step_of_flags(unsigned flags)
{
	if (flags & MEM_NOFLUSH)
		return STEP_STORE;
	return flags & MEM_NODRAIN ? STEP_FLUSH : STEP_PERSIST;
}

static void after(const void *to, size_t length, enum step step, const void *site)
{
	record_stored(to, length, STORE_UNORDERED, site);
	if (step == STEP_FLUSH)
		record_flush(to, length, false, site);
	if (step == STEP_PERSIST)
		record_persist(to, length, site);
}

static bool copied(void *to, const void *from, size_t length, enum step step, const void *site)
{
	if (!record_covers(to, length))
		return false;
	record_observe(to, length, site);
	memmove(to, from, length);
	after(to, length, step, site);
	return true;
}

static bool filled(void *to, int byte, size_t length, enum step step, const void *site)
{
	if (!record_covers(to, length))
		return false;
	record_observe(to, length, site);
	memset(to, byte, length);
	after(to, length, step, site);
	return true;
}

/* A range outside the pools is the library's; a fence is one for what the thread flushed in them. */
static void *next_copy(void **found, const char *name, void *to, const void *from, size_t length, enum step step,
		       const void *site)
{
	void *(*next)(void *, const void *, size_t) = next_function(found, name);

	if (step == STEP_PERSIST)
		record_fence(site);
	return next ? next(to, from, length) : memmove(to, from, length);
}

static void *next_fill(void **found, const char *name, void *to, int byte, size_t length, enum step step,
		       const void *site)
{
	void *(*next)(void *, int, size_t) = next_function(found, name);

	if (step == STEP_PERSIST)
		record_fence(site);
	return next ? next(to, byte, length) : memset(to, byte, length);
}

void *pmem_copy(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_FLUSH, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_copy", to, from, length, STEP_FLUSH, __builtin_return_address(0));
}

void *pmem_copy_persist(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_PERSIST, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_copy_persist", to, from, length, STEP_PERSIST, __builtin_return_address(0));
}

void *pmem_memcpy_persist(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_PERSIST, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_memcpy_persist", to, from, length, STEP_PERSIST, __builtin_return_address(0));
}

void *pmem_memmove_persist(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_PERSIST, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_memmove_persist", to, from, length, STEP_PERSIST, __builtin_return_address(0));
}

void *pmem_memcpy_nodrain(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_FLUSH, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_memcpy_nodrain", to, from, length, STEP_FLUSH, __builtin_return_address(0));
}

void *pmem_memmove_nodrain(void *to, const void *from, size_t length)
{
	static void *found;

	if (copied(to, from, length, STEP_FLUSH, __builtin_return_address(0)))
		return to;
	return next_copy(&found, "pmem_memmove_nodrain", to, from, length, STEP_FLUSH, __builtin_return_address(0));
}

void *pmem_fill(void *to, int byte, size_t length)
{
	static void *found;

	if (filled(to, byte, length, STEP_FLUSH, __builtin_return_address(0)))
		return to;
	return next_fill(&found, "pmem_fill", to, byte, length, STEP_FLUSH, __builtin_return_address(0));
}

void *pmem_fill_persist(void *to, int byte, size_t length)
{
	static void *found;

	if (filled(to, byte, length, STEP_PERSIST, __builtin_return_address(0)))
		return to;
	return next_fill(&found, "pmem_fill_persist", to, byte, length, STEP_PERSIST, __builtin_return_address(0));
}

void *pmem_memset_persist(void *to, int byte, size_t length)
{
	static void *found;

	if (filled(to, byte, length, STEP_PERSIST, __builtin_return_address(0)))
		return to;
	return next_fill(&found, "pmem_memset_persist", to, byte, length, STEP_PERSIST, __builtin_return_address(0));
}

void *pmem_memset_nodrain(void *to, int byte, size_t length)
{
	static void *found;

	if (filled(to, byte, length, STEP_FLUSH, __builtin_return_address(0)))
		return to;
	return next_fill(&found, "pmem_memset_nodrain", to, byte, length, STEP_FLUSH, __builtin_return_address(0));
}

void *pmem_memcpy(void *to, const void *from, size_t length, unsigned flags)
{
	static void *found;
	__typeof__(pmem_memcpy) *next;

	if (copied(to, from, length, step_of_flags(flags), __builtin_return_address(0)))
		return to;
	next = next_function(&found, "pmem_memcpy");
	if (step_of_flags(flags) == STEP_PERSIST)
		record_fence(__builtin_return_address(0));
	return next ? next(to, from, length, flags) : memmove(to, from, length);
}

void *pmem_memmove(void *to, const void *from, size_t length, unsigned flags)
{
	static void *found;
	__typeof__(pmem_memmove) *next;

	if (copied(to, from, length, step_of_flags(flags), __builtin_return_address(0)))
		return to;
	next = next_function(&found, "pmem_memmove");
	if (step_of_flags(flags) == STEP_PERSIST)
		record_fence(__builtin_return_address(0));
	return next ? next(to, from, length, flags) : memmove(to, from, length);
}

void *pmem_memset(void *to, int byte, size_t length, unsigned flags)
{
	static void *found;
	__typeof__(pmem_memset) *next;

	if (filled(to, byte, length, step_of_flags(flags), __builtin_return_address(0)))
		return to;
	next = next_function(&found, "pmem_memset");
	if (step_of_flags(flags) == STEP_PERSIST)
		record_fence(__builtin_return_address(0));
	return next ? next(to, byte, length, flags) : memset(to, byte, length);
}
