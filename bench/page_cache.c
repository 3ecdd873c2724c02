/* page_cache.c: ranges of a file in the page cache, flushed one by one and completed by one fence */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "peer.h"
#include "suites.h"

#include <fcntl.h>
#include <pmem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	FILE_SIZE = 64 << 20,
	RANGES_MAX = 64,
	APART = 16,         /* pages from one range to the next, where they lie apart */
	OTHER_PAGES = 1024, /* dirty ones of nobody's interest, between and behind the ranges */
	BYTES = 64,         /* of a page that are flushed */
};

/* One batch: count ranges, a page each. */
struct batch {
	char *base; /* mapped by the library */
	char *own;  /* the same file, mapped by mmap for everybody else */
	size_t page;
	unsigned count;
	size_t distance; /* bytes from one range to the next */
	bool others;     /* dirty before each turn */
	char value;
};

/* Between the ranges and behind them; never a page of theirs. */
static void dirty_others(struct batch *batch)
{
	const size_t first = batch->distance == batch->page ? RANGES_MAX : 0;

	for (size_t i = 0; i < OTHER_PAGES; i++)
		batch->own[(first + i * 4 + 2) * batch->page] = batch->value;
}

static void prepare(void *work)
{
	struct batch *batch = work;

	batch->value++;
	if (batch->others)
		dirty_others(batch);
}

static void store(const struct batch *batch, char *base)
{
	for (unsigned i = 0; i < batch->count; i++)
		memset(base + i * batch->distance, batch->value, BYTES);
}

static double turn_of_msync(void *work)
{
	const struct batch *batch = work;
	const double start = bench_clock();

	store(batch, batch->own);
	for (unsigned i = 0; i < batch->count; i++)
		msync(batch->own + i * batch->distance, batch->page, MS_SYNC);
	return bench_clock() - start;
}

static double turn_of_one_msync(void *work)
{
	const struct batch *batch = work;
	const double start = bench_clock();

	store(batch, batch->own);
	msync(batch->own, (batch->count - 1) * batch->distance + batch->page, MS_SYNC);
	return bench_clock() - start;
}

static double turn_of_library(void *work)
{
	const struct batch *batch = work;
	const double start = bench_clock();

	store(batch, batch->base);
	for (unsigned i = 0; i < batch->count; i++)
		pmem_flush_cache(batch->base + i * batch->distance, BYTES, 0);
	pmem_fence();
	return bench_clock() - start;
}

static double turn_of_peer(void *work)
{
	const struct batch *batch = work;
	const double start = bench_clock();

	store(batch, batch->own);
	for (unsigned i = 0; i < batch->count; i++)
		peer.msync(batch->own + i * batch->distance, BYTES);
	return bench_clock() - start;
}

static const struct contestant contestants[] = {
	{"an msync each", ROLE_FLOOR, turn_of_msync},
	{"the same again", ROLE_CONTROL, turn_of_msync},
	{"pmem_flush_cache each, pmem_fence", ROLE_LIBRARY, turn_of_library},
	{"one msync over all", ROLE_OTHER, turn_of_one_msync},
	{"pmem_msync each", ROLE_PEER, turn_of_peer},
};

enum { CONTESTANTS = sizeof(contestants) / sizeof(contestants[0]) };

static const char *open_file(struct batch *batch, const char *directory)
{
	const int fd = open(directory, O_RDWR | O_TMPFILE, 0600);

	if (fd < 0 || posix_fallocate(fd, 0, FILE_SIZE) != 0 || fsync(fd) < 0) {
		if (fd >= 0)
			close(fd);
		return "a file of 64 MiB cannot be made there";
	}
	batch->page = (size_t)sysconf(_SC_PAGESIZE);
	batch->base = pmem_map(fd, FILE_SIZE);
	batch->own = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (!batch->base || batch->own == MAP_FAILED)
		return "a file of 64 MiB cannot be mapped there";
	if (pmem_granularity(batch->base, FILE_SIZE) != PMEM_GRANULARITY_PAGE)
		return "files there are not in a page cache that has to be written back";
	memset(batch->own, 1, FILE_SIZE);
	msync(batch->own, FILE_SIZE, MS_SYNC);
	return NULL;
}

static const struct {
	const char *name;
	size_t pages; /* from one range to the next */
	bool others;
} layouts[] = {
	{"adjacent", 1, false},
	{"apart", APART, false},
	{"adjacent, 1024 other dirty pages", 1, true},
	{"apart, 1024 other dirty pages", APART, true},
};

const char *bench_page_cache(const struct bench *bench, struct suite_results *results, double seconds)
{
	static const unsigned counts[] = {1, 8, RANGES_MAX};
	enum { COUNTS = sizeof(counts) / sizeof(counts[0]), LAYOUTS = sizeof(layouts) / sizeof(layouts[0]) };
	struct batch batch = {0};
	const char *why = open_file(&batch, bench->directory ? bench->directory : "/var/tmp");

	for (unsigned i = 0; !why && i < LAYOUTS * COUNTS; i++) {
		batch.count = counts[i % COUNTS];
		batch.distance = layouts[i / COUNTS].pages * batch.page;
		batch.others = layouts[i / COUNTS].others;
		bench_measure(results,
			      &(struct trial){
				      .state = layouts[i / COUNTS].name,
				      .length = BYTES,
				      .count = batch.count,
				      .contestants = contestants,
				      .contestant_count = CONTESTANTS - !bench->peer_path,
				      .prepare = prepare,
				      .work = &batch,
			      },
			      seconds / (LAYOUTS * COUNTS));
	}
	if (batch.own && batch.own != MAP_FAILED)
		munmap(batch.own, FILE_SIZE);
	if (batch.base)
		pmem_unmap(batch.base, FILE_SIZE);
	return why;
}
