/* test_copy.c: copies and fills store what memmove and memset store, by every method, and nothing beside it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arch/methods.h"
#include "direct_store.h"
#include "steps.h"
#include "test_file.h"

#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	LINE = 64,
	GUARD = 64, /* bytes compared on either side of what may change */
	AREA = 64 << 10,
};

static const struct copy_method *const methods[] = {
#if defined(__x86_64__)
	&copy_direct,
	&copy_avx,
	&copy_sse2,
#endif
	&copy_plain,
};

enum { METHODS = sizeof(methods) / sizeof(methods[0]) };

/* Around every boundary that a method has: of vectors, lines, unrolled loops, streams and blocks. */
static const size_t short_lengths[] = {
	0,  1,  2,  3,  4,  5,   7,   8,   9,   15,  16,  17,  31,  32,  33,  47,  48,  49,
	63, 64, 65, 66, 95, 127, 128, 129, 160, 191, 192, 193, 255, 256, 257, 320, 321,
};
static const size_t long_lengths[] = {
	1023, 1024, 1025, 2047, 2048, 2049, 2111, 2112, 2113, 3071,
	3072, 3200, 4095, 4096, 4097, 5000, 8191, 8192, 8193,
};

enum {
	SHORT_LENGTHS = sizeof(short_lengths) / sizeof(short_lengths[0]),
	LONG_LENGTHS = sizeof(long_lengths) / sizeof(long_lengths[0]),
};

static unsigned char area[AREA] __attribute__((aligned(4096))), model[AREA] __attribute__((aligned(4096)));

/* Bytes that differ from their neighbours and from those of the last call. */
static void scatter(size_t start, size_t end)
{
	static uint64_t state = 88172645463325252;

	for (size_t at = start & ~(size_t)7; at < end; at += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(&area[at], &state, 8);
		memcpy(&model[at], &state, 8);
	}
}

static void compare(const char *what, const char *method, size_t to, size_t from, size_t length)
{
	const size_t start = to - GUARD;

	if (memcmp(&area[start], &model[start], length + 2 * GUARD) == 0)
		return;
	fail_msg("%s by %s: %zu bytes to offset %zu from %zu", what, method, length, to, from);
}

static void try_copy(const struct copy_method *method, size_t to, size_t from, size_t length)
{
	const size_t low = to < from ? to : from, high = to < from ? from : to;

	scatter(low - GUARD, high + length + GUARD);
	memmove(&model[to], &model[from], length);
	assert_ptr_equal(method->with[cpu.kind].copy(&area[to], &area[from], length, length % 2), &area[to]);
	compare("copy", method->name, to, from, length);
}

static void try_fill(const struct copy_method *method, size_t to, size_t length)
{
	const int byte = 0x1200 + (int)(to * 7 + length) % 256; /* all but the low byte is to be ignored */

	scatter(to - GUARD, to + length + GUARD);
	memset(&model[to], byte, length);
	assert_ptr_equal(method->with[cpu.kind].fill(&area[to], byte, length, length % 2), &area[to]);
	compare("fill", method->name, to, 0, length);
}

/* What this processor lacks is emulated, at the price of a signal a store, or left out where no emulator is written. */
static bool can_try(const struct copy_method *method, size_t *step)
{
	if (!method->with[cpu.kind].copy)
		return false;
	*step = method->usable() ? 1 : 9;
	return method->usable() || direct_store_emulate();
}

static void every_alignment(void **state)
{
	size_t step;

	(void)state;
	for (size_t m = 0; m < METHODS; m++) {
		if (!can_try(methods[m], &step))
			continue;
		for (size_t to = 0; to < LINE; to++) {
			for (size_t from = 0; from < LINE; from += step) {
				for (size_t i = 0; i < SHORT_LENGTHS; i++)
					try_copy(methods[m], 4096 + to, 8192 + from, short_lengths[i]);
			}
			for (size_t i = 0; i < LONG_LENGTHS; i += step) {
				try_copy(methods[m], 4096 + to, 20480, long_lengths[i]);
				try_copy(methods[m], 20480 + to, 4096 + 33, long_lengths[i]);
			}
		}
	}
}

/* The destination before, in and behind its source, by less than a vector up to more than an unrolled loop. */
static void every_overlap(void **state)
{
	static const size_t distances[] = {
		0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 255, 256, 257, 1000,
	};
	size_t step;

	(void)state;
	for (size_t m = 0; m < METHODS; m++) {
		if (!can_try(methods[m], &step))
			continue;
		for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
			for (size_t offset = 0; offset < LINE; offset += step) {
				for (size_t i = 0; i < SHORT_LENGTHS; i++) {
					try_copy(methods[m], 4096 + offset, 4096 + offset + distances[d],
						 short_lengths[i]);
					try_copy(methods[m], 4096 + offset + distances[d], 4096 + offset,
						 short_lengths[i]);
				}
			}
			for (size_t i = 0; i < LONG_LENGTHS; i++) {
				try_copy(methods[m], 4096 + 5, 4096 + 5 + distances[d], long_lengths[i]);
				try_copy(methods[m], 4096 + 5 + distances[d], 4096 + 5, long_lengths[i]);
			}
		}
	}
}

