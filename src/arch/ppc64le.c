/* ppc64le.c: dcbstps and phwsync */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Source: Power ISA 3.1, Book II: "dcbstps" (dcbf with L = 6) and "phwsync"
 * (sync with L = 4). Processors of ISA 2.07 and 3.0 execute them as dcbf and
 * hwsync, which do at least as much. The encodings are spelled out: assemblers
 * know the names only for -mpower10.
 */
#include "methods.h"
#include "proof.h"

#include <sys/auxv.h>

#define HWCAP2_ISA_2_07 0x80000000UL /* PPC_FEATURE2_ARCH_2_07 */

/* dcbf 0, r4 with L = 6. */
static inline void dcbstps(uintptr_t line)
{
	register uintptr_t address __asm__("r4") = line;

	__asm__ volatile(".long 0x7cc020ac" ::"r"(address) : "memory");
}

static inline void phwsync(void)
{
	__asm__ volatile(".long 0x7c8004ac" ::: "memory");
}

static void flush_by_dcbstps(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		dcbstps(line);
}

static void fence_by_phwsync(void)
{
	phwsync();
}

static int persist_by_dcbstps(uintptr_t start, uintptr_t end)
{
	flush_by_dcbstps(start, end);
	phwsync();
	return 0;
}

static bool has_dcbstps(void)
{
	const unsigned long block = getauxval(AT_DCACHEBSIZE);

	if (block == 0 || (block & (block - 1)) != 0)
		return false;
	flush_line = block;
	return (getauxval(AT_HWCAP2) & HWCAP2_ISA_2_07) && proof_by_execution(persist_by_dcbstps);
}

const struct flush_method flush_dcbstps = {
	.name = "dcbstps",
	.proven = true,
	.usable = has_dcbstps,
	.flush = flush_by_dcbstps,
	.fence = fence_by_phwsync,
	.persist = persist_by_dcbstps,
};
