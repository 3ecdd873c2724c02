/* pool.h: the pool of the programs that test the hooks */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file of one page, removed at once, mapped shared. */
static inline void *pool_map(void)
{
	char name[] = "/tmp/hooks.XXXXXX";
	const int fd = mkstemp(name);
	void *pool;

	if (fd < 0 || unlink(name) < 0 || ftruncate(fd, 4096) < 0)
		abort();
	pool = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pool == MAP_FAILED)
		abort();
	return pool;
}

#endif
