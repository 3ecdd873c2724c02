/* missing-fence.c: data is flushed, but nothing waits for it before the mark that it is there */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct page {
	_Alignas(LINE) char text[LINE];
	_Alignas(LINE) uint64_t written;
};

static void run(void *pool)
{
	struct page *page = pool;

	memcpy(page->text, "a page of sixty-three letters, which fill a whole cache line..", LINE - 1); /* BUG */
	pmem_flush_cache(page->text, sizeof(page->text), 0);
	if (IS_FIXED)
		pmem_fence();
	page->written = 1;
	pmem_flush_cache(&page->written, sizeof(page->written), 0);
	pmem_fence();
}

static bool check(void *pool, size_t promised)
{
	const struct page *page = pool;

	(void)promised;
	return !page->written ||
	       memcmp(page->text, "a page of sixty-three letters, which fill a whole cache line..", LINE - 1) == 0;
}
