/* test_batches.c: a fence has several runs of pages written with few calls, each by an msync, and no error gets lost */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES = 64 };

struct fixture {
	int fd;
	char *base;
	size_t size;
};

static struct {
	unsigned calls;
	int error;
} told;

static void note(const struct pmem_failure *failure, void *arg)
{
	(void)arg;
	told.calls++;
	told.error = failure->error;
}

static int start(void **state)
{
	static struct fixture fixture;

	fixture.size = PAGES * page();
	fixture.fd = test_disk_file(fixture.size);
	fixture.base = pmem_map(fixture.fd, fixture.size);
	if (!fixture.base)
		return -1;
	memset(&told, 0, sizeof(told));
	pmem_on_failure(note, NULL);
	msync_reset();
	*state = &fixture;
	return 0;
}

static int finish(void **state)
{
	struct fixture *fixture = *state;

	msync_reset();
	pmem_unmap(fixture->base, fixture->size);
	close(fixture->fd);
	pmem_on_failure(NULL, NULL);
	return 0;
}

/* --- Starting them together -------------------------------------------------------------------- */

/* A start makes nothing durable: each run has its msync as well. */
static void all_are_started_before_the_first_msync(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 10; i += 2)
		pmem_flush_cache(fixture->base + i * page(), 1, 0);
	pmem_fence();
	assert_int_equal(write_starts(), 5);
	assert_int_equal(write_starts_before_msync(), 5);
	assert_int_equal(msync_calls(), 5);
	for (size_t i = 0; i < 10; i += 2)
		assert_true(msync_covered(fixture->base + i * page(), page()));
}

static void one_run_alone_is_not_started(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + page(), 1, 0);
	pmem_fence();
	pmem_persist(fixture->base + 4 * page(), 1, 0);
	assert_int_equal(write_starts(), 0);
	assert_int_equal(msync_calls(), 2);
}

/* The kernel need not tell msync what it has told the start, and the page may be clean by then. */
static void an_error_of_a_start_is_a_failure(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + 4 * page(), 1, 0);
	pmem_flush_cache(fixture->base + 8 * page(), 1, 0);
	write_start_fail((off_t)(4 * page()), ENOSPC, 1);
	pmem_fence();
	assert_true(told.calls >= 1);
	assert_int_equal(told.error, ENOSPC);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1); /* the whole file has failed */
	assert_int_equal(errno, ENOSPC);
}

static void a_start_that_says_nothing_is_none(void **state)
{
	static const int errors[] = {EINTR, EINVAL, ENOSYS, ESPIPE};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		pmem_flush_cache(fixture->base, 1, 0);
		pmem_flush_cache(fixture->base + 4 * page(), 1, 0);
		write_start_fail(0, errors[i], 1);
		pmem_fence();
		assert_int_equal(told.calls, 0);
	}
}

/* A start is told by the place in the file: here of mappings that begin in the middle of it, and were cut. */
static void starts_are_where_the_pages_are(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, 8 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, (off_t)(8 * page()));
	char *ours = pmem_map_range(fixture->fd, (off_t)(4 * page()), 8 * page(), 0);

	assert_int_equal(pmem_unmap(ours, page()), 0);
	pmem_flush_cache(ours + 2 * page(), 1, 0);
	pmem_flush_cache(ours + 4 * page(), 1, 0);
	write_start_fail((off_t)(6 * page()), EIO, 1);
	pmem_fence();
	assert_true(told.calls >= 1);
	assert_int_equal(pmem_unmap(ours, 8 * page()), 0);

	assert_int_equal(pmem_register(own + page(), 7 * page()), 0);
	told.calls = 0;
	pmem_flush_cache(own + page(), 1, 0);
	pmem_flush_cache(own + 5 * page(), 1, 0);
	write_start_fail((off_t)(13 * page()), EIO, 1);
	pmem_fence();
	assert_true(told.calls >= 1);
	assert_int_equal(pmem_unmap(own, 8 * page()), 0);
}

/* --- One msync over several runs ------------------------------------------------------------------ */

static void flush_pages(struct fixture *fixture, const unsigned *pages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fixture->base[pages[i] * page()] = 1;
		pmem_flush_cache(fixture->base + pages[i] * page(), 1, 0);
	}
	pmem_fence();
	for (size_t i = 0; i < count; i++)
		assert_true(msync_covered(fixture->base + pages[i] * page(), page()));
}

