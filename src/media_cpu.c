/* media_cpu.c: persistent memory, and volatile memory in its place: the processor flushes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/arch.h"
#include "media.h"

int cpu_flush(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	if (atomic_load_explicit(&mapping->cpu_work, memory_order_relaxed) != CPU_FENCE)
		cpu.flush(start, end);
	return 0;
}
