/* flush-before-store.c: the line is flushed by an instruction of the program's own, and then stored to */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct entry {
	_Alignas(LINE) uint64_t key;
	_Alignas(LINE) uint64_t present;
};

static void flush(const void *at)
{
	__asm__ volatile("clflushopt %0" : "+m"(*(volatile char *)at));
}

static void fence(void)
{
	__asm__ volatile("sfence" ::: "memory");
}

static void run(void *pool)
{
	struct entry *entry = pool;

	entry->key = 1;
	flush(&entry->key);
	entry->key = 42; /* BUG */
	if (IS_FIXED)
		flush(&entry->key);
	fence();
	entry->present = 1;
	flush(&entry->present);
	fence();
}

static bool check(void *pool, size_t promised)
{
	const struct entry *entry = pool;

	(void)promised;
	return !entry->present || entry->key == 42;
}
