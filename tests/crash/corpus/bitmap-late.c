/* bitmap-late.c: a page is handed out and filled before the bitmap says that it is taken */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct volume {
	_Alignas(LINE) uint64_t taken; /* a bit for each page */
	_Alignas(LINE) uint64_t pages[4];
	_Alignas(LINE) uint64_t root; /* the page of the directory + 1 */
};

static void take(struct volume *volume, unsigned page)
{
	volume->taken |= 1u << page; /* BUG */
	if (IS_FIXED)
		pmem_persist(&volume->taken, sizeof(volume->taken), 0);
}

static void run(void *pool)
{
	struct volume *volume = pool;

	for (unsigned page = 0; page < 3; page++) {
		take(volume, page);
		volume->pages[page] = 1000 + page;
		pmem_persist(&volume->pages[page], sizeof(volume->pages[page]), 0);
		volume->root = page + 1;
		pmem_persist(&volume->root, sizeof(volume->root), 0);
	}
}

/* What the root refers to is taken: else the next one who wants a page gets it. */
static bool check(void *pool, size_t promised)
{
	const struct volume *volume = pool;

	(void)promised;
	if (!volume->root)
		return true;
	return volume->root <= 3 && (volume->taken & 1u << (volume->root - 1)) &&
	       volume->pages[volume->root - 1] == 999 + volume->root;
}
