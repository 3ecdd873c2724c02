/* select.c: ranks the ways to flush and to copy and chooses one of each, once, at load */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "methods.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#ifdef PMEM_TEST_BUILD
#include <stdio.h>
#endif

/*
 * Best first; the first that is usable is taken.
 *
 * x86-64: clwb leaves the line cached; clflushopt evicts it; clflush does so one
 * line after the other. arm64: the point of deep persistence survives a sudden
 * loss of power, the point of persistence may rely on a battery.
 */
static const struct flush_method *const flush_ranking[] = {
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

/*
 * Direct stores go past the caches, so that a whole line needs no flush; the
 * others store and flush, the wider the fewer instructions.
 */
static const struct copy_method *const copy_ranking[] = {
#if defined(__x86_64__)
	&copy_direct,
	&copy_avx,
	&copy_sse2,
#endif
	&copy_plain,
};

/* What the environment variables of PMDK forbid; never in a set-user-ID program. */
static const struct {
	const char *method;
	const char *variable;
	const char *value;
} forbidden[] = {
	{"clwb", "PMEM_NO_CLWB", "1"},    {"clflushopt", "PMEM_NO_CLFLUSHOPT", "1"}, {"avx", "PMEM_AVX", "0"},
	{"direct", "PMEM_NO_MOVNT", "1"}, {"direct", "PMEM_MOVDIR64B", "0"},
};

static bool is_forbidden(const char *method)
{
	const char *value;

	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		value = strcmp(forbidden[i].method, method) == 0 ? secure_getenv(forbidden[i].variable) : NULL;
		if (value && strcmp(value, forbidden[i].value) == 0)
			return true;
	}
	return false;
}

enum {
	FLUSHES = sizeof(flush_ranking) / sizeof(flush_ranking[0]),
	COPIES = sizeof(copy_ranking) / sizeof(copy_ranking[0]),
};

uintptr_t flush_line = 64;

struct flush_method cpu;
struct copy_way cpu_copy;
const char *cpu_copy_name;

static const char *flush_name(unsigned rank)
{
	return flush_ranking[rank]->name;
}

static bool flush_is_usable(unsigned rank)
{
	return flush_ranking[rank]->usable() && !is_forbidden(flush_name(rank));
}

static const char *copy_name(unsigned rank)
{
	return copy_ranking[rank]->name;
}

static bool copy_is_usable(unsigned rank)
{
	return copy_ranking[rank]->with[cpu.kind].copy && copy_ranking[rank]->usable() &&
	       !is_forbidden(copy_name(rank));
}

/* One of the two rankings. */
struct choice {
	const char *variable;
	unsigned count;
	const char *(*name)(unsigned rank);
	bool (*usable)(unsigned rank);
};

static const struct choice flush_choice = {"PMEM_TEST_FLUSH", FLUSHES, flush_name, flush_is_usable};
static const struct choice copy_choice = {"PMEM_TEST_COPY", COPIES, copy_name, copy_is_usable};

#ifdef PMEM_TEST_BUILD
/*
 * PMEM_TEST_FLUSH=NAME and PMEM_TEST_COPY=NAME take that method, so that each
 * runs on one machine. A test that asked for what does not exist must not pass
 * with something else.
 */
static unsigned choose(const struct choice *choice)
{
	const char *name = getenv(choice->variable);
	unsigned rank = 0;

	while (rank < choice->count && !((!name || strcmp(choice->name(rank), name) == 0) && choice->usable(rank)))
		rank++;
	if (rank < choice->count)
		return rank;
	fprintf(stderr, "%s=%s: this processor has:", choice->variable, name);
	for (rank = 0; rank < choice->count; rank++) {
		if (choice->usable(rank))
			fprintf(stderr, " %s", choice->name(rank));
	}
	fputc('\n', stderr);
	abort();
}
#else
/* The last of each ranking is always usable. */
static unsigned choose(const struct choice *choice)
{
	unsigned rank = 0;

	while (!choice->usable(rank))
		rank++;
	return rank;
}
#endif

__attribute__((constructor(101))) static void select_methods(void)
{
	const struct copy_method *copy;

	cpu = *flush_ranking[choose(&flush_choice)];
	copy = copy_ranking[choose(&copy_choice)];
	cpu_copy = copy->with[cpu.kind];
	cpu_copy_name = copy->name;
}
