/* copy_plain.c: the C library's memmove and memset, a block at a time, and whatever flush was chosen */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "copy.h"
#include "methods.h"

#include <string.h>

/* Bytes: small enough to be in the first-level cache still when they are flushed. */
#define BLOCK ((size_t)2048)

static bool usable_always(void)
{
	return true;
}

static void flush(const char *at, size_t length)
{
	if (length > 0)
		cpu.flush((uintptr_t)at, (uintptr_t)at + length);
}

/* The bytes from at to the next multiple of the block size, so that no line is flushed twice. */
static size_t block_at(const char *at, size_t left)
{
	const size_t length = BLOCK - (uintptr_t)at % BLOCK;

	return length < left ? length : left;
}

static void *copy_plainly(void *dst, const void *src, size_t length, bool fence)
{
	const bool from_the_end = (uintptr_t)dst - (uintptr_t)src < length;
	const char *from = src;
	char *to = dst;
	size_t block;

	for (size_t left = length; left > 0; left -= block) {
		block = from_the_end ? left : block_at(to, left);
		move_untorn(to, from, block);
		flush(to, block);
		to += block;
		from += block;
	}
	if (fence)
		cpu.fence();
	return dst;
}

static void *fill_plainly(void *dst, int byte, size_t length, bool fence)
{
	char *to = dst;
	size_t block;

	for (size_t left = length; left > 0; left -= block) {
		block = block_at(to, left);
		memset(to, byte, block);
		flush(to, block);
		to += block;
	}
	if (fence)
		cpu.fence();
	return dst;
}

#define WAY                                                                                                            \
	{                                                                                                              \
		.copy = copy_plainly, .fill = fill_plainly                                                             \
	}

const struct copy_method copy_plain = {
	.name = "plain",
	.usable = usable_always,
	.with =
		{
			[FLUSH_OTHER] = WAY,
			[FLUSH_CLWB] = WAY,
			[FLUSH_CLFLUSHOPT] = WAY,
			[FLUSH_CLFLUSH] = WAY,
		},
};
