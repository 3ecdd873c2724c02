/* test_memory.c: recording inside a unit test: which events are told, in which order */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "record/memory.h"
#include "record/record.h"
#include "record/visit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka wants the above. */
#include <cmocka.h>
#include <pmem.h>

enum { SIZE = 16384, UNIT = 64 };

static char *pool;
static struct trace trace;

static int set_up(void **state)
{
	(void)state;
	pool = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	trace = (struct trace){0};
	return pool == MAP_FAILED || !memory_start(pool, SIZE, UNIT, &trace);
}

static int tear_down(void **state)
{
	(void)state;
	memory_forget();
	trace_free(&trace);
	return munmap(pool, SIZE);
}

struct expected {
	enum trace_kind kind;
	uint64_t offset, length;
	unsigned flags;
};

static bool is_told(const struct trace_event *event)
{
	return event->kind != TRACE_THREAD && event->kind != TRACE_MODULE && event->kind != TRACE_STACK;
}

/* Ends the recording; then the trace is these events and no others. */
static void expect(const struct expected *expected, size_t count)
{
	const struct trace_event *event = NULL;
	size_t i = 0;

	assert_true(memory_stop());
	while ((event = trace_next(&trace, event))) {
		if (!is_told(event))
			continue;
		assert_true(i < count);
		assert_int_equal(event->kind, expected[i].kind);
		assert_int_equal(event->offset, expected[i].offset);
		assert_int_equal(event->length, expected[i].length);
		assert_int_equal(event->flags, expected[i].flags);
		i++;
	}
	assert_int_equal(i, count);
}

#define EXPECT(...)                                                                                                    \
	expect((const struct expected[]){__VA_ARGS__},                                                                 \
	       sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static void a_persisted_store(void **state)
{
	(void)state;
	pool[100] = 1;
	pmem_persist(pool + 100, 1, 0);
	EXPECT({TRACE_STORE, 96, 8, STORE_OBSERVED}, {TRACE_FLUSH, 100, 1, 0}, {TRACE_FENCE, 0, 0, 0});
}

static void a_flush_finds_the_stores_of_its_units_and_the_others_too(void **state)
{
	(void)state;
	pool[0] = 1;
	pool[8000] = 1;
	pmem_flush_cache(pool, 1, 0);
	pmem_fence();
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_STORE, 8000, 8, STORE_OBSERVED}, {TRACE_FLUSH, 0, 1, 0},
	       {TRACE_FENCE, 0, 0, 0});
}

static void a_store_that_is_never_flushed_is_told_at_the_end(void **state)
{
	(void)state;
	pool[SIZE - 1] = 1;
	EXPECT({TRACE_STORE, SIZE - 8, 8, STORE_OBSERVED});
}

static void what_is_stored_twice_is_told_as_it_is(void **state)
{
	const struct trace_event *event = NULL;
	unsigned stores = 0;

	(void)state;
	for (char value = 1; value <= 3; value++) {
		pool[0] = value;
		pmem_persist(pool, 1, 0);
	}
	assert_true(memory_stop());
	while ((event = trace_next(&trace, event))) {
		if (event->kind == TRACE_STORE)
			assert_int_equal(event->payload[0], ++stores);
	}
	assert_int_equal(stores, 3);
}

static void what_differs_of_a_unit_is_one_store(void **state)
{
	(void)state;
	pool[64 + 9] = pool[64 + 50] = 1;
	pool[128] = 1;
	pmem_persist(pool + 64, 65, 0);
	EXPECT({TRACE_STORE, 72, 48, STORE_OBSERVED}, {TRACE_STORE, 128, 8, STORE_OBSERVED}, {TRACE_FLUSH, 64, 65, 0},
	       {TRACE_FENCE, 0, 0, 0});
}

static void a_promise_comes_after_what_was_stored_before_it(void **state)
{
	(void)state;
	pool[0] = 1;
	memory_promise("12345678", 8, NULL);
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_OUTPUT, 0, 8, 0});
}

static void a_copy_is_one_unordered_store_after_what_was_there(void **state)
{
	char bytes[100];

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	pool[0] = 1;
	pmem_copy(pool + 8, bytes, sizeof(bytes));
	assert_int_equal(pool[8], 7);
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_STORE, 8, 100, STORE_UNORDERED}, {TRACE_FLUSH, 8, 100, 0});
}

static void several_ranges_have_one_fence(void **state)
{
	const struct iovec ranges[] = {{pool, 8}, {pool + 128, 8}};

	(void)state;
	pool[0] = pool[128] = 1;
	assert_int_equal(pmem_try_persistv(ranges, 2), 0);
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_STORE, 128, 8, STORE_OBSERVED}, {TRACE_FLUSH, 0, 8, 0},
	       {TRACE_FLUSH, 128, 8, 0}, {TRACE_FENCE, 0, 0, 0});
}

