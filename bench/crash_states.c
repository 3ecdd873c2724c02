/* crash_states.c: how many crash states of a 1 MiB pool are tried in a second, in each mode of pmem_crash.h */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Built with and without the compiler's hooks. The recovery is small: it reads
 * eight lines and writes one.
 */
#include <pmem.h>
#include <pmem_crash.h>
#include <stdio.h>

enum {
	POOL = 1 << 20,
	OPERATIONS = 2000,
	ELEMENTS = 1000,
	ELEMENT_WORDS = 24, /* three lines */
};

static int run(void *pool, size_t size, void *arg)
{
	uint64_t *counter = pool;

	(void)size;
	(void)arg;
	for (uint64_t i = 1; i <= OPERATIONS; i++) {
		uint64_t *element = counter + 64 + i % ELEMENTS * ELEMENT_WORDS;

		element[0] = element[8] = element[16] = i;
		pmem_persist(element, ELEMENT_WORDS * sizeof(element[0]), 0);
		*counter = i;
		pmem_persist(counter, sizeof(*counter), 0);
	}
	return 0;
}

static int check(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	uint64_t *words = pool, sum = 0;

	(void)size;
	(void)promises;
	(void)arg;
	for (unsigned line = 0; line < 8; line++)
		sum += words[line * 8];
	words[8] = sum;
	return words[0] > OPERATIONS;
}

static int measure(const char *name, unsigned flags, double budget)
{
	const struct pmem_crash_test test = {
		.sz = sizeof(test),
		.name = name,
		.pool_size = POOL,
		.run = run,
		.check = check,
		.flags = flags | PMEM_CRASH_QUIET,
		.budget = budget,
	};
	struct pmem_crash_summary summary = {.sz = sizeof(summary)};

	if (pmem_crash_explore(&test, &summary) != 0)
		return 1;
	printf("%-28s %8zu states in %6.2f s: %7.0f a second\n", name, summary.states, summary.seconds,
	       (double)summary.states / summary.seconds);
	return 0;
}

int main(void)
{
	return measure(WITH_HOOKS ? "in process, with hooks" : "in process, without hooks", 0, 10) ||
	       measure("a process for each state", PMEM_CRASH_ISOLATED, 3);
}
