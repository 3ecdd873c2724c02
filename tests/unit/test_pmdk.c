/* test_pmdk.c: what the functions of libpmem.h do to each kind of memory, and tell of it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#define PMEM_BUILD /* both interfaces in one file, as in the library */
#include "msync_double.h"
#include "steps.h"
#include "sysfs_tree.h"
#include "test_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libpmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A mapping of pmem_map_file() that has a page cache, and memory that the library does not know. */
struct fixture {
	char *base;    /* 8 pages */
	char *unknown; /* 8 pages */
};

static char path[4096];

static int set_up(void **state)
{
	static struct fixture fixture;
	int fd = test_disk_file(8 * page());
	char link[64];

	msync_reset();
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	fixture.base = pmem_map_file(link, 0, 0, 0, NULL, NULL);
	fixture.unknown = mmap(NULL, 8 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close(fd);
	*state = &fixture;
	return fixture.base && fixture.unknown != MAP_FAILED ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	msync_reset();
	pmem_on_failure(NULL, NULL);
	pmem_unmap(fixture->base, 8 * page());
	munmap(fixture->unknown, 8 * page());
	return 0;
}

/* --- Unknown memory: the processor flushes, and that is all ---------------------------------------- */

static const struct range {
	size_t offset, length;
} ranges[] = {{0, 1}, {0, 64}, {63, 2}, {100, 1000}, {4090, 12}, {0, 4096}, {1, 5000}};

struct call {
	char *at;
	size_t length;
};

static void persist(void *arg)
{
	const struct call *call = arg;

	libpmem_persist(call->at, call->length);
}

static void flush_and_drain(void *arg)
{
	const struct call *call = arg;

	pmem_flush(call->at, call->length);
	pmem_drain();
}

static void fill(void *arg)
{
	const struct call *call = arg;

	pmem_memset_persist(call->at, 7, call->length);
}

static void copy(void *arg)
{
	const struct call *call = arg;

	pmem_memcpy(call->at, ranges, call->length < sizeof(ranges) ? call->length : sizeof(ranges), 0);
}

static void fill_without_flush(void *arg)
{
	const struct call *call = arg;

	pmem_memset(call->at, 7, call->length, PMEM_F_MEM_NOFLUSH);
}

static void copy_without_flush(void *arg)
{
	const struct call *call = arg;

	pmem_memcpy(call->at, call->at + call->length, call->length, PMEM_F_MEM_NOFLUSH);
}

static void unknown_memory_is_flushed_by_the_processor(void **state)
{
	const struct fixture *fixture = *state;
	void (*const functions[])(void *) = {persist, flush_and_drain, fill, copy};
	struct steps steps;

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct call call = {fixture->unknown + ranges[i].offset, ranges[i].length};

		for (size_t j = 0; j < sizeof(functions) / sizeof(functions[0]); j++) {
			if (!step_through(functions[j], &call, &steps))
				skip();
			if (strcmp(pmem_flush_method(), "none") != 0) {
				assert_true(steps.flushes + steps.direct_stores > 0);
				assert_true(steps.fenced_last);
			}
			assert_int_equal(steps.system_calls, 0);
		}
	}
	assert_int_equal(msync_calls(), 0);
}

static void persist_flushes_each_line_of_unknown_memory(void **state)
{
	const struct fixture *fixture = *state;
	const uintptr_t first = (uintptr_t)fixture->unknown + 64;
	struct call call = {fixture->unknown + 100, 1000};
	struct steps steps;

	if (strcmp(pmem_flush_method(), "none") == 0 || !step_through(persist, &call, &steps))
		skip();
	assert_int_equal(steps.flushes, (100 + 1000 + 63) / 64 - 1);
	for (size_t i = 0; i < steps.flushes; i++)
		assert_int_equal(steps.lines[i] & ~(uintptr_t)63, first + i * 64);
}

static void noflush_neither_flushes_nor_fences(void **state)
{
	const struct fixture *fixture = *state;
	void (*const functions[])(void *) = {fill_without_flush, copy_without_flush};
	struct call call = {fixture->unknown + 100, 1000};
	struct steps steps;

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		if (!step_through(functions[i], &call, &steps))
			skip();
		assert_int_equal(steps.flushes + steps.direct_stores + steps.fences, 0);
	}
}

