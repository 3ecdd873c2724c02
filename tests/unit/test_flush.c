/* test_flush.c: every line of a range is flushed before the fence, seen by executing one instruction at a time */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arch/arch.h"
#include "steps.h"
#include "test_file.h"

#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 65536 };

static char *base;

static int map(void **state)
{
	(void)state;
	base = pmem_map(test_file(SIZE), SIZE);
	return base ? 0 : -1;
}

/* A method that was asked for is the one in use; otherwise the best, which the lane cannot know. */
static void the_choice_is_the_one_asked_for(void **state)
{
	const char *asked = getenv("PMEM_TEST_FLUSH");

	(void)state;
	print_message("# flush method: %s, %zu-byte lines\n", cpu.name, (size_t)flush_line);
	if (asked)
		assert_string_equal(cpu.name, asked);
	assert_true(flush_line >= 16 && (flush_line & (flush_line - 1)) == 0);
}

static void a_method_changes_no_byte(void **state)
{
	char copy[SIZE];

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		base[i] = (char)(i * 31);
	memcpy(copy, base, SIZE);
	for (size_t length = 1; length < 300; length++)
		pmem_persist(base + 1000 - length % 70, length, 0);
	pmem_persist(base, SIZE, 0);
	pmem_flush_cache(base, SIZE, 0);
	pmem_fence();
	assert_memory_equal(base, copy, SIZE);
}

static const struct range {
	size_t start, length;
} ranges[] = {
	{0, 1},  {0, 64},  {0, 65},    {1, 63},   {1, 64},      {63, 1},
	{63, 2}, {64, 64}, {100, 300}, {4095, 2}, {4096, 4096}, {17, 5000},
};

static void persist_range(void *arg)
{
	const struct range *range = arg;

	pmem_persist(base + range->start, range->length, 0);
}

static void flush_range_and_fence(void *arg)
{
	const struct range *range = arg;

	pmem_flush_cache(base + range->start, range->length, 0);
	pmem_fence();
}

static void drain_only(void *arg)
{
	(void)arg;
	pmem_drain_pm_stores();
}

/* Each line once, no other, then a fence, and the kernel is not called. */
static void check_steps(const struct range *range, const struct steps *steps)
{
	const size_t line = flush_line;
	const uintptr_t first = ((uintptr_t)base + range->start) & ~(line - 1);
	const uintptr_t last = ((uintptr_t)base + range->start + range->length - 1) & ~(line - 1);

	assert_int_equal(steps->system_calls, 0);
	if (!cpu.proven) {
		assert_int_equal(steps->flushes, 0);
		return;
	}
	assert_int_equal(steps->locked, 0);
	assert_true(steps->fences >= 1);
	assert_true(steps->fenced_last);
	assert_int_equal(steps->flushes, (last - first) / line + 1);
	for (size_t i = 0; i < steps->flushes; i++)
		assert_int_equal(steps->lines[i], first + i * line);
}

static void persist_flushes_each_line_once(void **state)
{
	struct steps steps;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct range range = ranges[i];

		if (!step_through(persist_range, &range, &steps))
			skip();
		check_steps(&range, &steps);
		assert_true(steps.instructions < 80 + 10 * steps.flushes);
		if (!step_through(flush_range_and_fence, &range, &steps))
			skip();
		check_steps(&range, &steps);
	}
}

static void the_drain_fences(void **state)
{
	struct steps steps;

	(void)state;
	if (!step_through(drain_only, NULL, &steps))
		skip();
	assert_int_equal(steps.flushes, 0);
	assert_true(steps.fences + steps.locked >= 1);
	assert_int_equal(steps.system_calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_choice_is_the_one_asked_for),
		cmocka_unit_test(a_method_changes_no_byte),
		cmocka_unit_test(persist_flushes_each_line_once),
		cmocka_unit_test(the_drain_fences),
	};

	return cmocka_run_group_tests_name("flush", tests, map, NULL);
}
