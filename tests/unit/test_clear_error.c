/* test_clear_error.c: lost blocks become zeros, and not a byte more */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"
#include "told_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pmem.h>
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

enum { PAGES = 8 };

static char told[256];

static void write_down(off_t offset, size_t len, void *arg)
{
	assert_ptr_equal(arg, &told);
	sprintf(told + strlen(told), "%lld+%zu ", (long long)offset, len);
}

static int clear(size_t offset, size_t len)
{
	told[0] = '\0';
	return pmem_clear_error(told_file, (off_t)offset, len, write_down, &told);
}

/* Eight pages less 100 bytes, each byte something else; the file system says where they are on the device. */
static int make_content(void **state)
{
	char bytes[4096];

	if (make_told_file(state) < 0)
		return -1;
	tell_device(ON_PMEM);
	attribute(PMEM0 "/badblocks", "");
	file_system.extents[0] = (struct told_extent){.physical = 1 << 20, .length = PAGES * page()};
	file_system.extent_count = 1;
	for (size_t at = 0; at < PAGES * page(); at += sizeof(bytes)) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (char)(1 + (at / sizeof(bytes) * 31 + i) % 255);
		if (pwrite(told_file, bytes, sizeof(bytes), (off_t)at) != (ssize_t)sizeof(bytes))
			return -1;
	}
	return ftruncate(told_file, (off_t)(PAGES * page() - 100));
}

/* Is every byte what it was, but for zeros in [start, end)? The size, too. */
static void expect_zeros(size_t start, size_t end)
{
	const size_t size = PAGES * page() - 100;
	char *bytes = malloc(size + 1);

	memset(file_system.bad, 0, sizeof(file_system.bad)); /* the test may read */
	assert_non_null(bytes);
	assert_int_equal(pread(told_file, bytes, size + 1, 0), size);
	for (size_t i = 0; i < size; i++) {
		const char was = (char)(1 + (i / 4096 * 31 + i % 4096) % 255);
		const char expected = i >= start && i < end ? 0 : was;

		if (bytes[i] != expected)
			fail_msg("byte %zu is %d instead of %d", i, bytes[i], expected);
	}
	free(bytes);
}

static void expect_told(size_t offset, size_t len)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%zu+%zu ", offset, len);
	assert_string_equal(told, expected);
}

static void expect_error(int result, int error, const char *why)
{
	assert_int_equal(result, -1);
	if (errno != error || !strstr(pmem_errormsg(), why))
		fail_msg("errno %d, \"%s\"; not %d, \"%s\"", errno, pmem_errormsg(), error, why);
}

/* --- What is cleared ------------------------------------------------------------------------- */

static void nothing_lost_nothing_touched(void **state)
{
	(void)state;
	assert_int_equal(clear(0, PAGES * page()), 0);
	assert_string_equal(told, "");
	expect_zeros(0, 0);
}

static void a_block_that_cannot_be_read(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_told(3 * page(), page());
	expect_zeros(3 * page(), 4 * page());
}

static void a_block_that_is_listed(void **state)
{
	char list[64];

	(void)state;
	snprintf(list, sizeof(list), "%zu 1\n", ((1 << 20) + 5 * page() + 1024) / 512);
	attribute(PMEM0 "/badblocks", list);
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_told(5 * page(), page());
	expect_zeros(5 * page(), 6 * page());
}

/* Each of the list's ranges counts, also those that lie before what was asked first. */
static void several_listed_blocks(void **state)
{
	char list[128];

	(void)state;
	snprintf(list, sizeof(list), "%zu 1\n%zu 1\n%zu 1\n", ((1 << 20) + page()) / 512,
		 ((1 << 20) + 3 * page()) / 512, ((1 << 20) + 6 * page()) / 512);
	attribute(PMEM0 "/badblocks", list);
	assert_int_equal(clear(0, PAGES * page() - 200), 0);
	snprintf(list, sizeof(list), "%zu+%zu %zu+%zu %zu+%zu ", page(), page(), 3 * page(), page(), 6 * page(),
		 page());
	assert_string_equal(told, list);
}

