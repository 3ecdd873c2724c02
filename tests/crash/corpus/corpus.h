/* corpus.h: runs a program of the corpus, by itself or, with CORPUS_UNIT, as a unit test */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PROGRAM run POOL..., PROGRAM check POOL...
 *
 * A program defines run(), which a power cut interrupts, and check(), which
 * recovers the pool as its next start would and tells whether what it finds is
 * right. A pool starts as zeros, which check() accepts. Built with -DFIXED it is
 * the program without its bug; the stores to blame are marked BUG.
 */
#ifndef CORPUS_H
#define CORPUS_H

#include <fcntl.h>
#include <pmem.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef FIXED
#define IS_FIXED 1
#else
#define IS_FIXED 0
#endif

enum { POOL_SIZE = 16384, LINE = 64 };

static void run(void *pool);

/* promised: how often run() had called acknowledge(). */
static bool check(void *pool, size_t promised);

#ifdef CORPUS_UNIT

#include <pmem_crash.h>

static inline void acknowledge(void)
{
	pmem_crash_acknowledge(1);
}

static int unit_run(void *pool, size_t size, void *arg)
{
	(void)size, (void)arg;
	run(pool);
	return 0;
}

static int unit_check(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)arg;
	return check(pool, promises->count) ? 0 : 1;
}

/* PROGRAM JSON-FILE: exits with the number of findings. */
int main(int argc, char *argv[])
{
	const struct pmem_crash_test test = {
		.sz = sizeof(test),
		.name = argv[0],
		.pool_size = POOL_SIZE,
		.run = unit_run,
		.check = unit_check,
		.json = argc > 1 ? argv[1] : NULL,
	};

	return pmem_crash_explore(&test, NULL);
}

#else

static inline void stop(const char *what)
{
	perror(what);
	exit(99);
}

/* A promise to the world: a line on stdout. */
static inline void acknowledge(void)
{
	if (write(STDOUT_FILENO, "done\n", 5) != 5)
		stop("stdout");
}

static inline size_t count_promises(void)
{
	const char *name = getenv("PMEM_CRASH_OUTPUT");
	FILE *file = name ? fopen(name, "r") : NULL;
	size_t count = 0;

	while (file && !feof(file))
		count += fgetc(file) == '\n';
	if (file)
		fclose(file);
	return count;
}

static inline void *map_pool(const char *name)
{
	const int fd = open(name, O_RDWR);
	void *pool;

	if (fd < 0)
		stop(name);
#ifdef CORPUS_PLAIN_MMAP
	pool = mmap(NULL, POOL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pool == MAP_FAILED)
		stop(name);
#else
	pool = pmem_map(fd, POOL_SIZE);
	if (!pool)
		stop(name);
#endif
	return pool;
}

#ifndef CORPUS_OWN_MAIN
int main(int argc, char *argv[])
{
	void *pool;

	if (argc != 3)
		return 99;
	pool = map_pool(argv[2]);
	if (strcmp(argv[1], "check") == 0)
		return check(pool, count_promises()) ? 0 : 1;
	run(pool);
	return 0;
}
#endif
#endif
#endif
