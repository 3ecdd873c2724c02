/* lock-left-taken.c: a lock in the pool is still taken after a power cut, and recovery waits for it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

#include <stdatomic.h>

struct counter {
	_Alignas(LINE) _Atomic uint32_t locked;
	_Alignas(LINE) uint64_t value;
};

static void lock(struct counter *counter)
{
	while (atomic_exchange(&counter->locked, 1)) /* BUG */
		;
}

static void unlock(struct counter *counter)
{
	atomic_store(&counter->locked, 0); /* BUG */
}

static void run(void *pool)
{
	struct counter *counter = pool;

	lock(counter);
	counter->value++; /* BUG */
	pmem_persist(&counter->value, sizeof(counter->value), 0);
	unlock(counter);
}

static bool check(void *pool, size_t promised)
{
	struct counter *counter = pool;

	(void)promised;
	if (IS_FIXED)
		unlock(counter); /* nobody has it yet */
	lock(counter);
	return counter->value <= 1;
}
