/* test_persist.c: what is durable after a persist, and after a flush and a fence, on every kind of mapping */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES = 64 };

/* A mapping of a disk file: what is durable there is what an msync has covered. */
struct fixture {
	int fd;
	char *base;
	size_t size;
};

static int map_disk_file(void **state)
{
	static struct fixture fixture;

	fixture.size = PAGES * page();
	fixture.fd = test_disk_file(fixture.size);
	fixture.base = pmem_map(fixture.fd, fixture.size);
	if (!fixture.base)
		return -1;
	memset(fixture.base, 1, fixture.size);
	msync_reset();
	*state = &fixture;
	return 0;
}

static int unmap_disk_file(void **state)
{
	struct fixture *fixture = *state;

	msync_reset();
	pmem_fence();
	pmem_unmap(fixture->base, fixture->size);
	close(fixture->fd);
	return 0;
}

/* --- Every kind of mapping -------------------------------------------------------------- */

static void persist_covers_the_range(void **state)
{
	struct fixture *fixture = *state;

	pmem_persist(fixture->base + page() + 100, 1, 0);
	assert_true(msync_covered(fixture->base + page(), page()));
	assert_int_equal(msync_calls(), 1);
	pmem_persist(fixture->base + 2 * page() - 1, 2, 0);
	assert_true(msync_covered(fixture->base + page(), 2 * page()));
	assert_false(msync_touched(fixture->base, page()));
}

static void persist_covers_a_mapping_of_the_programs_own(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, fixture->size, PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	pmem_persist(own + 5, 1, 0);
	assert_true(msync_covered(own, page()));
	pmem_flush_cache(own + 2 * page(), 1, 0);
	pmem_fence();
	assert_true(msync_covered(own + 2 * page(), page()));
	munmap(own, fixture->size);
}

static void persist_covers_a_registered_mapping(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, fixture->size, PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	assert_int_equal(pmem_register(own, fixture->size), 0);
	pmem_persist(own + 5, 1, 0);
	assert_true(msync_covered(own, page()));
	pmem_flush_cache(own + 2 * page(), 1, 0);
	pmem_flush_cache(own + 3 * page(), 1, 0);
	assert_false(msync_touched(own + 2 * page(), 2 * page()));
	pmem_fence();
	assert_true(msync_covered(own + 2 * page(), 2 * page()));
	assert_int_equal(msync_calls(), 2);
	assert_int_equal(pmem_unmap(own, fixture->size), 0);
}

static void every_part_of_a_mixed_range_is_covered(void **state)
{
	struct fixture *fixture = *state;
	char *mixed = mmap(NULL, 5 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* anonymous, registered file, anonymous, unregistered file, anonymous */
	mmap(mixed + page(), page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fixture->fd, 0);
	mmap(mixed + 3 * page(), page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fixture->fd, 0);
	assert_int_equal(pmem_register(mixed + page(), page()), 0);
	assert_int_equal(pmem_try_persist(mixed, 5 * page()), 0);
	assert_true(msync_covered(mixed + page(), page()));
	assert_true(msync_covered(mixed + 3 * page(), page()));
	assert_int_equal(pmem_unmap(mixed, 5 * page()), 0);
}

/* --- Empty, wrapping, holes ----------------------------------------------------------------- */

static void a_length_of_0_does_nothing(void **state)
{
	struct fixture *fixture = *state;

	pmem_persist(fixture->base, 0, 0);
	pmem_flush_cache(fixture->base, 0, 0);
	pmem_fence();
	pmem_persist((void *)16, 0, 0);
	pmem_persist((void *)UINTPTR_MAX, 0, 0);
	assert_int_equal(pmem_try_persist(NULL, 0), 0);
	assert_int_equal(pmem_deep_persist(NULL, 0), 0);
	assert_int_equal(pmem_try_persistv(NULL, 0), 0);
	assert_int_equal(msync_calls(), 0);
}

static void a_range_that_wraps_is_an_error(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(pmem_try_persist(fixture->base, SIZE_MAX), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_try_persist((void *)(UINTPTR_MAX - 10), 20), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_deep_persist(fixture->base, SIZE_MAX - page()), -1);
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(pmem_errormsg(), "wrap"));
}