static void a_gap_of_few_dirty_pages_is_spanned(void **state)
{
	static const unsigned pages[] = {40, 3, 20, 0, 60};
	struct fixture *fixture = *state;

	dirty_pages_are(4);
	flush_pages(fixture, pages, 5);
	assert_int_equal(msync_calls(), 1);
	assert_int_equal(write_starts(), 0);
	assert_false(msync_touched(fixture->base + 61 * page(), 3 * page()));
}

static void a_gap_of_more_is_not(void **state)
{
	static const unsigned pages[] = {40, 3, 20, 0, 60};
	struct fixture *fixture = *state;

	dirty_pages_are(5);
	flush_pages(fixture, pages, 5);
	assert_int_equal(msync_calls(), 5);
	assert_false(msync_touched(fixture->base + 4 * page(), 16 * page()));
}

static void the_kernel_knows_which_pages_are_dirty(void **state)
{
	static const unsigned pages[] = {0, 20, 40};
	struct fixture *fixture = *state;

	assert_int_equal(msync(fixture->base, fixture->size, MS_SYNC), 0);
	memset(fixture->base + 21 * page(), 1, 10 * page());
	msync_reset();
	dirty_pages_are_as_the_kernel_says();
	flush_pages(fixture, pages, 3);
	if (msync_calls() == 3 && !msync_touched(fixture->base + page(), page()))
		skip(); /* before Linux 6.5 it does not tell */
	assert_int_equal(msync_calls(), 2);
	assert_true(msync_covered(fixture->base, 21 * page()));
	assert_false(msync_touched(fixture->base + 21 * page(), 19 * page()));
}

static void other_mappings_are_not_spanned(void **state)
{
	struct fixture *fixture = *state;
	char *other = pmem_map(fixture->fd, fixture->size);

	dirty_pages_are(0);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(other, 1, 0);
	pmem_flush_cache(other + 9 * page(), 1, 0);
	pmem_fence();
	assert_int_equal(msync_calls(), 2);
	assert_true(msync_covered(other, 10 * page()));
	assert_true(msync_covered(fixture->base, page()));
	pmem_unmap(other, fixture->size);
}

/* The hole's neighbours are durable all the same: through the file's own description. */
static void a_hole_in_the_gap_is_no_failure(void **state)
{
	struct fixture *fixture = *state;

	dirty_pages_are(0);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + 9 * page(), 1, 0);
	munmap(fixture->base + 4 * page(), page());
	pmem_fence();
	assert_int_equal(told.calls, 0);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + 9 * page(), 1, 0);
	assert_int_equal(pmem_unmap(fixture->base + 5 * page(), page()), 0);
	pmem_fence();
	assert_int_equal(told.calls, 0);
}

static void a_span_that_fails_fails_all_of_its_runs(void **state)
{
	struct fixture *fixture = *state;

	dirty_pages_are(0);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + 9 * page(), 1, 0);
	msync_fail(fixture->base + 9 * page(), page(), EIO, 1);
	pmem_fence();
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.error, EIO);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	assert_int_equal(pmem_try_persist(fixture->base + 9 * page(), 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_are_started_before_the_first_msync, start, finish),
		cmocka_unit_test_setup_teardown(one_run_alone_is_not_started, start, finish),
		cmocka_unit_test_setup_teardown(an_error_of_a_start_is_a_failure, start, finish),
		cmocka_unit_test_setup_teardown(a_start_that_says_nothing_is_none, start, finish),
		cmocka_unit_test_setup_teardown(starts_are_where_the_pages_are, start, finish),
		cmocka_unit_test_setup_teardown(a_gap_of_few_dirty_pages_is_spanned, start, finish),
		cmocka_unit_test_setup_teardown(a_gap_of_more_is_not, start, finish),
		cmocka_unit_test_setup_teardown(the_kernel_knows_which_pages_are_dirty, start, finish),
		cmocka_unit_test_setup_teardown(other_mappings_are_not_spanned, start, finish),
		cmocka_unit_test_setup_teardown(a_hole_in_the_gap_is_no_failure, start, finish),
		cmocka_unit_test_setup_teardown(a_span_that_fails_fails_all_of_its_runs, start, finish),
	};

	return cmocka_run_group_tests_name("batches", tests, NULL, NULL);
}
