/* witness.c: preloaded, says on stderr what a program calls, and passes it on to the library */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libpmem.h>
#include <stdio.h>

void pmem_persist(const void *addr, size_t len)
{
	void (*const next)(const void *, size_t) = dlvsym(RTLD_NEXT, "pmem_persist", "LIBPMEM_1.0");

	fprintf(stderr, "witness: pmem_persist %zu\n", len);
	next(addr, len);
}

void *pmem_memcpy_persist(void *pmemdest, const void *src, size_t len)
{
	void *(*const next)(void *, const void *, size_t) = dlvsym(RTLD_NEXT, "pmem_memcpy_persist", "LIBPMEM_1.0");

	fprintf(stderr, "witness: pmem_memcpy_persist %zu\n", len);
	return next(pmemdest, src, len);
}