static void adjacent_blocks_are_one_run(void **state)
{
	(void)state;
	file_system.bad[3] = file_system.bad[4] = file_system.bad[6] = true;
	assert_int_equal(clear(0, 6 * page()), 0);
	expect_told(3 * page(), 2 * page());
	assert_true(file_system.bad[6]); /* out of the range */
	expect_zeros(3 * page(), 5 * page());
}

static void the_first_and_the_last_of_a_range(void **state)
{
	(void)state;
	file_system.bad[2] = file_system.bad[4] = true;
	file_system.bad[1] = file_system.bad[5] = true;
	assert_int_equal(clear(2 * page(), 3 * page()), 0);
	assert_true(file_system.bad[1] && file_system.bad[5]);
	assert_false(file_system.bad[2] || file_system.bad[4]);
}

/* The file keeps its size, and what is told ends with it. */
static void the_last_block_of_an_odd_file(void **state)
{
	(void)state;
	file_system.bad[7] = true;
	assert_int_equal(clear(7 * page(), page() - 100), 0);
	expect_told(7 * page(), page() - 100);
	expect_zeros(7 * page(), PAGES * page() - 100);
}

static void no_listener_is_fine(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	assert_int_equal(pmem_clear_error(told_file, 0, PAGES * page(), NULL, NULL), 0);
	expect_zeros(3 * page(), 4 * page());
}

/* Nobody keeps a list: reading tells. */
static void a_file_without_a_list(void **state)
{
	(void)state;
	file_system.magic = BTRFS_SUPER_MAGIC;
	file_system.bad[3] = true;
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_zeros(3 * page(), 4 * page());
}

static void large_blocks_are_cleared_whole(void **state)
{
	(void)state;
	file_system.block_size = 2 * (long)page();
	file_system.bad[3] = true;
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_told(2 * page(), 2 * page());
	expect_zeros(2 * page(), 4 * page());
}

/* --- What is refused, untouched --------------------------------------------------------------- */

static void a_block_that_reaches_out_of_the_range(void **state)
{
	char whole[64];

	(void)state;
	file_system.bad[3] = file_system.bad[4] = true;
	snprintf(whole, sizeof(whole), "%zu bytes at offset %zu", page(), 3 * page());
	expect_error(clear(3 * page() + 1, 4 * page()), EINVAL, whole);
	expect_error(clear(page(), 2 * page() + 512), EINVAL, whole);
	expect_error(clear(3 * page() + 512, 512), EINVAL, whole);
	assert_string_equal(told, "");
	assert_true(file_system.bad[3] && file_system.bad[4]);
	expect_zeros(0, 0);
	assert_int_equal(clear(3 * page() + 1, 4 * page()), 0); /* now nothing is lost */
}

static void a_range_that_this_process_maps(void **state)
{
	char *base = mmap(NULL, page(), PROT_READ, MAP_SHARED, told_file, (off_t)(3 * page()));

	(void)state;
	file_system.bad[3] = file_system.bad[5] = true;
	expect_error(clear(0, PAGES * page()), EBUSY, "unmap");
	expect_error(clear(4 * page() - 1, 1), EBUSY, "unmap");
	assert_true(file_system.bad[3] && file_system.bad[5]);
	assert_int_equal(clear(4 * page(), 4 * page()), 0); /* beside it */
	assert_int_equal(clear(2 * page(), page()), 0);
	munmap(base, page());
	base = mmap(NULL, PAGES * page(), PROT_READ, MAP_PRIVATE, told_file, 0);
	expect_error(clear(3 * page(), page()), EBUSY, "unmap");
	munmap(base, PAGES * page());
	assert_int_equal(clear(3 * page(), page()), 0);
}

static void a_mapping_of_another_file_is_none(void **state)
{
	const int other = test_file(page());
	char *base = mmap(NULL, page(), PROT_READ, MAP_SHARED, other, 0);

	(void)state;
	file_system.bad[0] = true;
	assert_int_equal(clear(0, page()), 0);
	munmap(base, page());
	close(other);
}

