/* nontemporal-without-fence.c: stores past the caches are on their way when the mark becomes durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

#include <immintrin.h>

struct block {
	_Alignas(LINE) long long words[8];
	_Alignas(LINE) uint64_t written;
};

static void run(void *pool)
{
	struct block *block = pool;

	for (unsigned i = 0; i < 8; i++)
		_mm_stream_si64(&block->words[i], i + 1); /* BUG */
	if (IS_FIXED)
		_mm_sfence();
	block->written = 1;
	pmem_persist(&block->written, sizeof(block->written), 0);
}

static bool check(void *pool, size_t promised)
{
	const struct block *block = pool;

	(void)promised;
	for (unsigned i = 0; block->written && i < 8; i++) {
		if (block->words[i] != i + 1)
			return false;
	}
	return true;
}