static void a_hole_in_the_range_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, 3 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	munmap(own + page(), page());
	assert_int_equal(pmem_try_persist(own, 3 * page()), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(pmem_register(own, 3 * page()), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(pmem_try_persist((void *)page(), 1), -1);
	assert_int_equal(errno, ENOMEM);
	munmap(own, page());
	munmap(own + 2 * page(), page());

	/* In a mapping of the library's, whichever way the hole was made. */
	munmap(fixture->base + 3 * page(), page());
	assert_int_equal(pmem_unmap(fixture->base + 5 * page(), page()), 0);
	assert_int_equal(pmem_try_persist(fixture->base + 2 * page(), 2 * page()), -1);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(pmem_try_persist(fixture->base + 4 * page(), 2 * page()), -1);
	assert_int_equal(errno, ENOMEM);
	/* A hole is no failure of the file. */
	assert_int_equal(pmem_try_persist(fixture->base, 3 * page()), 0);
	assert_int_equal(pmem_try_persist(fixture->base + 6 * page(), page()), 0);
}

/* --- Ranges that wait for the fence ------------------------------------------------------------ */

static void flushed_pages_wait_for_the_fence(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	assert_int_equal(msync_calls(), 0);
	pmem_fence();
	assert_true(msync_covered(fixture->base, page()));
	pmem_fence();
	pmem_drain_pm_stores();
	assert_int_equal(msync_calls(), 1);
}

static void the_drain_completes_too(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	pmem_drain_pm_stores();
	assert_true(msync_covered(fixture->base, page()));
}

static void persisting_one_range_completes_the_others(void **state)
{
	struct fixture *fixture = *state;
	const int fd = test_file(page());
	char *elsewhere = pmem_map(fd, page());

	pmem_flush_cache(fixture->base, 1, 0);
	pmem_persist(elsewhere, 1, 0);
	assert_true(msync_covered(fixture->base, page()));
	pmem_flush_cache(fixture->base + page(), 1, 0);
	assert_int_equal(pmem_try_persist(fixture->base + 5 * page(), 1), 0);
	assert_true(msync_covered(fixture->base + page(), page()));
	pmem_unmap(elsewhere, page());
	close(fd);
}

static void adjacent_pages_are_one_run(void **state)
{
	struct fixture *fixture = *state;
	static const unsigned order[] = {4, 2, 3, 10, 3, 9, 5, 11};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		pmem_flush_cache(fixture->base + order[i] * page() + 7, 9, 0);
	pmem_fence();
	assert_true(msync_covered(fixture->base + 2 * page(), 4 * page()));
	assert_true(msync_covered(fixture->base + 9 * page(), 3 * page()));
	assert_int_equal(msync_calls(), 2);
	assert_false(msync_touched(fixture->base + 6 * page(), 3 * page()));
}

static void pages_apart_are_runs_of_their_own(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < PAGES; i += 2)
		pmem_flush_cache(fixture->base + i * page(), page(), 0);
	pmem_fence();
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(msync_covered(fixture->base + i * page(), page()), i % 2 == 0);
	assert_int_equal(msync_calls(), PAGES / 2);
}

static void more_ranges_than_the_list_holds(void **state)
{
	enum { RANGES = 20000 };
	const int fd = test_disk_file(2 * RANGES * page());
	char *base = pmem_map(fd, 2 * RANGES * page());

	(void)state;
	for (size_t i = 0; i < RANGES; i++)
		pmem_flush_cache(base + 2 * (i * 7919 % RANGES) * page(), 1, 0);
	pmem_fence();
	for (size_t i = 0; i < RANGES; i += 97)
		assert_true(msync_covered(base + 2 * i * page(), page()));
	assert_in_range(msync_calls(), RANGES, RANGES);
	pmem_unmap(base, 2 * RANGES * page());
	close(fd);
}

static void many_ranges_with_one_call(void **state)
{
	struct fixture *fixture = *state;
	const struct iovec ranges[] = {
		{.iov_base = fixture->base + 1, .iov_len = 10},
		{.iov_base = fixture->base + 4 * page(), .iov_len = page()},
		{.iov_base = fixture->base + 5, .iov_len = 3},
		{.iov_base = fixture->base, .iov_len = 0},
	};
	const struct iovec wrapping[] = {
		{.iov_base = fixture->base + 8 * page(), .iov_len = 1},
		{.iov_base = fixture->base, .iov_len = SIZE_MAX},
	};

	assert_int_equal(pmem_try_persistv(ranges, 4), 0);
	assert_true(msync_covered(fixture->base, page()));
	assert_true(msync_covered(fixture->base + 4 * page(), page()));
	assert_int_equal(msync_calls(), 2);
	assert_int_equal(pmem_try_persistv(ranges, -1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_try_persistv(wrapping, 2), -1);
	assert_int_equal(errno, EINVAL);
}

static void deep_persist_covers_the_range(void **state)
{
	struct fixture *fixture = *state;
	const int fd = test_file(page());
	char *there = pmem_map(fd, page());
	char *own = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	assert_int_equal(pmem_deep_persist(fixture->base + 3 * page(), 10), 0);
	assert_true(msync_covered(fixture->base + 3 * page(), page()));
	assert_int_equal(pmem_deep_persist(own + 8, 10), 0);
	assert_true(msync_covered(own, page()));
	assert_int_equal(pmem_deep_persist(there, page()), 0);
	assert_true(msync_covered(there, page()));
	munmap(own, page());
	pmem_unmap(there, page());
	close(fd);
}

/* --- Nothing that was flushed is lost ------------------------------------------------------------- */

static void *flush_and_end(void *at)
{
	pmem_flush_cache(at, 1, 0);
	return NULL;
}

static void a_thread_that_ends_without_a_fence(void **state)
{
	struct fixture *fixture = *state;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, flush_and_end, fixture->base + page()), 0);
	pthread_join(thread, NULL);
	assert_true(msync_covered(fixture->base + page(), page()));
}

