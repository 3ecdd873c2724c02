/* torn-unaligned.c: a number of 8 bytes lies across two cache lines */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct __attribute__((packed)) header {
	char magic[IS_FIXED ? 64 : 60];
	uint64_t balance;
};

struct file {
	_Alignas(LINE) struct header header;
};

static void run(void *pool)
{
	struct file *file = pool;

	for (unsigned i = 0; i < 3; i++) {
		file->header.balance = 0x0101010101010101u * (i + 1); /* BUG */
		pmem_persist(&file->header, sizeof(file->header), 0);
	}
}

/* All bytes are equal. */
static bool check(void *pool, size_t promised)
{
	const struct file *file = pool;
	const uint64_t balance = file->header.balance;

	(void)promised;
	return balance == 0x0101010101010101u * (balance & 0xff);
}
