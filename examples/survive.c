/* survive.c: a program that keeps two copies of its data, and survives when the memory loses one */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * survive FILE: makes the two copies if there are none, waits for a line on
 * stdin, then reads everything and mends what is lost or damaged.
 */
#include "map_file.h"

#include <setjmp.h>
#include <stdbool.h>

enum {
	BLOCK = 4096,
	COPY = 2 << 20, /* farther apart than one error reaches, and a multiple of what a device-dax wants */
	BLOCKS = COPY / BLOCK,
};

struct block {
	uint64_t checksum;
	unsigned char data[BLOCK - sizeof(uint64_t)];
};

static sigjmp_buf back;
static struct pmem_error_info lost = {.sz = sizeof(lost)};

/* FNV-1a; never 0, so that a block of zeros is no good one. */
static uint64_t checksum_of(const struct block *block)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(block->data); i++)
		sum = (sum ^ block->data[i]) * UINT64_C(0x100000001b3);
	return sum | 1;
}

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (pmem_get_error_info(info, &lost) < 0) {
		signal(number, SIG_DFL); /* not about memory: die of it */
		raise(number);
		return;
	}
	if (!lost.resumable) /* else the data is still whole where this thread reads */
		siglongjmp(back, 1);
}

/* Takes a private copy. False if the memory cannot give it; lost says what is the matter. */
static bool read_block(const struct block *from, struct block *to)
{
	if (sigsetjmp(back, 1) != 0)
		return false;
	memcpy(to, from, sizeof(*to));
	return true;
}

static void report(off_t offset, size_t len, void *arg)
{
	(void)arg;
	printf("lost: %zu bytes at %jd, now zeros\n", len, (intmax_t)offset);
}

/* Gives the lost range back to use; the file is mapped anew, at another address perhaps. */
static char *clear(int fd, const char *path, char *base)
{
	off_t offset = (const char *)lost.addr - base;

	printf("%s, at %jd: %s\n", path, (intmax_t)offset, lost.message);
	pmem_unmap(base, 2 * COPY);
	posix_fallocate(fd, 0, 2 * COPY); /* if somebody has cut the file */
	if (pmem_clear_error(fd, offset, lost.len, report, NULL) < 0)
		die(path, pmem_errormsg());
	return map_file(path, &(size_t){2 * COPY});
}

static void fill(struct block *blocks)
{
	for (unsigned i = 0; i < 2 * BLOCKS; i++) {
		memset(blocks[i].data, (int)(1 + i % BLOCKS % 251), sizeof(blocks[i].data));
		blocks[i].checksum = checksum_of(&blocks[i]);
	}
	pmem_persist(blocks, 2 * COPY, 0);
}

int main(int argc, char *argv[])
{
	const struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
	static struct block good[2];
	size_t size = 2 * COPY;
	unsigned mended = 0;
	char *base;
	int fd;

	if (argc != 2)
		die("survive", "usage: survive FILE");
	sigaction(SIGBUS, &action, NULL);
	base = map_file(argv[1], &size);
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || size < 2 * COPY)
		die(argv[1], "cannot be opened, or is too small");
	if (read_block((struct block *)base, &good[0]) && good[0].checksum == 0)
		fill((struct block *)base);
	puts("mapped; a line on stdin goes on");
	if (fflush(stdout) != 0 || getchar() == EOF)
		return 1;
	for (volatile unsigned i = 0; i < 2 * BLOCKS; i++) {
		if (!read_block((struct block *)base + i, &good[0]))
			base = clear(fd, argv[1], base);
		else if (good[0].checksum == checksum_of(&good[0]))
			continue;
		if (!read_block((struct block *)base + (i + BLOCKS) % (2 * BLOCKS), &good[1]) ||
		    good[1].checksum != checksum_of(&good[1]))
			die(argv[1], "both copies of a block are lost");
		pmem_copy_persist((struct block *)base + i, &good[1], BLOCK);
		mended++;
	}
	printf("%d blocks are good, %u of them mended\n", 2 * BLOCKS, mended);
	return 0;
}
