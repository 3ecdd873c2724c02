/* media_cpu.c: persistent memory, and volatile memory in its place: the processor flushes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/arch.h"
#include "failure.h"
#include "media.h"
#include "pages.h"
#include "suspect.h"

int cpu_flush(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	if (atomic_load_explicit(&mapping->cpu_work, memory_order_relaxed) != CPU_FENCE)
		cpu.flush(start, end);
	return 0;
}

int cpu_sync(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	int error;

	if (mapping->device_dax) {
		cpu.persist(start, end);
		return 0;
	}
	error = suspect_msync(page_down(start), page_up(end));
	if (error == 0)
		return 0;
	return fail_range(error, start, end, "NOT durable: %zu bytes at %p: msync failed: %m", (size_t)(end - start),
			  (void *)start);
}
