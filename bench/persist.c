/* persist.c: persisting what is stored already; many flushes and one fence; what the look-up costs */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "floor.h"
#include "peer.h"
#include "pool.h"
#include "suites.h"

#include <pmem.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* --- Persist ---------------------------------------------------------------------------------- */

floor_inline void persist_by_floor(char *at, const char *from, size_t length)
{
	(void)from;
	floor_persist(at, length);
}

floor_inline void persist_by_library(char *at, const char *from, size_t length)
{
	(void)from;
	pmem_persist(at, length, 0);
}

floor_inline void persist_by_peer(char *at, const char *from, size_t length)
{
	(void)from;
	peer.persist(at, length);
}

floor_inline void store_and_persist_by_floor(char *at, const char *from, size_t length)
{
	(void)from;
	pool_dirty(at, length);
	floor_persist(at, length);
}

floor_inline void store_and_persist_by_library(char *at, const char *from, size_t length)
{
	(void)from;
	pool_dirty(at, length);
	pmem_persist(at, length, 0);
}

floor_inline void store_and_persist_by_peer(char *at, const char *from, size_t length)
{
	(void)from;
	pool_dirty(at, length);
	peer.persist(at, length);
}

static double turn_persist_floor(void *work)
{
	return pool_turn(work, persist_by_floor);
}

static double turn_persist_library(void *work)
{
	return pool_turn(work, persist_by_library);
}

static double turn_persist_peer(void *work)
{
	return pool_turn(work, persist_by_peer);
}

static double turn_store_floor(void *work)
{
	return pool_turn(work, store_and_persist_by_floor);
}

static double turn_store_library(void *work)
{
	return pool_turn(work, store_and_persist_by_library);
}

static double turn_store_peer(void *work)
{
	return pool_turn(work, store_and_persist_by_peer);
}

/* The peer comes last, so that it can be left out. */
enum { PERSIST_CONTESTANTS = 4 };

static const struct contestant persist_contestants[PERSIST_CONTESTANTS] = {
	{"flush, fence", ROLE_FLOOR, turn_persist_floor},
	{"flush, fence again", ROLE_CONTROL, turn_persist_floor},
	{"pmem_persist", ROLE_LIBRARY, turn_persist_library},
	{"pmem_persist of the peer", ROLE_PEER, turn_persist_peer},
};

/* Cold lines have to be stored to first; that is a part of the time. */
static const struct contestant store_contestants[PERSIST_CONTESTANTS] = {
	{"store, flush, fence", ROLE_FLOOR, turn_store_floor},
	{"store, flush, fence again", ROLE_CONTROL, turn_store_floor},
	{"store, pmem_persist", ROLE_LIBRARY, turn_store_library},
	{"store, pmem_persist of the peer", ROLE_PEER, turn_store_peer},
};

static unsigned contestants_of(const struct bench *bench)
{
	return PERSIST_CONTESTANTS - !bench->peer_path;
}

const char *bench_persist(const struct bench *bench, struct suite_results *results, double seconds)
{
	static const size_t lengths[] = {8, 64, 256, 1024, 4096, 65536};
	static const enum state states[] = {STATE_COLD, STATE_FLUSHED, STATE_HOT};
	enum { LENGTHS = sizeof(lengths) / sizeof(lengths[0]), STATES = sizeof(states) / sizeof(states[0]) };
	const char *why = pool_open(bench->directory);
	struct ranges ranges;

	for (unsigned i = 0; !why && i < STATES * LENGTHS; i++) {
		const enum state state = states[i / LENGTHS];

		pool_ranges(&ranges, state, lengths[i % LENGTHS]);
		if (state != STATE_COLD && !pool_can_be_hot(ranges.length))
			continue;
		bench_measure(results,
			      &(struct trial){
				      .state = state_names[state],
				      .length = ranges.length,
				      .contestants = state == STATE_COLD ? store_contestants : persist_contestants,
				      .contestant_count = contestants_of(bench),
				      .prepare = pool_prepare,
				      .work = &ranges,
			      },
			      seconds / (STATES * LENGTHS));
	}
	return why;
}

/* --- Many flushes, one fence ---------------------------------------------------------------------- */

enum { BATCHES = 16 }; /* in a turn */

struct batches {
	struct ranges ranges; /* BATCHES times the lines of a batch */
	unsigned lines;       /* in a batch */
};

static void prepare_batches(void *work)
{
	pool_prepare(&((struct batches *)work)->ranges);
}

