/* generic.c: a processor without a proven way to flush; everything durable goes through msync(2) */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods.h"

#include <stdatomic.h>

static bool usable_always(void)
{
	return true;
}

static void flush(uintptr_t start, uintptr_t end)
{
	(void)start;
	(void)end;
}

static void fence(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

static int persist(uintptr_t start, uintptr_t end)
{
	flush(start, end);
	fence();
	return 0;
}

const struct flush_method flush_none = {
	.name = "none",
	.proven = false,
	.usable = usable_always,
	.flush = flush,
	.fence = fence,
	.persist = persist,
};
