/* pwrite-order.c: data and commit are written with pwrite, and synced once, at the end */
/* SPDX-License-Identifier: BSD-3-Clause */
#define CORPUS_OWN_MAIN
#define CORPUS_PLAIN_MMAP
#include "corpus.h"

enum { WORDS = 64 };

struct image {
	uint64_t committed;
	uint64_t unused[511];
	uint64_t data[WORDS];
};

static int file;

static void write_at(const void *bytes, size_t length, off_t at)
{
	if (pwrite(file, bytes, length, at) != (ssize_t)length) /* BUG */
		stop("pwrite");
}

static void sync_file(void)
{
	if (fdatasync(file) < 0)
		stop("fdatasync");
}

static void run(void *pool)
{
	const uint64_t one = 1;
	uint64_t data[WORDS];

	(void)pool;
	for (unsigned i = 0; i < WORDS; i++)
		data[i] = i + 1;
	write_at(data, sizeof(data), offsetof(struct image, data)); /* BUG */
	if (IS_FIXED)
		sync_file();
	write_at(&one, sizeof(one), offsetof(struct image, committed)); /* BUG */
	sync_file();
}

static bool check(void *pool, size_t promised)
{
	const struct image *image = pool;

	(void)promised;
	for (unsigned i = 0; image->committed && i < WORDS; i++) {
		if (image->data[i] != i + 1)
			return false;
	}
	return true;
}

int main(int argc, char *argv[])
{
	if (argc != 3)
		return 99;
	if (strcmp(argv[1], "check") == 0)
		return check(map_pool(argv[2]), 0) ? 0 : 1;
	file = open(argv[2], O_RDWR);
	if (file < 0)
		stop(argv[2]);
	run(NULL);
	return 0;
}
