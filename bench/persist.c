/* persist.c: what pmem_persist() costs beside the bare instructions, as ratios: bench-persist [FILE] */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two are measured in turns inside one process, pinned to one processor, in
 * rotating order, on memory that is stored to just before; the figure is the
 * median over many turns. Ratios hold; nanoseconds are of this machine and hour.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <fcntl.h>
#include <pmem.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	POOL_SIZE = 64 << 20,
	TURNS = 150,
	BYTES_PER_TURN = 256 << 10, /* of lines touched */
	CALLS_MIN = 16,
	CALLS_MAX = 2048,
	LINE = 64,
};

/* Where in the caches a line is when it is stored to. */
enum state {
	STATE_COLD,  /* long not touched */
	STATE_HOT,   /* the same few lines again */
	STATE_CLEAN, /* not stored to at all: the cost of the call */
};

static const char *const state_names[] = {
	[STATE_COLD] = "cold",
	[STATE_HOT] = "hot",
	[STATE_CLEAN] = "clean",
};

struct run {
	enum state state;
	size_t length;
	unsigned mappings;
};

static char *pool;
static char *mapping_of[1024]; /* the mappings that a run spreads its calls over */

static double nanoseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void dirty(char *at, size_t length, uint64_t value)
{
	for (size_t done = 0; done < length; done += LINE)
		*(volatile uint64_t *)(at + done) = value;
}

static size_t stride_of(const struct run *run)
{
	return (run->length + LINE - 1) / LINE * LINE;
}

static unsigned calls_of(const struct run *run)
{
	const size_t calls = BYTES_PER_TURN / stride_of(run);

	return 1 + (unsigned)(calls < CALLS_MIN ? CALLS_MIN : calls > CALLS_MAX ? CALLS_MAX : calls);
}

/* The next range; cold ones move on through the pool, so that they come back long after. */
static char *next_range(const struct run *run, unsigned call, size_t *position)
{
	if (run->mappings > 1)
		return mapping_of[call * 7 % run->mappings];
	if (run->state != STATE_COLD)
		return pool + call % 4 * stride_of(run);
	*position += stride_of(run);
	if (*position + run->length > POOL_SIZE)
		*position = 0;
	return pool + *position;
}

static void persist_by_library(char *at, size_t length)
{
	pmem_persist(at, length, 0);
}

/* Always inlined, so that the floor is a loop of bare instructions. */
__attribute__((always_inline)) static inline double turn(const struct run *run, size_t *position,
							 void (*persist)(char *at, size_t length))
{
	const unsigned calls = calls_of(run);
	const double start = nanoseconds();

	for (unsigned call = 0; call < calls; call++) {
		char *at = next_range(run, call, position);

		if (run->state != STATE_CLEAN)
			dirty(at, run->length, call);
		persist(at, run->length);
	}
	return (nanoseconds() - start) / calls;
}

static double turn_of_library(const struct run *run, size_t *position)
{
	return turn(run, position, persist_by_library);
}

static double turn_of_floor(const struct run *run, size_t *position)
{
	return turn(run, position, floor_persist);
}

/* The floor twice: how far its second ratio is from 1 is how far to trust the first. */
enum contestant { FLOOR, LIBRARY, CONTROL, CONTESTANTS };

static double (*const turn_of[])(const struct run *run, size_t *position) = {
	[FLOOR] = turn_of_floor,
	[LIBRARY] = turn_of_library,
	[CONTROL] = turn_of_floor,
};

static int ascending(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double quantile(double *values, double at)
{
	qsort(values, TURNS, sizeof(values[0]), ascending);
	return values[(size_t)(at * (TURNS - 1))];
}

/* Every order of three, by turns, so that no contestant always has the same neighbour or the same part of the pool. */
static const enum contestant orders[][CONTESTANTS] = {
	{FLOOR, LIBRARY, CONTROL}, {CONTROL, FLOOR, LIBRARY}, {LIBRARY, CONTROL, FLOOR},
	{LIBRARY, FLOOR, CONTROL}, {CONTROL, LIBRARY, FLOOR}, {FLOOR, CONTROL, LIBRARY},
};

/* Ratios are of neighbouring turns: what drifts, drifts for all. */
static void measure(const struct run *run)
{
	static double spent[CONTESTANTS][TURNS], ratio[CONTESTANTS][TURNS];
	size_t position = 0;

	for (int i = 0; i < TURNS; i++) {
		for (int j = 0; j < CONTESTANTS; j++) {
			const enum contestant contestant = orders[i % 6][j];

			spent[contestant][i] = turn_of[contestant](run, &position);
		}
		ratio[LIBRARY][i] = spent[LIBRARY][i] / spent[FLOOR][i];
		ratio[CONTROL][i] = spent[CONTROL][i] / spent[FLOOR][i];
	}
	printf("%-6s %8zu %8u %10.1f %10.1f %8.2f %8.2f   (%.2f to %.2f)\n", state_names[run->state], run->length,
	       run->mappings, quantile(spent[FLOOR], 0.5), quantile(spent[LIBRARY], 0.5), quantile(ratio[LIBRARY], 0.5),
	       quantile(ratio[CONTROL], 0.5), quantile(ratio[LIBRARY], 0.25), quantile(ratio[LIBRARY], 0.75));
	fflush(stdout);
}

static void die(const char *what)
{
	fprintf(stderr, "bench-persist: %s: %s\n", what, pmem_errormsg());
	exit(1);
}

static void open_pool(const char *path)
{
	const int fd = path ? open(path, O_RDWR | O_CREAT, 0600) : memfd_create("bench-persist", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, POOL_SIZE) < 0)
		die(path ? path : "memfd_create");
	pool = pmem_map_range(fd, 0, POOL_SIZE, PMEM_MAP_POPULATE);
	if (!pool)
		die("pmem_map_range");
	memset(pool, 1, POOL_SIZE);
	for (unsigned i = 0; i < 1024; i++) {
		mapping_of[i] = pmem_map_range(fd, (off_t)i * 4096, 4096, PMEM_MAP_POPULATE);
		if (!mapping_of[i])
			die("pmem_map_range");
	}
	close(fd);
}

static void pin(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int main(int argc, char *argv[])
{
	static const size_t lengths[] = {8, 64, 256, 1024, 4096, 65536};
	static const unsigned mappings[] = {1, 16, 1024};

	if (argc > 2 || !floor_is_known()) {
		fprintf(stderr, argc > 2 ? "usage: bench-persist [FILE]\n"
					 : "bench-persist: no floor is written for this processor\n");
		return 2;
	}
	pin();
	open_pool(argv[1]);
	if (pmem_granularity(pool, POOL_SIZE) == PMEM_GRANULARITY_PAGE)
		printf("This file is in the page cache: the figures are those of msync.\n");
	printf("floor: %s; ns a call, median of %d turns; ratio with its quartiles\n"
	       "control: the floor against itself\n\n",
	       floor_name(), TURNS);
	printf("%-6s %8s %8s %10s %10s %8s %8s\n", "lines", "bytes", "mappings", "floor", "library", "ratio",
	       "control");
	for (enum state state = STATE_COLD; state <= STATE_CLEAN; state++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			measure(&(struct run){.state = state, .length = lengths[i], .mappings = 1});
	}
	printf("\nCalls spread over several mappings of 4 KiB:\n");
	for (size_t i = 0; i < sizeof(mappings) / sizeof(mappings[0]); i++)
		measure(&(struct run){.state = STATE_HOT, .length = 64, .mappings = mappings[i]});
	return 0;
}