/* A range that begins in memory that is not known and ends in a page cache that is. */
static void each_part_of_a_range_gets_what_it_needs(void **state)
{
	const int fd = test_disk_file(2 * page());
	char *both = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)state;
	close(fd);
	assert_int_equal(pmem_register(both + page(), page()), 0);
	libpmem_persist(both + page() - 8, 16);
	assert_true(msync_covered(both + page(), page()));
	assert_false(msync_touched(both, page()));
	msync_reset();
	pmem_memcpy_persist(both + page() - 2, "hello", 5);
	assert_memory_equal(both + page() - 2, "hello", 5);
	assert_true(msync_covered(both + page(), page()));
	pmem_unmap(both, 2 * page());
}

/* --- A known page cache: durable all the same, at the drain ------------------------------------------ */

static void persist_of_the_page_cache_is_an_msync(void **state)
{
	const struct fixture *fixture = *state;

	libpmem_persist(fixture->base + page() + 8, 8);
	assert_true(msync_covered(fixture->base + page(), page()));
	assert_false(msync_touched(fixture->base, page()));
}

static void flush_of_the_page_cache_waits_for_the_drain(void **state)
{
	const struct fixture *fixture = *state;

	pmem_flush(fixture->base, 8);
	pmem_deep_flush(fixture->base + 2 * page(), 8);
	pmem_memcpy_nodrain(fixture->base + 4 * page(), "hello", 5);
	pmem_memset(fixture->base + 6 * page(), 1, 5, PMEM_F_MEM_NODRAIN);
	assert_int_equal(msync_calls(), 0);
	pmem_drain();
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(msync_touched(fixture->base + i * page(), page()), i % 2 == 0);
}

static void copies_to_the_page_cache_are_durable(void **state)
{
	const struct fixture *fixture = *state;

	pmem_memmove_persist(fixture->base, "hello", 5);
	assert_true(msync_covered(fixture->base, 5));
	pmem_memcpy(fixture->base + page(), "hello", 5, PMEM_F_MEM_TEMPORAL);
	assert_true(msync_covered(fixture->base + page(), 5));
	pmem_memset(fixture->base + 2 * page(), 1, 5, PMEM_F_MEM_NOFLUSH);
	assert_false(msync_touched(fixture->base + 2 * page(), 5));
	assert_memory_equal(fixture->base, "hello", 5);
}

/* The drain of a copy elsewhere completes what waits. */
static void any_drain_completes_what_was_flushed(void **state)
{
	const struct fixture *fixture = *state;

	pmem_flush(fixture->base, 8);
	pmem_memcpy_persist(fixture->unknown, "hello", 5);
	assert_true(msync_covered(fixture->base, 8));
	pmem_flush(fixture->base + page(), 8);
	libpmem_persist(fixture->unknown, 5);
	assert_true(msync_covered(fixture->base + page(), 8));
}

/* --- pmem_msync() --------------------------------------------------------------------------------------- */

static void msync_goes_on_after_a_signal(void **state)
{
	const struct fixture *fixture = *state;

	msync_fail(fixture->base, 1, EINTR, 2);
	assert_int_equal(pmem_msync(fixture->base, 1), 0);
	assert_int_equal(msync_calls(), 3);
}

