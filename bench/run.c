/* run.c: all suites, one after the other, and what can be said only when all are done */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "peer.h"
#include "suites.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct suite bench_suites[] = {
	{"persist", "pmem_persist: what is stored already", 0.12, bench_persist},
	{"copy", "pmem_copy_persist", 0.34, bench_copy},
	{"fill", "pmem_fill_persist", 0.13, bench_fill},
	{"flush-many", "N lines flushed, one fence", 0.05, bench_flush_many},
	{"look-up", "64-byte persists spread over N mappings", 0.04, bench_look_up},
	{"map", "Open, map, first touch, unmap", 0.10, bench_mapping},
	{"page-cache", "Page cache: N ranges flushed, one fence", 0.22, bench_page_cache},
	{.name = NULL},
};

static void pin(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

/* What flushing lines that are dirty in the first-level cache takes, and nothing else; 0 if it is not known. */
static double time_of_flushing(const struct bench *bench, size_t length)
{
	for (unsigned i = 0; i < bench->suite_count; i++) {
		const struct suite_results *suite = &bench->suites[i];

		for (unsigned j = 0; strcmp(suite->name, "persist") == 0 && j < suite->count; j++) {
			if (suite->results[j].length == length && strcmp(suite->results[j].state, "L1-hot") == 0)
				return bench_standing(&suite->results[j], ROLE_FLOOR)->nanoseconds.median;
		}
	}
	return 0;
}

/*
 * Nobody can store and flush dirty lines in half of the time that flushing them
 * takes. Who does leaves them in the cache: a non-temporal store is allowed to.
 */
static void find_what_is_no_persist(const struct bench *bench)
{
	const struct standing *other;

	for (unsigned i = 0; i < bench->suite_count; i++) {
		for (unsigned j = 0; j < bench->suites[i].count; j++) {
			struct result *result = &bench->suites[i].results[j];

			other = bench_standing(result, ROLE_PEER);
			if (other && strcmp(result->state, "L1-hot") == 0)
				result->peer_is_no_persist =
					other->nanoseconds.median < time_of_flushing(bench, result->length) / 2;
		}
	}
}

int bench_run(struct bench *bench)
{
	const bool terminal = isatty(STDERR_FILENO);
	unsigned suites = 0;

	if (bench->peer_path && peer_load(bench->peer_path) < 0)
		return -1;
	while (bench_suites[suites].name)
		suites++;
	bench->suites = calloc(suites, sizeof(bench->suites[0]));
	if (!bench->suites) {
		fputs("pmem bench: no memory\n", stderr);
		return -1;
	}
	pin();
	for (; bench->suite_count < suites; bench->suite_count++) {
		const struct suite *suite = &bench_suites[bench->suite_count];
		struct suite_results *results = &bench->suites[bench->suite_count];

		fprintf(stderr, "%spmem bench: %u of %u: %s, about %.0f s%s", terminal ? "\r\033[K" : "",
			bench->suite_count + 1, suites, suite->name, suite->share * bench->seconds,
			terminal ? "" : "\n");
		results->name = suite->name;
		results->title = suite->title;
		results->skipped = suite->run(bench, results, suite->share * bench->seconds);
	}
	if (terminal)
		fputs("\r\033[K", stderr);
	find_what_is_no_persist(bench);
	return 0;
}