static void bad_ranges_are_refused(void **state)
{
	(void)state;
	expect_error(clear(0, 0), EINVAL, "0 bytes");
	expect_error(pmem_clear_error(told_file, -4096, 1, NULL, NULL), EINVAL, "-4096");
	expect_error(clear(4096, SIZE_MAX), EOVERFLOW, "4096");
	expect_error(pmem_clear_error(told_file, INT64_MAX - 10, 4096, NULL, NULL), EOVERFLOW, "length");
	expect_error(clear(PAGES * page(), 1), ENXIO, "end of the file");
	assert_int_equal(clear(PAGES * page() - 1, 1 << 30), 0); /* in the last block */
}

static void refuse_descriptor(int flags, int error, const char *why)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", told_file);
	fd = open(path, flags);
	assert_true(fd >= 0);
	expect_error(pmem_clear_error(fd, 0, page(), NULL, NULL), error, why);
	close(fd);
}

static void bad_descriptors_are_refused(void **state)
{
	int fd;

	(void)state;
	refuse_descriptor(O_RDONLY, EACCES, "O_RDWR");
	refuse_descriptor(O_WRONLY, EACCES, "O_RDWR");
	refuse_descriptor(O_RDWR | O_APPEND, EINVAL, "O_APPEND");
	refuse_descriptor(O_PATH, EBADF, "O_PATH");
	expect_error(pmem_clear_error(-1, 0, 1, NULL, NULL), EBADF, "descriptor");
	fd = open("/", O_RDONLY | O_DIRECTORY);
	expect_error(pmem_clear_error(fd, 0, 1, NULL, NULL), ENODEV, "regular");
	close(fd);
}

/* --- What fails half-way ---------------------------------------------------------------------- */

static void a_file_system_without_holes(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.error_of_punch = EOPNOTSUPP;
	expect_error(clear(0, PAGES * page()), ENOTSUP, "punching");
	assert_string_equal(told, "");
	expect_zeros(0, 0);
}

static void a_full_file_system(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.error_of_refill = ENOSPC;
	expect_error(clear(0, PAGES * page()), ENOSPC, "hole");
	expect_told(3 * page(), page()); /* lost all the same */
	expect_zeros(3 * page(), 4 * page());
}

static void a_file_system_that_cannot_reserve(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.error_of_refill = EOPNOTSUPP;
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_zeros(3 * page(), 4 * page());
}

static void zeros_that_cannot_be_written(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.error_of_write = EIO;
	file_system.failing_writes = UINT_MAX;
	expect_error(clear(0, PAGES * page()), EIO, "writing zeros");
	expect_told(3 * page(), page());
	assert_in_range(file_system.failing_writes, 1, UINT_MAX - 2); /* not once, not for ever */
	file_system.error_of_write = 0;
	file_system.error_of_sync = ENOSPC;
	file_system.bad[4] = true;
	expect_error(clear(0, PAGES * page()), ENOSPC, "durable");
	expect_told(4 * page(), page());
}

/* The file system gives a bad block for another: ask for a third. */
static void a_bad_block_for_another(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.error_of_write = EIO;
	file_system.failing_writes = 2;
	assert_int_equal(clear(0, PAGES * page()), 0);
	expect_told(3 * page(), page()); /* once */
	expect_zeros(3 * page(), 4 * page());
	file_system.bad[4] = true;
	file_system.error_of_write = EDQUOT;
	file_system.failing_writes = 1;
	expect_error(clear(0, PAGES * page()), EDQUOT, "writing zeros"); /* no block of whichever kind */
}

static void a_block_that_stays_bad(void **state)
{
	(void)state;
	file_system.bad[3] = true;
	file_system.stays_bad = true;
	expect_error(clear(0, PAGES * page()), EIO, "still cannot be read");
	expect_told(3 * page(), page());
}

static void other_errors_of_reading_are_no_loss(void **state)
{
	(void)state;
	file_system.error_of_read = EAGAIN;
	expect_error(clear(0, PAGES * page()), EAGAIN, "reading");
	assert_string_equal(told, "");
	file_system.error_of_read = 0;
	expect_zeros(0, 0);
}

