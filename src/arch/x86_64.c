/* x86_64.c: clwb, clflushopt and clflush */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources: Intel SDM vol. 2 (CLWB, CLFLUSHOPT, CLFLUSH, SFENCE) and vol. 1,
 * 14.x; AMD APM vol. 3, where CLFLUSH is ordered by MFENCE alone. PCOMMIT was
 * withdrawn: its CPUID bit means nothing, though emulators still set it.
 */
#include "methods.h"
#include "x86_64.h"

#include <cpuid.h>

enum {
	CPUID1_EDX_CLFLUSH = 1 << 19,
	CPUID7_EBX_CLFLUSHOPT = 1 << 23,
	CPUID7_EBX_CLWB = 1 << 24,
};

/* CPUID 1: EBX[15:8] is the flush line in units of 8 bytes. */
static bool has_clflush(void)
{
	unsigned a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(d & CPUID1_EDX_CLFLUSH))
		return false;
	if ((b >> 8 & 0xff) != 0)
		flush_line = (b >> 8 & 0xff) * 8;
	return true;
}

static bool has_leaf7_ebx(unsigned bit)
{
	unsigned a, b, c, d;

	return has_clflush() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit);
}

static bool has_clflushopt(void)
{
	return has_leaf7_ebx(CPUID7_EBX_CLFLUSHOPT);
}

static bool has_clwb(void)
{
	return has_leaf7_ebx(CPUID7_EBX_CLWB);
}

static void flush_by_clwb(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		clwb(line);
}

static int persist_by_clwb(uintptr_t start, uintptr_t end)
{
	flush_by_clwb(start, end);
	sfence();
	return 0;
}

static void flush_by_clflushopt(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		clflushopt(line);
}

static int persist_by_clflushopt(uintptr_t start, uintptr_t end)
{
	flush_by_clflushopt(start, end);
	sfence();
	return 0;
}

static void flush_by_clflush(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		clflush(line);
}

static int persist_by_clflush(uintptr_t start, uintptr_t end)
{
	flush_by_clflush(start, end);
	mfence();
	return 0;
}

static void fence_by_sfence(void)
{
	sfence();
}

static void fence_by_mfence(void)
{
	mfence();
}

const struct flush_method flush_clwb = {
	.name = "clwb",
	.kind = FLUSH_CLWB,
	.proven = true,
	.usable = has_clwb,
	.flush = flush_by_clwb,
	.fence = fence_by_sfence,
	.persist = persist_by_clwb,
};

const struct flush_method flush_clflushopt = {
	.name = "clflushopt",
	.kind = FLUSH_CLFLUSHOPT,
	.proven = true,
	.usable = has_clflushopt,
	.flush = flush_by_clflushopt,
	.fence = fence_by_sfence,
	.persist = persist_by_clflushopt,
};

const struct flush_method flush_clflush = {
	.name = "clflush",
	.kind = FLUSH_CLFLUSH,
	.proven = true,
	.usable = has_clflush,
	.flush = flush_by_clflush,
	.fence = fence_by_mfence,
	.persist = persist_by_clflush,
};
