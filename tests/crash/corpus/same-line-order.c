/* same-line-order.c: within one cache line the mark is stored before what it vouches for */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct setting {
	_Alignas(LINE) volatile uint64_t set;
	volatile uint64_t width, height;
};

static void run(void *pool)
{
	struct setting *setting = pool;

	if (!IS_FIXED)
		setting->set = 1; /* BUG */
	setting->width = 640;     /* BUG */
	setting->height = 480;    /* BUG */
	if (IS_FIXED)
		setting->set = 1;
	pmem_persist(setting, sizeof(*setting), 0);
}

static bool check(void *pool, size_t promised)
{
	const struct setting *setting = pool;

	(void)promised;
	return !setting->set || (setting->width == 640 && setting->height == 480);
}
