/* pool.c: memory to store to, and in which state the caches are when that happens */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "pool.h"

#include "floor.h"

#include <fcntl.h>
#include <pmem.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	LINE = 64,
	HOT_BYTES = 16 << 10,   /* half of the smallest first-level cache about */
	TURN_BYTES = 128 << 10, /* of lines touched in a turn on lines that are not hot */
	RANGES_MIN = 4,
	RANGES_MAX = 512,
};

const char *const state_names[] = {
	[STATE_COLD] = "cold",
	[STATE_APPEND] = "append",
	[STATE_FLUSHED] = "flushed",
	[STATE_HOT] = "L1-hot",
};

static char *pool, *source;
static size_t position; /* where in the pool cold ranges go on */
static char *range_at[RANGES_MAX];

static const char *open_pool(int fd)
{
	if (fd < 0 || ftruncate(fd, POOL_SIZE) < 0)
		return "a file for 128 MiB of memory cannot be made there";
	pool = pmem_map_range(fd, 0, POOL_SIZE, PMEM_MAP_POPULATE);
	if (!pool)
		return pmem_errormsg();
	source = mmap(NULL, SOURCE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (source == MAP_FAILED)
		return "there are no 64 MiB of memory to copy from";
	memset(source, 1, SOURCE_SIZE);
	return NULL;
}

const char *pool_open(const char *directory)
{
	const char *why;
	int fd;

	if (!floor_is_known())
		return "no floor is written for this processor";
	if (source)
		return NULL;
	fd = directory ? open(directory, O_RDWR | O_TMPFILE, 0600) : memfd_create("pmem-bench", MFD_CLOEXEC);
	why = open_pool(fd);
	close(fd);
	if (!why && pmem_granularity(pool, POOL_SIZE) == PMEM_GRANULARITY_PAGE)
		return "files there are in the page cache: there the kernel makes durable, not the processor";
	if (!why)
		memset(pool, 1, POOL_SIZE);
	return why;
}

static size_t stride_of(const struct ranges *ranges)
{
	if (ranges->state == STATE_APPEND)
		return ranges->length;
	return (ranges->offset + ranges->length + LINE - 1) / LINE * LINE;
}

static bool stays_in_place(enum state state)
{
	return state == STATE_HOT || state == STATE_FLUSHED;
}

bool pool_can_be_hot(size_t length)
{
	return length <= HOT_BYTES / RANGES_MIN;
}

void pool_ranges(struct ranges *ranges, enum state state, size_t length)
{
	size_t count;

	*ranges = (struct ranges){.state = state, .length = length, .at = range_at, .source = source};
	count = (stays_in_place(state) ? HOT_BYTES : TURN_BYTES) / stride_of(ranges);
	ranges->count = (unsigned)(count < 1 ? 1 : count > RANGES_MAX ? RANGES_MAX : count);
}

/* Cold ranges move on through the pool, so that they come back long after. */
static void next_in_pool(struct ranges *ranges, unsigned i)
{
	const size_t stride = stride_of(ranges);

	if (position + ranges->offset + stride + LINE > POOL_SIZE)
		position = 0;
	ranges->at[i] = pool + position + ranges->offset;
	position += stride;
}

void pool_prepare(void *work)
{
	struct ranges *ranges = work;
	const size_t stride = stride_of(ranges);

	if (ranges->state != STATE_APPEND)
		position = (position + LINE - 1) / LINE * LINE;
	ranges->source = source + ranges->source_offset;
	for (unsigned i = 0; i < ranges->count; i++) {
		if (!stays_in_place(ranges->state)) {
			next_in_pool(ranges, i);
			continue;
		}
		ranges->at[i] = pool + i * stride + ranges->offset;
		pool_dirty(ranges->at[i], ranges->length);
	}
	for (unsigned i = 0; ranges->state == STATE_FLUSHED && i < ranges->count; i++)
		floor_persist(ranges->at[i], ranges->length);
}
