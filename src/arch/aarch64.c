/* aarch64.c: dc cvadp and dc cvap */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source: Arm ARM, "Point of Deep Persistence" and "Point of Persistence".
 * dc cvac reaches the point of coherency, which is no persistence, and is never
 * used. The instructions are written as their SYS encodings: an assembler for
 * ARMv8.0 does not know their names.
 */
#include "methods.h"
#include "proof.h"

#include <sys/auxv.h>

enum {
	HWCAP_DC_CVAP = 1 << 16,  /* HWCAP_DCPOP */
	HWCAP2_DC_CVADP = 1 << 0, /* HWCAP2_DCPODP */
};

static inline void dc_cvap(uintptr_t line)
{
	__asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(line) : "memory");
}

static inline void dc_cvadp(uintptr_t line)
{
	__asm__ volatile("sys #3, c7, c13, #1, %0" ::"r"(line) : "memory");
}

/* Completion of a data cache operation needs a DSB; a DMB orders and no more. */
static inline void dsb(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

/* CTR_EL0[19:16]: log2 of the smallest data cache line, in words of 4 bytes. */
static void read_line_size(void)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	flush_line = (uintptr_t)4 << (ctr >> 16 & 0xf);
}

static void flush_by_dc_cvap(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		dc_cvap(line);
}

static int persist_by_dc_cvap(uintptr_t start, uintptr_t end)
{
	flush_by_dc_cvap(start, end);
	dsb();
	return 0;
}

static void flush_by_dc_cvadp(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		dc_cvadp(line);
}

static int persist_by_dc_cvadp(uintptr_t start, uintptr_t end)
{
	flush_by_dc_cvadp(start, end);
	dsb();
	return 0;
}

static void fence_by_dsb(void)
{
	dsb();
}

static bool has_dc_cvap(void)
{
	read_line_size();
	return (getauxval(AT_HWCAP) & HWCAP_DC_CVAP) && proof_by_execution(persist_by_dc_cvap);
}

static bool has_dc_cvadp(void)
{
	read_line_size();
	return (getauxval(AT_HWCAP2) & HWCAP2_DC_CVADP) && proof_by_execution(persist_by_dc_cvadp);
}

const struct flush_method flush_dc_cvadp = {
	.name = "dc-cvadp",
	.proven = true,
	.usable = has_dc_cvadp,
	.flush = flush_by_dc_cvadp,
	.fence = fence_by_dsb,
	.persist = persist_by_dc_cvadp,
};

const struct flush_method flush_dc_cvap = {
	.name = "dc-cvap",
	.proven = true,
	.usable = has_dc_cvap,
	.flush = flush_by_dc_cvap,
	.fence = fence_by_dsb,
	.persist = persist_by_dc_cvap,
};
