/* copy.c: copies and fills that are durable on return */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"
#include "peer.h"
#include "pool.h"
#include "suites.h"

#include <pmem.h>

/* --- Copy ------------------------------------------------------------------------------------- */

floor_inline void copy_by_store(char *at, const char *from, size_t length)
{
	floor_copy_by_store(at, from, length, FLOOR_LINE);
}

floor_inline void copy_by_prefetched_store(char *at, const char *from, size_t length)
{
	floor_copy_by_prefetched_store(at, from, length, FLOOR_LINE);
}

floor_inline void copy_by_stream(char *at, const char *from, size_t length)
{
	floor_copy_by_stream(at, from, length, FLOOR_LINE);
}

floor_inline void copy_by_direct_store(char *at, const char *from, size_t length)
{
	floor_copy_by_direct_store(at, from, length, FLOOR_LINE);
}

floor_inline void copy_by_library(char *at, const char *from, size_t length)
{
	pmem_copy_persist(at, from, length);
}

floor_inline void copy_by_peer(char *at, const char *from, size_t length)
{
	peer.memcpy_persist(at, from, length);
}

floor_inline void copy_by_peer_safely(char *at, const char *from, size_t length)
{
	peer.memcpy_nodrain(at, from, length);
	peer.persist(at, length);
}

static double turn_copy_store(void *work)
{
	return pool_turn(work, copy_by_store);
}

static double turn_copy_prefetched_store(void *work)
{
	return pool_turn(work, copy_by_prefetched_store);
}

static double turn_copy_stream(void *work)
{
	return pool_turn(work, copy_by_stream);
}

static double turn_copy_direct_store(void *work)
{
	return pool_turn(work, copy_by_direct_store);
}

static double turn_copy_library(void *work)
{
	return pool_turn(work, copy_by_library);
}

static double turn_copy_peer(void *work)
{
	return pool_turn(work, copy_by_peer);
}

static double turn_copy_peer_safely(void *work)
{
	return pool_turn(work, copy_by_peer_safely);
}

/* --- Fill ------------------------------------------------------------------------------------- */

floor_inline void fill_by_store(char *at, const char *from, size_t length)
{
	floor_copy_by_store(at, from, length, 0);
}

floor_inline void fill_by_prefetched_store(char *at, const char *from, size_t length)
{
	floor_copy_by_prefetched_store(at, from, length, 0);
}

floor_inline void fill_by_stream(char *at, const char *from, size_t length)
{
	floor_copy_by_stream(at, from, length, 0);
}

floor_inline void fill_by_direct_store(char *at, const char *from, size_t length)
{
	floor_copy_by_direct_store(at, from, length, 0);
}

floor_inline void fill_by_library(char *at, const char *from, size_t length)
{
	pmem_fill_persist(at, *from, length);
}

floor_inline void fill_by_peer(char *at, const char *from, size_t length)
{
	peer.memset_persist(at, *from, length);
}

floor_inline void fill_by_peer_safely(char *at, const char *from, size_t length)
{
	peer.memset_nodrain(at, *from, length);
	peer.persist(at, length);
}

static double turn_fill_store(void *work)
{
	return pool_turn(work, fill_by_store);
}

static double turn_fill_prefetched_store(void *work)
{
	return pool_turn(work, fill_by_prefetched_store);
}

static double turn_fill_stream(void *work)
{
	return pool_turn(work, fill_by_stream);
}

static double turn_fill_direct_store(void *work)
{
	return pool_turn(work, fill_by_direct_store);
}

static double turn_fill_library(void *work)
{
	return pool_turn(work, fill_by_library);
}

static double turn_fill_peer(void *work)
{
	return pool_turn(work, fill_by_peer);
}

static double turn_fill_peer_safely(void *work)
{
	return pool_turn(work, fill_by_peer_safely);
}

/* --- Trials ----------------------------------------------------------------------------------- */

/* The first is the control's twin; the floor by direct stores is left out where the processor has none. */
static const struct contestant copy_contestants[] = {
	{"store, flush", ROLE_FLOOR, turn_copy_store},
	{"store, flush again", ROLE_CONTROL, turn_copy_store},
	{"pmem_copy_persist", ROLE_LIBRARY, turn_copy_library},
	{"pmem_memcpy_persist", ROLE_PEER, turn_copy_peer},
	{"pmem_memcpy_nodrain, pmem_persist", ROLE_PEER_SAFE, turn_copy_peer_safely},
	{"prefetch, store, flush", ROLE_FLOOR, turn_copy_prefetched_store},
	{"stream, flush", ROLE_FLOOR, turn_copy_stream},
	{"direct store", ROLE_FLOOR, turn_copy_direct_store},
};

static const struct contestant fill_contestants[] = {
	{"store, flush", ROLE_FLOOR, turn_fill_store},
	{"store, flush again", ROLE_CONTROL, turn_fill_store},
	{"pmem_fill_persist", ROLE_LIBRARY, turn_fill_library},
	{"pmem_memset_persist", ROLE_PEER, turn_fill_peer},
	{"pmem_memset_nodrain, pmem_persist", ROLE_PEER_SAFE, turn_fill_peer_safely},
	{"prefetch, store, flush", ROLE_FLOOR, turn_fill_prefetched_store},
	{"stream, flush", ROLE_FLOOR, turn_fill_stream},
	{"direct store", ROLE_FLOOR, turn_fill_direct_store},
};

