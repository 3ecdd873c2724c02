/* pool.h: memory to store to, and in which state the caches are when that happens */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stddef.h>

enum state {
	STATE_COLD,    /* long not touched: the lines are not in any cache */
	STATE_APPEND,  /* the same, each range right behind the last, in the same line where it has room */
	STATE_FLUSHED, /* stored to and made durable shortly before */
	STATE_HOT,     /* stored to just before: dirty in the first-level cache */
};

extern const char *const state_names[];

enum {
	POOL_SIZE = 128 << 20, /* more than the caches hold */
	SOURCE_SIZE = 64 << 20,
};

/* The ranges of one turn. */
struct ranges {
	enum state state;
	size_t length; /* bytes */
	size_t offset; /* of each range from the beginning of a line */
	size_t source_offset;
	unsigned count;
	char **at;
	const char *source; /* at least length bytes */
};

/*
 * Maps the pool in the directory, anonymous memory if it is NULL. NULL, or why
 * nothing can be measured there. Does nothing the second time.
 */
const char *pool_open(const char *directory);

/* Ranges of that length and state. */
void pool_ranges(struct ranges *ranges, enum state state, size_t length);

/* Brings the next turn's ranges into their state. work is a struct ranges. */
void pool_prepare(void *work);

/* Do ranges of that length fit in the first-level cache, all of a turn? */
bool pool_can_be_hot(size_t length);

/* Stores a byte to each line of a range. */
__attribute__((always_inline)) static inline void pool_dirty(char *at, size_t length)
{
	for (size_t done = 0; done < length; done += 64)
		*(volatile char *)(at + done) = 1;
}

/*
 * One turn over the ranges: nanoseconds a call. Inlined together with the
 * operation, so that a floor is a loop of bare instructions.
 */
double bench_clock(void);

__attribute__((always_inline)) static inline double
pool_turn(const struct ranges *ranges, void (*operation)(char *at, const char *from, size_t length))
{
	const double start = bench_clock();

	for (unsigned i = 0; i < ranges->count; i++)
		operation(ranges->at[i], ranges->source, ranges->length);
	return (bench_clock() - start) / ranges->count;
}

#endif
