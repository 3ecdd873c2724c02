/* select.c: ranks the ways to flush and chooses one, once, at load */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "methods.h"

#include <stddef.h>
#ifdef PMEM_TEST_BUILD
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#endif

/*
 * Best first; the first that is usable is taken.
 *
 * x86-64: clwb leaves the line cached; clflushopt evicts it; clflush does so one
 * line after the other. arm64: the point of deep persistence survives a sudden
 * loss of power, the point of persistence may rely on a battery.
 */
static const struct flush_method *const ranking[] = {
#if defined(__x86_64__)
	&flush_clwb,
	&flush_clflushopt,
	&flush_clflush,
#elif defined(__aarch64__)
	&flush_dc_cvadp,
	&flush_dc_cvap,
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
	&flush_dcbstps,
#elif defined(__riscv) && __riscv_xlen == 64
	&flush_cbo_clean,
#endif
	&flush_none,
};

enum { METHODS = sizeof(ranking) / sizeof(ranking[0]) };

uintptr_t flush_line = 64;

struct flush_method cpu;

#ifdef PMEM_TEST_BUILD
/*
 * PMEM_TEST_FLUSH=NAME takes that method, so that each runs on one machine. A
 * test that asked for what does not exist must not pass with something else.
 */
static const struct flush_method *narrowed(void)
{
	const char *name = getenv("PMEM_TEST_FLUSH");

	if (!name)
		return NULL;
	for (size_t i = 0; i < METHODS; i++) {
		if (strcmp(ranking[i]->name, name) == 0 && ranking[i]->usable())
			return ranking[i];
	}
	fprintf(stderr, "PMEM_TEST_FLUSH=%s: this processor has:", name);
	for (size_t i = 0; i < METHODS; i++) {
		if (ranking[i]->usable())
			fprintf(stderr, " %s", ranking[i]->name);
	}
	fputc('\n', stderr);
	abort();
}
#else
static const struct flush_method *narrowed(void)
{
	return NULL;
}
#endif

static const struct flush_method *best(void)
{
	size_t i = 0;

	while (!ranking[i]->usable())
		i++;
	return ranking[i];
}

__attribute__((constructor(101))) static void select_flush_method(void)
{
	const struct flush_method *chosen = narrowed();

	cpu = chosen ? *chosen : *best();
}