/* --- Device-dax ------------------------------------------------------------------------------- */

/* /dev/zero in the part of a device-dax, and a bus in the place of /dev/ndctl0. */
static int make_device(void **state)
{
	char path[128];

	if (make_told_file(state) < 0)
		return -1;
	close(told_file);
	told_file = open("/dev/zero", O_RDWR);
	directory("bus/dax");
	directory("dev-nodes");
	snprintf(path, sizeof(path), "%s/dev-nodes", tree);
	setenv("PMEM_TEST_DEV", path, 1);
	device("char/1:5", BUS "region0/dax0.0/dax0.0");
	link_to(BUS "region0/dax0.0/dax0.0/subsystem", "bus/dax");
	attribute(BUS "region0/dax0.0/dax0.0/size", "4194304\n");
	attribute(BUS "region0/dax0.0/dax0.0/resource", "0x100200000\n");
	attribute(BUS "region0/resource", "0x100000000\n");
	attribute(BUS "region0/badblocks", "4104 2\n");
	file_system.clears_at_most = UINT64_MAX;
	return 0;
}

static void a_device_is_cleared_by_sectors(void **state)
{
	(void)state;
	expect_error(clear(0, 4 << 20), ENOTSUP, "ndctl0"); /* no such bus */
	attribute("dev-nodes/ndctl0", "");
	assert_int_equal(clear(0, 4096), 0);
	assert_string_equal(told, ""); /* not in the range */
	expect_error(clear(4096 + 100, 1000), EINVAL, "512 bytes at offset 4096");
	assert_int_equal(clear(0, 4 << 20), 0);
	expect_told(4096, 1024);
	assert_int_equal(file_system.cleared_at, 0x100200000 + 4096);
	assert_int_equal(file_system.cleared_length, 1024);
	assert_int_equal(clear(4096 + 512, 512), 0);
	expect_told(4096 + 512, 512);
}

static void a_bus_that_does_not_clear(void **state)
{
	(void)state;
	attribute("dev-nodes/ndctl0", "");
	file_system.error_of_clear = ENOTTY;
	expect_error(clear(0, 4 << 20), ENOTSUP, "cannot clear");
	file_system.error_of_clear = 0;
	file_system.clears_at_most = 512;
	expect_error(clear(0, 4 << 20), EIO, "512 of 1024");
	expect_told(4096, 512);
	file_system.clear_status = 1;
	expect_error(clear(0, 4 << 20), EIO, "0 of 1024");
	assert_string_equal(told, "");
}

#define test_of_content(name) cmocka_unit_test_setup_teardown(name, make_content, remove_told_file)
#define test_of_device(name)  cmocka_unit_test_setup_teardown(name, make_device, remove_told_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_content(nothing_lost_nothing_touched),
		test_of_content(a_block_that_cannot_be_read),
		test_of_content(a_block_that_is_listed),
		test_of_content(several_listed_blocks),
		test_of_content(adjacent_blocks_are_one_run),
		test_of_content(the_first_and_the_last_of_a_range),
		test_of_content(the_last_block_of_an_odd_file),
		test_of_content(no_listener_is_fine),
		test_of_content(a_file_without_a_list),
		test_of_content(large_blocks_are_cleared_whole),
		test_of_content(a_block_that_reaches_out_of_the_range),
		test_of_content(a_range_that_this_process_maps),
		test_of_content(a_mapping_of_another_file_is_none),
		test_of_content(bad_ranges_are_refused),
		test_of_content(bad_descriptors_are_refused),
		test_of_content(a_file_system_without_holes),
		test_of_content(a_full_file_system),
		test_of_content(a_file_system_that_cannot_reserve),
		test_of_content(zeros_that_cannot_be_written),
		test_of_content(a_bad_block_for_another),
		test_of_content(a_block_that_stays_bad),
		test_of_content(other_errors_of_reading_are_no_loss),
		test_of_device(a_device_is_cleared_by_sectors),
		test_of_device(a_bus_that_does_not_clear),
	};

	return cmocka_run_group_tests_name("clear_error", tests, NULL, NULL);
}