static void a_failed_msync_is_remembered(void **state)
{
	const struct fixture *fixture = *state;

	msync_fail(fixture->base, 1, ENOSPC, 1);
	assert_int_equal(pmem_msync(fixture->base, 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_non_null(strstr(pmem_errormsg(), "NOT durable"));
	assert_int_equal(pmem_msync(fixture->base + 4 * page(), 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(pmem_deep_persist(fixture->base, 1), -1);
	assert_int_equal(pmem_deep_drain(fixture->base, 1), -1);
}

/* One msync a call: a second one would cost a system call and find nothing. */
static void msync_is_one_msync(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(pmem_msync(fixture->base + page() - 1, 2), 0);
	assert_true(msync_covered(fixture->base, 2 * page()));
	assert_int_equal(pmem_msync(fixture->unknown, 1), 0);
	assert_int_equal(msync_calls(), 2);
}

/* Where the processor flushes, the kernel is asked all the same, and its refusal told. */
static void msync_of_memory_for_the_processor_tells_errors(void **state)
{
	int fd = test_file_at(page(), path);
	char *at = pmem_map_file(path, 0, 0, 0, NULL, NULL);

	(void)state;
	close(fd);
	unlink(path);
	msync_fail(at, 1, EIO, 1);
	assert_int_equal(pmem_msync(at, 1), -1);
	assert_int_equal(errno, EIO);
	assert_non_null(strstr(pmem_errormsg(), "NOT durable"));
	pmem_unmap(at, page());
}

static int failures;

static void count_failure(const struct pmem_failure *failure, void *arg)
{
	(void)arg;
	assert_int_equal(failure->error, EIO);
	failures++;
}

static void a_failure_without_a_result_calls_the_handler(void **state)
{
	const struct fixture *fixture = *state;

	failures = 0;
	pmem_on_failure(count_failure, NULL);
	msync_fail(fixture->base, 8 * page(), EIO, 1);
	libpmem_persist(fixture->base, 8);
	pmem_memcpy_persist(fixture->base, "hello", 5);
	pmem_flush(fixture->base, 8);
	pmem_drain();
	assert_int_equal(failures, 3);
}

/* --- pmem_map_file() -------------------------------------------------------------------------------------- */

static void a_file_that_cannot_be_allocated_is_removed(void **state)
{
	struct stat status;
	int fd = test_file_at(1, path);

	(void)state;
	close(fd);
	unlink(path);
	assert_null(pmem_map_file(path, (size_t)1 << 50, PMEM_FILE_CREATE | PMEM_FILE_EXCL, 0600, NULL, NULL));
	assert_true(errno == ENOSPC || errno == EFBIG);
	assert_non_null(strstr(pmem_errormsg(), path));
	assert_int_equal(stat(path, &status), -1);
}

static void a_mapping_leaves_no_descriptor(void **state)
{
	const int before = open_descriptors();
	size_t length;
	int fd = test_file_at(5000, path);
	char *at = pmem_map_file(path, 0, 0, 0, &length, NULL);

	(void)state;
	assert_non_null(at);
	assert_int_equal(length, 5000);
	close(fd);
	pmem_unmap(at, length);
	unlink(path);
	assert_int_equal(open_descriptors(), before);
	assert_null(pmem_map_file(path, 0, 0, 0, NULL, NULL));
	fd = test_file_at(0, path);
	assert_null(pmem_map_file(path, 0, 0, 0, NULL, NULL));
	assert_non_null(strstr(pmem_errormsg(), "empty"));
	close(fd);
	unlink(path);
	assert_null(pmem_map_file("/dev/zero", 0, 0, 0, NULL, NULL));
	assert_null(pmem_map_file(NULL, 0, 0, 0, NULL, NULL));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(open_descriptors(), before);
}

/* --- eADR --------------------------------------------------------------------------------------------------- */

static void region_says(const char *region, const char *domain)
{
	char name[64];

	snprintf(name, sizeof(name), "bus/nd/devices/%s", region);
	directory(name);
	strcat(name, "/persistence_domain");
	if (domain)
		attribute(name, domain);
}

static void auto_flush_is_what_every_region_says(void **state)
{
	(void)state;
	assert_int_equal(pmem_has_auto_flush(), 0);
	region_says("region0", "cpu_cache\n");
	assert_int_equal(pmem_has_auto_flush(), 1);
	region_says("region1", "cpu_cache\n");
	assert_int_equal(pmem_has_auto_flush(), 1);
	region_says("region1", "memory_controller\n");
	assert_int_equal(pmem_has_auto_flush(), 0);
	region_says("region1", "cpu_cache\n");
	region_says("region2", NULL);
	assert_int_equal(pmem_has_auto_flush(), 0);
}

/* What is known of the machine's caches must not decide about unknown memory here. */
int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unknown_memory_is_flushed_by_the_processor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(persist_flushes_each_line_of_unknown_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(noflush_neither_flushes_nor_fences, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_part_of_a_range_gets_what_it_needs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(persist_of_the_page_cache_is_an_msync, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flush_of_the_page_cache_waits_for_the_drain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(copies_to_the_page_cache_are_durable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_drain_completes_what_was_flushed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(msync_goes_on_after_a_signal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failed_msync_is_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(msync_is_one_msync, set_up, tear_down),
		cmocka_unit_test_setup_teardown(msync_of_memory_for_the_processor_tells_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_without_a_result_calls_the_handler, set_up, tear_down),
		cmocka_unit_test(a_file_that_cannot_be_allocated_is_removed),
		cmocka_unit_test(a_mapping_leaves_no_descriptor),
		cmocka_unit_test_setup_teardown(auto_flush_is_what_every_region_says, make_tree, remove_tree),
	};

	if (!getenv("PMEM_NO_FLUSH")) {
		setenv("PMEM_NO_FLUSH", "0", 1);
		execv("/proc/self/exe", argv);
		return argc;
	}
	return cmocka_run_group_tests_name("pmdk", tests, NULL, NULL);
}
