/* test_fit.c: in fit mode only what was flushed reaches the file */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arch/arch.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 65536 };

static char byte_of_file(int fd, size_t at)
{
	char byte = 0;

	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	return byte;
}

static void unflushed_stores_never_reach_the_file(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	assert_non_null(base);
	memset(base, 1, SIZE);
	assert_int_equal(base[SIZE - 1], 1);
	pmem_fence();
	for (size_t at = 0; at < SIZE; at += 64)
		assert_int_equal(byte_of_file(fd, at), 0);
	assert_int_equal(pmem_unmap(base, SIZE), 0);
	for (size_t at = 0; at < SIZE; at += 64)
		assert_int_equal(byte_of_file(fd, at), 0);
	close(fd);
}

static void flushed_lines_reach_it_and_no_others(void **state)
{
	const int fd = test_file(SIZE);
	const size_t line = flush_line;
	char *base = pmem_map(fd, SIZE);

	(void)state;
	memset(base, 1, SIZE);
	pmem_persist(base + 10 * line + 3, 1, 0);
	pmem_flush_cache(base + 20 * line - 1, 2, 0);
	pmem_fence();
	pmem_drain_pm_stores();
	for (size_t at = 0; at < SIZE; at++) {
		const size_t number = at / line;

		if (number == 9 || number == 10 || number == 11 || (number >= 18 && number <= 21))
			assert_int_equal(byte_of_file(fd, at), number == 10 || number == 19 || number == 20);
	}
	pmem_unmap(base, SIZE);
	close(fd);
}

static void copies_and_fills_reach_it(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	pmem_copy_persist(base + 100, "x", 1);
	pmem_fill(base + 3000, 'y', 300);
	assert_int_equal(byte_of_file(fd, 100), 'x');
	assert_int_equal(byte_of_file(fd, 3000), 'y');
	assert_int_equal(byte_of_file(fd, 3299), 'y');
	assert_int_equal(byte_of_file(fd, 3300), 0);
	pmem_fence();
	pmem_unmap(base, SIZE);
	close(fd);
}

static void the_file_is_seen_through_the_mapping(void **state)
{
	const int fd = test_file(SIZE);
	char *base;

	(void)state;
	assert_int_equal(pwrite(fd, "old", 3, 100), 3);
	base = pmem_map(fd, SIZE);
	assert_memory_equal(base + 100, "old", 3);
	memcpy(base + 100, "new", 3);
	pmem_persist(base + 100, 3, 0);
	pmem_unmap(base, SIZE);
	base = pmem_map(fd, SIZE);
	assert_memory_equal(base + 100, "new", 3);
	assert_int_equal(pmem_granularity(base, SIZE), PMEM_GRANULARITY_NONE);
	pmem_unmap(base, SIZE);
	close(fd);
}

static void parts_can_be_unmapped(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	memset(base, 1, SIZE);
	assert_int_equal(pmem_unmap(base, page()), 0);
	assert_int_equal(pmem_unmap(base + 4 * page(), page()), 0);
	pmem_persist(base + 2 * page(), 1, 0);
	pmem_persist(base + 6 * page(), 1, 0);
	assert_int_equal(byte_of_file(fd, 2 * page()), 1);
	assert_int_equal(byte_of_file(fd, 6 * page()), 1);
	assert_int_equal(byte_of_file(fd, 7 * page()), 0);
	assert_int_equal(pmem_unmap(base, SIZE), 0);
	close(fd);
}

/* Nothing can be stored there, so that there is nothing to lose: it sees the file as it is. */
static void a_mapping_for_reading_is_no_working_copy(void **state)
{
	const int fd = test_file(SIZE);
	char *reader = pmem_map_range(fd, 0, SIZE, PMEM_MAP_READONLY);
	char *writer = pmem_map(fd, SIZE);

	(void)state;
	writer[0] = writer[page()] = 1;
	pmem_persist(writer, 1, 0);
	assert_int_equal(reader[0], 1);
	assert_int_equal(reader[page()], 0);
	assert_int_equal(pmem_try_persist(reader, SIZE), 0);
	pmem_unmap(reader, SIZE);
	pmem_unmap(writer, SIZE);
	close(fd);
}

static void it_is_not_persistent_memory(void **state)
{
	const int fd = test_file(SIZE);

	(void)state;
	assert_null(pmem_map_range(fd, 0, SIZE, PMEM_MAP_REQUIRE_PM));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_non_null(strstr(pmem_errormsg(), "pmem_fit_mode"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unflushed_stores_never_reach_the_file),
		cmocka_unit_test(flushed_lines_reach_it_and_no_others),
		cmocka_unit_test(copies_and_fills_reach_it),
		cmocka_unit_test(the_file_is_seen_through_the_mapping),
		cmocka_unit_test(parts_can_be_unmapped),
		cmocka_unit_test(a_mapping_for_reading_is_no_working_copy),
		cmocka_unit_test(it_is_not_persistent_memory),
	};

	pmem_fit_mode();
	return cmocka_run_group_tests_name("fit", tests, NULL, NULL);
}
