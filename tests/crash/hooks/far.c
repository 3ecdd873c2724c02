/* far.c: stores below and above 4 GiB of a pool, which the recorder tells in two ways: far POOL */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <pmem.h>
#include <stdint.h>

enum { WORD = sizeof(uint64_t) };

int main(int argc, char *argv[])
{
	const uint64_t end = (uint64_t)1 << 32;
	const int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	uint64_t *pool = fd < 0 ? NULL : pmem_map(fd, end + 4096);

	if (!pool)
		return 1;
	pool[end / WORD - 1] = 0x4141414141414141;
	pool[end / WORD] = 0x4242424242424242;
	pmem_persist(&pool[end / WORD], WORD, 0);
	return 0;
}