/* A signal handler may come while its thread is in the recorder, and may persist. */
static void what_comes_inside_the_recorder_is_told_after_it(void **state)
{
	(void)state;
	assert_true(record_enter());
	pool[0] = 1;
	pmem_persist(pool, 1, 0);
	assert_int_equal(trace.events, 0);
	record_leave();
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_FLUSH, 0, 1, 0}, {TRACE_FENCE, 0, 0, 0});
}

static void ranges_outside_the_pool_are_none(void **state)
{
	static char elsewhere[64];

	(void)state;
	assert_false(record_flush(elsewhere, 64, false, NULL));
	pmem_fence();
	EXPECT({TRACE_FENCE, 0, 0, 0});
}

static void a_range_over_the_end_counts_to_the_end(void **state)
{
	(void)state;
	assert_true(record_flush(pool + SIZE - 64, 4096, false, NULL));
	EXPECT({TRACE_FLUSH, SIZE - 64, 64, 0});
}

/* What the hooks tell. */

static void hooked_stores_keep_their_order(void **state)
{
	(void)state;
	record_before_store(pool + 8, 8, 0, (void *)1);
	memset(pool + 8, 1, 8);
	record_before_store(pool, 8, 0, (void *)2);
	memset(pool, 2, 8);
	record_fence((void *)3);
	EXPECT({TRACE_STORE, 8, 8, 0}, {TRACE_STORE, 0, 8, 0}, {TRACE_FENCE, 0, 0, 0});
}

static void the_last_hooked_store_is_told_at_the_end(void **state)
{
	(void)state;
	record_before_store(pool, 8, STORE_UNORDERED, (void *)1);
	memset(pool, 1, 8);
	EXPECT({TRACE_STORE, 0, 8, STORE_UNORDERED});
}

static void an_atomic_is_a_fence_for_what_was_flushed(void **state)
{
	(void)state;
	pool[0] = 1;
	record_flush(pool, 8, false, (void *)1);
	record_atomic_begin(pool + 64, 8, (void *)2);
	memset(pool + 64, 1, 8);
	record_atomic_end(pool + 64, 8, true, (void *)2);
	record_atomic_begin(pool + 72, 8, (void *)3);
	record_atomic_end(pool + 72, 8, false, (void *)3);
	EXPECT({TRACE_STORE, 0, 8, STORE_OBSERVED}, {TRACE_FLUSH, 0, 8, 0}, {TRACE_FENCE, 0, 0, 0},
	       {TRACE_STORE, 64, 8, 0});
}

/* A fence is one for its own thread alone. */

static void *persist_in_thread(void *unused)
{
	(void)unused;
	pool[64] = 1;
	pmem_persist(pool + 64, 1, 0);
	return NULL;
}

static void each_thread_has_a_number(void **state)
{
	const struct trace_event *event = NULL;
	pthread_t thread;

	(void)state;
	pmem_persist(pool, 1, 0);
	assert_int_equal(pthread_create(&thread, NULL, persist_in_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(memory_stop());
	while ((event = trace_next(&trace, event))) {
		if (event->kind == TRACE_FLUSH)
			assert_int_equal(event->thread, event->offset / 64);
	}
}

/* Recovery in the same process. */

static void a_visit_marks_and_records_nothing(void **state)
{
	uint64_t written[SIZE / UNIT / 64] = {0}, read[SIZE / UNIT / 64] = {0};

	(void)state;
	assert_true(memory_stop());
	visit = (struct visit){.pool = (unsigned char *)pool, .size = SIZE, .written = written, .read = read};
	record_before_store(pool + 64, 8, 0, (void *)1);
	record_load(pool + 128, 65, (void *)1);
	assert_true(record_persist(pool, 64, (void *)1));
	pmem_persist(pool, 64, 0);
	visit.pool = NULL;
	assert_int_equal(written[0], 1 << 1);
	assert_int_equal(read[0], 1 << 2 | 1 << 3);
	assert_int_equal(trace.events, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_persisted_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_flush_finds_the_stores_of_its_units_and_the_others_too, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_store_that_is_never_flushed_is_told_at_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_stored_twice_is_told_as_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_differs_of_a_unit_is_one_store, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_promise_comes_after_what_was_stored_before_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_copy_is_one_unordered_store_after_what_was_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(several_ranges_have_one_fence, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_comes_inside_the_recorder_is_told_after_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ranges_outside_the_pool_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_range_over_the_end_counts_to_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hooked_stores_keep_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_hooked_store_is_told_at_the_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_atomic_is_a_fence_for_what_was_flushed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_thread_has_a_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_visit_marks_and_records_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