__attribute__((always_inline)) static inline double turn_batches(const struct batches *batches,
								 void (*flush)(char *line), void (*fence)(void))
{
	const double start = bench_clock();

	for (unsigned batch = 0; batch < BATCHES; batch++) {
		for (unsigned i = 0; i < batches->lines; i++) {
			char *line = batches->ranges.at[(batch * batches->lines + i) % batches->ranges.count];

			*(volatile char *)line = 1;
			flush(line);
		}
		fence();
	}
	return (bench_clock() - start) / BATCHES;
}

floor_inline void flush_by_library(char *line)
{
	pmem_flush_cache(line, 8, 0);
}

floor_inline void flush_by_peer(char *line)
{
	peer.flush(line, 8);
}

floor_inline void fence_by_peer(void)
{
	peer.drain();
}

static double turn_batches_floor(void *work)
{
	return turn_batches(work, floor_flush, floor_fence);
}

static double turn_batches_library(void *work)
{
	return turn_batches(work, flush_by_library, pmem_fence);
}

static double turn_batches_peer(void *work)
{
	return turn_batches(work, flush_by_peer, fence_by_peer);
}

const char *bench_flush_many(const struct bench *bench, struct suite_results *results, double seconds)
{
	static const struct contestant contestants[PERSIST_CONTESTANTS] = {
		{"flushes, fence", ROLE_FLOOR, turn_batches_floor},
		{"flushes, fence again", ROLE_CONTROL, turn_batches_floor},
		{"pmem_flush_cache, pmem_fence", ROLE_LIBRARY, turn_batches_library},
		{"pmem_flush, pmem_drain", ROLE_PEER, turn_batches_peer},
	};
	static const unsigned counts[] = {1, 8, 32};
	enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };
	const char *why = pool_open(bench->directory);
	struct batches batches;

	for (unsigned i = 0; !why && i < COUNTS; i++) {
		/* Lines apart: each range is a line and the three behind it. */
		pool_ranges(&batches.ranges, STATE_COLD, 4 * FLOOR_LINE);
		batches.lines = counts[i];
		bench_measure(results,
			      &(struct trial){
				      .state = "cold, apart",
				      .length = 8,
				      .count = counts[i],
				      .contestants = contestants,
				      .contestant_count = contestants_of(bench),
				      .prepare = prepare_batches,
				      .work = &batches,
			      },
			      seconds / COUNTS);
	}
	return why;
}

/* --- The look-up ------------------------------------------------------------------------------------ */

enum {
	MAPPINGS_MAX = 1024,
	MAPPING_SIZE = 4096,
	LOOK_UPS = 512, /* in a turn */
};

static char *mapping_at[MAPPINGS_MAX];

static const char *map_many(void)
{
	const int fd = memfd_create("pmem-bench", MFD_CLOEXEC);
	const char *why = NULL;

	if (fd < 0 || ftruncate(fd, MAPPINGS_MAX * MAPPING_SIZE) < 0)
		why = "there is no memory for 1024 mappings";
	for (unsigned i = 0; !why && i < MAPPINGS_MAX; i++) {
		mapping_at[i] = pmem_map_range(fd, (off_t)i * MAPPING_SIZE, MAPPING_SIZE, PMEM_MAP_POPULATE);
		if (!mapping_at[i])
			why = pmem_errormsg();
	}
	close(fd);
	return why;
}

static void unmap_many(void)
{
	for (unsigned i = 0; i < MAPPINGS_MAX && mapping_at[i]; i++)
		pmem_unmap(mapping_at[i], MAPPING_SIZE);
}

static void prepare_look_up(void *work)
{
	struct ranges *ranges = work;
	const unsigned mappings = (unsigned)ranges->offset;

	for (unsigned i = 0; i < ranges->count; i++)
		ranges->at[i] = mapping_at[i * 7 % mappings];
}

const char *bench_look_up(const struct bench *bench, struct suite_results *results, double seconds)
{
	static const unsigned counts[] = {1, 16, 1024};
	enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };
	static char *at[LOOK_UPS];
	struct ranges ranges = {.length = 64, .count = LOOK_UPS, .at = at};
	const char *why = pool_open(bench->directory);

	if (!why)
		why = map_many();
	for (unsigned i = 0; !why && i < COUNTS; i++) {
		ranges.offset = counts[i];
		bench_measure(results,
			      &(struct trial){
				      .state = "mappings",
				      .length = 64,
				      .count = counts[i],
				      .contestants = store_contestants,
				      .contestant_count = contestants_of(bench),
				      .prepare = prepare_look_up,
				      .work = &ranges,
			      },
			      seconds / COUNTS);
	}
	unmap_many();
	return why;
}