static void every_fill(void **state)
{
	size_t step;

	(void)state;
	for (size_t m = 0; m < METHODS; m++) {
		if (!can_try(methods[m], &step))
			continue;
		for (size_t to = 0; to < LINE; to++) {
			for (size_t i = 0; i < SHORT_LENGTHS; i++)
				try_fill(methods[m], 4096 + to, short_lengths[i]);
			for (size_t i = 0; i < LONG_LENGTHS; i++)
				try_fill(methods[m], 4096 + to, long_lengths[i]);
		}
	}
}

/* --- What is durable ------------------------------------------------------------------------------- */

/* The functions of pmem.h, or a method of ours by itself, in the child that is single-stepped. */
struct stepped {
	const struct copy_way *way; /* NULL: pmem_copy_persist(), pmem_fill_persist() */
	bool fill;
	unsigned char *to;
	const unsigned char *from;
	size_t length;
};

static void run_stepped(void *arg)
{
	const struct stepped *stepped = arg;

	if (stepped->way && stepped->fill)
		stepped->way->fill(stepped->to, 0x5a, stepped->length, true);
	else if (stepped->way)
		stepped->way->copy(stepped->to, stepped->from, stepped->length, true);
	else if (stepped->fill)
		pmem_fill_persist(stepped->to, 0x5a, stepped->length);
	else
		pmem_copy_persist(stepped->to, stepped->from, stepped->length);
}

static const struct range {
	size_t to, from, length;
} stepped_ranges[] = {
	{4096, 8192, 1},    {4096, 8192, 8},    {4100, 8192, 8},    {4155, 8199, 8},     {4159, 8192, 2},
	{4096, 8192, 63},   {4096, 8192, 64},   {4096, 8201, 64},   {4097, 8192, 64},    {4096, 8192, 65},
	{4159, 8192, 65},   {4100, 8200, 127},  {4096, 8192, 128},  {4130, 8192, 257},   {4096, 8192, 1024},
	{4101, 8192, 2047}, {4096, 8192, 2048}, {4159, 8193, 2300}, {4096, 16384, 4096}, {4159, 16400, 5000},
	{4096, 4100, 300},  {4100, 4096, 300},  {4096, 4196, 3000}, {4196, 4096, 3000},  {4096, 4096, 200},
};

/*
 * Runs on the copy in the child, so that area stays as it was; afterwards the
 * model has what memmove makes of it, and that has to be durable, to the byte.
 * The lines beside the destination are to be as they were.
 */
static void check_stepped(struct stepped *stepped, const struct range *range, const char *what)
{
	static unsigned char image[AREA];
	struct durable durable = {.start = (uintptr_t)area, .size = AREA, .bytes = image};
	struct steps steps;

	scatter(0, AREA);
	memcpy(image, area, AREA);
	*stepped = (struct stepped){stepped->way, stepped->fill, &area[range->to], &area[range->from], range->length};
	if (!step_through_durably(run_stepped, stepped, &steps, &durable))
		skip();
	if (stepped->fill)
		memset(&model[range->to], 0x5a, range->length);
	else
		memmove(&model[range->to], &model[range->from], range->length);
	if (memcmp(image, model, AREA) != 0)
		fail_msg("%s of %zu bytes at %zu: not all of it was flushed after it was stored", what, range->length,
			 range->to);
	/* Each line once, and one fence, the last of all. */
	assert_int_equal(steps.flushes + steps.direct_stores,
			 (range->to + range->length - 1) / LINE - range->to / LINE + 1);
	assert_int_equal(steps.fences, 1);
	assert_true(steps.fenced_last);
	assert_int_equal(steps.system_calls, 0);
	assert_int_equal(steps.locked, 0);
}

static void every_line_is_flushed_or_direct_before_the_fence(void **state)
{
	struct stepped stepped = {0};
	size_t step;

	(void)state;
	if (!cpu.proven)
		skip();
	for (size_t m = 0; m < METHODS; m++) {
		if (!can_try(methods[m], &step))
			continue;
		stepped.way = &methods[m]->with[cpu.kind];
		for (size_t i = 0; i < sizeof(stepped_ranges) / sizeof(stepped_ranges[0]); i++) {
			stepped.fill = false;
			check_stepped(&stepped, &stepped_ranges[i], methods[m]->name);
			stepped.fill = true;
			check_stepped(&stepped, &stepped_ranges[i], methods[m]->name);
		}
	}
}

/* A method that was asked for is the one in use. */
static void the_choice_is_the_one_asked_for(void **state)
{
	const char *asked = getenv("PMEM_TEST_COPY");

	(void)state;
	print_message("# copy method: %s, with %s\n", cpu_copy_name, cpu.name);
	if (asked)
		assert_string_equal(cpu_copy_name, asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_choice_is_the_one_asked_for),
		cmocka_unit_test(every_alignment),
		cmocka_unit_test(every_overlap),
		cmocka_unit_test(every_fill),
		cmocka_unit_test(every_line_is_flushed_or_direct_before_the_fence),
	};

	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
