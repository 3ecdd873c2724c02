/* riscv64.c: cbo.clean, where the kernel lets user mode execute it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources: RISC-V Cache Management Operations 1.0 (Zicbom); the kernel's
 * Documentation/arch/riscv/hwprobe.rst. Whether user mode may execute cbo.clean
 * is decided by senvcfg: hwprobe reports Zicbom only where it may.
 */
#include "methods.h"
#include "proof.h"

#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_riscv_hwprobe
#define SYS_riscv_hwprobe 258
#endif

enum {
	HWPROBE_KEY_IMA_EXT_0 = 4,
	HWPROBE_KEY_ZICBOM_BLOCK_SIZE = 12,
};

#define HWPROBE_EXT_ZICBOM (UINT64_C(1) << 55)

struct hwprobe_pair {
	int64_t key;
	uint64_t value;
};

/* cbo.clean is MISC-MEM with funct3 2 and immediate 1. */
static inline void cbo_clean(uintptr_t line)
{
	__asm__ volatile(".insn i 0x0f, 2, x0, %0, 1" ::"r"(line) : "memory");
}

static inline void fence_all(void)
{
	__asm__ volatile("fence iorw, iorw" ::: "memory");
}

static void flush_by_cbo_clean(uintptr_t start, uintptr_t end)
{
	const uintptr_t step = flush_line;

	for (uintptr_t line = line_of(start); line < end; line += step)
		cbo_clean(line);
}

static void fence_by_fence(void)
{
	fence_all();
}

static int persist_by_cbo_clean(uintptr_t start, uintptr_t end)
{
	flush_by_cbo_clean(start, end);
	fence_all();
	return 0;
}

static bool has_cbo_clean(void)
{
	struct hwprobe_pair pairs[] = {
		{.key = HWPROBE_KEY_IMA_EXT_0},
		{.key = HWPROBE_KEY_ZICBOM_BLOCK_SIZE},
	};
	uint64_t block;

	if (syscall(SYS_riscv_hwprobe, pairs, 2UL, 0UL, NULL, 0UL) != 0)
		return false;
	if (pairs[0].key < 0 || !(pairs[0].value & HWPROBE_EXT_ZICBOM) || pairs[1].key < 0)
		return false;
	block = pairs[1].value;
	if (block == 0 || (block & (block - 1)) != 0)
		return false;
	flush_line = block;
	return proof_by_execution(persist_by_cbo_clean);
}

const struct flush_method flush_cbo_clean = {
	.name = "cbo.clean",
	.proven = true,
	.usable = has_cbo_clean,
	.flush = flush_by_cbo_clean,
	.fence = fence_by_fence,
	.persist = persist_by_cbo_clean,
};
