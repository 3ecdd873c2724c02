/* pmdk_persist.c: pmem_persist() of libpmem.h, which pmem.h has with other parameters */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Programs that were linked with PMDK's library call pmem_persist@LIBPMEM_1.0.
 * Those that are compiled with libpmem.h call libpmem_persist, which the static
 * library has as well: it could not have two functions of one name.
 */
#include "pmdk.h"

#include "arch/arch.h"
#include "failure.h"
#include "media.h"

#include <libpmem.h>

#define likely(condition) __builtin_expect(!!(condition), 1)

#ifdef PMEM_SHARED_LIBRARY
/* The attribute survives link-time optimization with GCC; Clang knows the directive alone. */
#if defined(__has_attribute) && __has_attribute(symver)
__attribute__((symver("pmem_persist@LIBPMEM_1.0"))) void libpmem_persist(const void *addr, size_t len);
#else
__asm__(".symver libpmem_persist, pmem_persist@LIBPMEM_1.0");
#endif
#endif

/* Every range that is not one known mapping's, and every work that is not the processor's alone. */
__attribute__((noinline)) static void persist_otherwise(uintptr_t address, size_t length)
{
	if (pmdk_flush(address, length) < 0 || media_fence() < 0)
		failure_report();
}

/* As the hot path of pmem.h, and nothing is stored to the stack either. */
void libpmem_persist(const void *addr, size_t len)
{
	const uintptr_t address = (uintptr_t)addr;

	if (likely(pmdk_work(address, len) == CPU_FLUSH && page_pending == 0))
		cpu.persist(address, address + len);
	else
		persist_otherwise(address, len);
}