enum { CONTESTANTS = sizeof(copy_contestants) / sizeof(copy_contestants[0]) };

struct shape {
	enum state state;
	size_t length, offset, source_offset; /* an offset: no floor is written for parts of lines */
};

enum { KIB = 1 << 10, MIB = 1 << 20 };

static const struct shape copy_shapes[] = {
	{STATE_COLD, 8, 0, 0},          {STATE_COLD, 64, 0, 0},          {STATE_COLD, 256, 0, 0},
	{STATE_COLD, 1 * KIB, 0, 0},    {STATE_COLD, 4 * KIB, 0, 0},     {STATE_COLD, 16 * KIB, 0, 0},
	{STATE_COLD, 64 * KIB, 0, 0},   {STATE_COLD, 1 * MIB, 0, 0},     {STATE_COLD, 16 * MIB, 0, 0},
	{STATE_COLD, 64 * MIB, 0, 0},   {STATE_APPEND, 8, 0, 0},         {STATE_APPEND, 64, 0, 0},
	{STATE_COLD, 24, 5, 3},         {STATE_COLD, 64, 8, 0},          {STATE_COLD, 100, 24, 1},
	{STATE_COLD, 1000, 13, 7},      {STATE_COLD, 5000, 40, 0},       {STATE_FLUSHED, 8, 0, 0},
	{STATE_FLUSHED, 64, 0, 0},      {STATE_FLUSHED, 256, 0, 0},      {STATE_FLUSHED, 1 * KIB, 0, 0},
	{STATE_FLUSHED, 4 * KIB, 0, 0}, {STATE_FLUSHED, 64 * KIB, 0, 0}, {STATE_HOT, 8, 0, 0},
	{STATE_HOT, 64, 0, 0},          {STATE_HOT, 256, 0, 0},          {STATE_HOT, 1 * KIB, 0, 0},
	{STATE_HOT, 4 * KIB, 0, 0},
};

static const struct shape fill_shapes[] = {
	{STATE_COLD, 8, 0, 0},          {STATE_COLD, 64, 0, 0},       {STATE_COLD, 256, 0, 0},
	{STATE_COLD, 1 * KIB, 0, 0},    {STATE_COLD, 4 * KIB, 0, 0},  {STATE_COLD, 64 * KIB, 0, 0},
	{STATE_COLD, 1 * MIB, 0, 0},    {STATE_COLD, 16 * MIB, 0, 0}, {STATE_FLUSHED, 256, 0, 0},
	{STATE_FLUSHED, 4 * KIB, 0, 0}, {STATE_HOT, 64, 0, 0},        {STATE_HOT, 256, 0, 0},
	{STATE_HOT, 4 * KIB, 0, 0},
};

static bool takes_part(const struct contestant *contestant, const struct bench *bench, const struct shape *shape)
{
	if (contestant->role == ROLE_PEER || contestant->role == ROLE_PEER_SAFE)
		return bench->peer_path;
	if (contestant->turn == turn_copy_direct_store || contestant->turn == turn_fill_direct_store)
		return floor_has_direct_stores() && shape->offset == 0;
	if (contestant->role == ROLE_FLOOR || contestant->role == ROLE_CONTROL)
		return shape->offset == 0;
	return true;
}

static void measure(const struct bench *bench, struct suite_results *results, const struct shape *shape,
		    const struct contestant contestants[CONTESTANTS], double seconds)
{
	struct contestant taking_part[CONTESTANTS];
	unsigned count = 0;
	struct ranges ranges;

	for (unsigned i = 0; i < CONTESTANTS; i++) {
		if (takes_part(&contestants[i], bench, shape))
			taking_part[count++] = contestants[i];
	}
	pool_ranges(&ranges, shape->state, shape->length);
	ranges.offset = shape->offset;
	ranges.source_offset = shape->source_offset;
	bench_measure(results,
		      &(struct trial){
			      .state = shape->offset ? "cold, unaligned" : state_names[shape->state],
			      .length = shape->length,
			      .contestants = taking_part,
			      .contestant_count = count,
			      .prepare = pool_prepare,
			      .work = &ranges,
		      },
		      seconds);
}

static const char *measure_all(const struct bench *bench, struct suite_results *results, const struct shape *shapes,
			       unsigned count, const struct contestant contestants[CONTESTANTS], double seconds)
{
	const char *why = pool_open(bench->directory);

	for (unsigned i = 0; !why && i < count; i++)
		measure(bench, results, &shapes[i], contestants, seconds / count);
	return why;
}

const char *bench_copy(const struct bench *bench, struct suite_results *results, double seconds)
{
	return measure_all(bench, results, copy_shapes, sizeof(copy_shapes) / sizeof(copy_shapes[0]), copy_contestants,
			   seconds);
}

const char *bench_fill(const struct bench *bench, struct suite_results *results, double seconds)
{
	return measure_all(bench, results, fill_shapes, sizeof(fill_shapes) / sizeof(fill_shapes[0]), fill_contestants,
			   seconds);
}
