/* msync-wrong-page.c: the page before the one that was written is synced */
/* SPDX-License-Identifier: BSD-3-Clause */
#define CORPUS_PLAIN_MMAP
#include "corpus.h"

enum { PAGE = 4096 };

struct store {
	_Alignas(PAGE) uint64_t count;
	_Alignas(PAGE) uint64_t pages[2][PAGE / sizeof(uint64_t)];
};

static void sync_page(void *at)
{
	if (msync(at, PAGE, MS_SYNC) < 0)
		stop("msync");
}

static void run(void *pool)
{
	struct store *store = pool;

	for (uint64_t i = 0; i < 2; i++) {
		store->pages[i][7] = i + 1; /* BUG */
		sync_page((char *)store->pages[i] - (IS_FIXED ? 0 : PAGE));
		store->count = i + 1;
		sync_page(&store->count);
	}
}

static bool check(void *pool, size_t promised)
{
	const struct store *store = pool;

	(void)promised;
	for (uint64_t i = 0; i < store->count; i++) {
		if (store->pages[i][7] != i + 1)
			return false;
	}
	return store->count <= 2;
}
