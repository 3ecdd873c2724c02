/* crash_work.c: what the recording of a program is measured on: a table in a pool: crash_work POOL BYTES OPERATIONS */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each operation computes an entry of one cache line, stores and persists it,
 * and counts it in the header: two persists, nine stores. The nanoseconds of an
 * operation are told on stderr, by the clock on the wall and of the processor;
 * the first pass over the pool is not counted.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pmem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 64, WORDS = LINE / sizeof(uint64_t) };

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void fill(uint64_t *entry, uint64_t key)
{
	for (int i = 0; i < WORDS; i++) {
		key = key * 6364136223846793005u + 1442695040888963407u;
		entry[i] = key;
	}
}

static void work(uint64_t *pool, size_t bytes, long operations)
{
	const size_t entries = bytes / LINE - 1;
	uint64_t key = 88172645463325252u;

	for (long i = 0; i < operations; i++) {
		uint64_t *entry;

		key ^= key << 13;
		key ^= key >> 7;
		key ^= key << 17;
		entry = pool + (1 + key % entries) * WORDS;
		fill(entry, key);
		pmem_persist(entry, LINE, 0);
		pool[0]++;
		pmem_persist(pool, sizeof(pool[0]), 0);
	}
}

int main(int argc, char *argv[])
{
	const size_t bytes = argc == 4 ? strtoull(argv[2], NULL, 0) : 0;
	const long operations = argc == 4 ? strtol(argv[3], NULL, 0) : 0;
	const int fd = argc == 4 ? open(argv[1], O_RDWR) : -1;
	uint64_t *pool = fd < 0 ? NULL : pmem_map(fd, bytes);
	double wall, processor;

	if (!pool || bytes < 2 * LINE || operations <= 0) {
		fprintf(stderr, "usage: crash_work POOL BYTES OPERATIONS\n");
		return 2;
	}
	memset(pool, 0, bytes);
	wall = now(CLOCK_MONOTONIC);
	processor = now(CLOCK_PROCESS_CPUTIME_ID);
	work(pool, bytes, operations);
	processor = now(CLOCK_PROCESS_CPUTIME_ID) - processor;
	wall = now(CLOCK_MONOTONIC) - wall;
	fprintf(stderr, "%.1f %.1f\n", wall / (double)operations, processor / (double)operations);
	return 0;
}
