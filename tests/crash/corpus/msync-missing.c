/* msync-missing.c: one msync for data and commit together: the kernel writes pages in any order */
/* SPDX-License-Identifier: BSD-3-Clause */
#define CORPUS_PLAIN_MMAP
#include "corpus.h"

enum { PAGE = 4096 };

struct store {
	_Alignas(PAGE) uint64_t committed;
	_Alignas(PAGE) uint64_t words[PAGE / sizeof(uint64_t)];
};

static void run(void *pool)
{
	struct store *store = pool;

	for (unsigned i = 0; i < 8; i++)
		store->words[64 * i] = 42; /* BUG */
	if (IS_FIXED && msync(store->words, PAGE, MS_SYNC) < 0)
		stop("msync");
	store->committed = 1;
	if (msync(store, sizeof(*store), MS_SYNC) < 0)
		stop("msync");
}

static bool check(void *pool, size_t promised)
{
	const struct store *store = pool;

	(void)promised;
	for (unsigned i = 0; store->committed && i < 8; i++) {
		if (store->words[64 * i] != 42)
			return false;
	}
	return true;
}
