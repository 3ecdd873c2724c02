/* unseen.c: stores that no hook tells of: comparing finds them at the flush, and at the end */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "unseen_library.h"

#include <fcntl.h>
#include <pmem.h>
#include <stdint.h>
#include <stdlib.h>

struct row {
	uint64_t cells[5];
};

/* gcc lets this store straight to where the caller wants the result, with vector instructions. */
__attribute__((noinline)) static struct row make_row(uint64_t value)
{
	return (struct row){{value, value + 1, value + 2, value + 3, value + 4}};
}

__attribute__((noinline, no_sanitize("thread"))) static void store_without_hooks(uint64_t *at)
{
	*at = 0x4141414141414141;
}

int main(int argc, char *argv[])
{
	const int fd = argc == 2 ? open(argv[1], O_RDWR) : -1;
	char *pool = fd >= 0 ? pmem_map(fd, 16384) : NULL;

	if (!pool)
		abort();
	*(struct row *)pool = make_row(0x3131313131313131);
	pmem_persist(pool, sizeof(struct row), 0);
	store_without_hooks((uint64_t *)(pool + 64));
	pmem_persist(pool + 64, 8, 0);
	*(uint64_t *)(pool + 128) = 0x4242424242424242;
	store_in_library(pool + 136);
	pmem_persist(pool + 128, 64, 0);
	store_in_library(pool + 256);
	return 0;
}