static void *fence_only(void *unused)
{
	(void)unused;
	pmem_fence();
	return NULL;
}

static void a_fence_is_of_its_own_thread(void **state)
{
	struct fixture *fixture = *state;
	pthread_t thread;

	pmem_flush_cache(fixture->base, 1, 0);
	assert_int_equal(pthread_create(&thread, NULL, fence_only, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(msync_calls(), 0);
	pmem_fence();
	assert_true(msync_covered(fixture->base, page()));
}

static void a_fork_between_flush_and_fence(void **state)
{
	struct fixture *fixture = *state;
	int status;
	pid_t child;

	pmem_flush_cache(fixture->base, 1, 0);
	child = fork();
	if (child == 0) {
		pmem_fence();
		_exit(msync_covered(fixture->base, page()) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(msync_calls(), 0);
	pmem_fence();
	assert_true(msync_covered(fixture->base, page()));
}

/* The pages are written through the file's own description; the fence must not complain. */
static void unmapped_between_flush_and_fence(void **state)
{
	const int fd = test_disk_file(8 * page());
	char *base = pmem_map(fd, 8 * page());

	(void)state;
	base[0] = 1;
	pmem_flush_cache(base, 1, 0);
	assert_int_equal(pmem_unmap(base, 8 * page()), 0);
	pmem_fence();

	base = pmem_map(fd, 8 * page());
	pmem_flush_cache(base, 8 * page(), 0);
	assert_int_equal(munmap(base, 8 * page()), 0);
	pmem_fence();

	base = pmem_map(fd, 8 * page());
	pmem_flush_cache(base, 8 * page(), 0);
	assert_int_equal(pmem_unmap(base + page(), page()), 0);
	pmem_fence();
	pmem_unmap(base, 8 * page());
	close(fd);
}

/* The address belongs to another file's mapping at the fence: its msync would say nothing of ours. */
static void unmapped_and_mapped_again_between_flush_and_fence(void **state)
{
	const int fd = test_disk_file(page()), other_fd = test_disk_file(page());
	char *base = pmem_map(fd, page()), *other;

	(void)state;
	base[0] = 1;
	pmem_flush_cache(base, 1, 0);
	assert_int_equal(munmap(base, page()), 0);
	other = pmem_map(other_fd, page());
	msync_reset();
	pmem_fence();
	assert_int_equal(msync_calls(), 0);
	pmem_persist(other, 1, 0);
	assert_int_equal(msync_calls(), 1);
	pmem_unmap(other, page());
	close(fd);
	close(other_fd);
}

/* As above, on a mapping that nobody registered: made durable at the flush, before it can go. */
static void a_foreign_mapping_unmapped_between_flush_and_fence(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	pmem_flush_cache(own, 1, 0);
	assert_true(msync_covered(own, page()));
	munmap(own, page());
	pmem_fence();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(persist_covers_the_range, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(persist_covers_a_mapping_of_the_programs_own, map_disk_file,
						unmap_disk_file),
		cmocka_unit_test_setup_teardown(persist_covers_a_registered_mapping, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(every_part_of_a_mixed_range_is_covered, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_length_of_0_does_nothing, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_range_that_wraps_is_an_error, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_hole_in_the_range_is_an_error, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(flushed_pages_wait_for_the_fence, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(the_drain_completes_too, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(persisting_one_range_completes_the_others, map_disk_file,
						unmap_disk_file),
		cmocka_unit_test_setup_teardown(adjacent_pages_are_one_run, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(pages_apart_are_runs_of_their_own, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(more_ranges_than_the_list_holds, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(many_ranges_with_one_call, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(deep_persist_covers_the_range, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_thread_that_ends_without_a_fence, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_fence_is_of_its_own_thread, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_fork_between_flush_and_fence, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(unmapped_between_flush_and_fence, map_disk_file, unmap_disk_file),
		cmocka_unit_test_setup_teardown(unmapped_and_mapped_again_between_flush_and_fence, map_disk_file,
						unmap_disk_file),
		cmocka_unit_test_setup_teardown(a_foreign_mapping_unmapped_between_flush_and_fence, map_disk_file,
						unmap_disk_file),
	};

	return cmocka_run_group_tests_name("persist", tests, NULL, NULL);
}
