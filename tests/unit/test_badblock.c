/* test_badblock.c: bad blocks of a device as ranges of a file: the arithmetic of extents, and what is not known */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"
#include "told_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

/* Writes each range down: "OFFSET+LENGTH ". */
static int write_down(off_t offset, size_t len, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%lld+%zu ", (long long)offset, len);
	return 0;
}

static int stop_at_once(off_t offset, size_t len, void *arg)
{
	(void)offset;
	(void)len;
	++*(int *)arg;
	return 9;
}

static void tell_extent(uint64_t logical, uint64_t physical, uint64_t length, uint32_t flags)
{
	file_system.extents[file_system.extent_count++] =
		(struct told_extent){.logical = logical, .physical = physical, .length = length, .flags = flags};
}

/* The file's extents, the device's list, and what must come of them. Sizes in the names are bytes. */
static const struct arithmetic {
	const char *name;
	struct told_extent extents[4];
	const char *bad; /* SECTOR COUNT */
	const char *expected;
	uint64_t size;
} cases[] = {
	{"nothing is bad", {{0, MIB, MIB, 0}}, "", "", MIB},
	{"one sector in the middle", {{0, MIB, MIB, 0}}, "2056 1\n", "4096+512 ", MIB},
	{"the first sector, the last sector", {{0, MIB, MIB, 0}}, "2048 1\n4095 1\n", "0+512 1048064+512 ", MIB},
	{"just before, just after", {{0, MIB, MIB, 0}}, "2047 1\n4096 1\n", "", MIB},
	{"a bad range that reaches over both ends", {{0, MIB, MIB, 0}}, "0 10000\n", "0+1048576 ", MIB},
	{"a bad range that begins before", {{0, MIB, MIB, 0}}, "2040 16\n", "0+4096 ", MIB},
	{"a bad range that ends after", {{0, MIB, MIB, 0}}, "4088 16\n", "1044480+4096 ", MIB},
	{"the extent is not at the file's beginning", {{64 * KIB, MIB, 4096, 0}}, "2049 2\n", "66048+1024 ", MIB},
	{"two extents, in another order on the device",
	 {{0, 8 * MIB, 4096, 0}, {4096, MIB, 4096, 0}},
	 "2048 1\n16384 1\n",
	 "0+512 4096+512 ",
	 MIB},
	{"bad on both sides of a boundary is one range",
	 {{0, 8 * MIB, 4096, 0}, {4096, MIB, 4096, 0}},
	 "2048 8\n16384 8\n",
	 "0+8192 ",
	 MIB},
	{"adjacent lines of the list are one range",
	 {{0, MIB, MIB, 0}},
	 "2048 8\n2056 8\n2065 1\n",
	 "0+8192 8704+512 ",
	 MIB},
	{"a hole between extents",
	 {{0, MIB, 4096, 0}, {12288, MIB + 4096, 4096, 0}},
	 "2048 16\n",
	 "0+4096 12288+4096 ",
	 MIB},
	{"an extent without a place",
	 {{0, MIB, 4096, FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_UNKNOWN}},
	 "2048 8\n",
	 "",
	 MIB},
	{"reserved, not written", {{0, MIB, 4096, FIEMAP_EXTENT_UNWRITTEN}}, "2048 1\n", "0+512 ", MIB},
	{"beyond the end, in the last page", {{0, MIB, MIB, 0}}, "2055 1\n", "3584+512 ", 100},
	{"beyond the last page", {{0, MIB, MIB, 0}}, "2056 1\n", "", 100},
	{"an empty file", {{0, MIB, MIB, 0}}, "2048 8\n", "", 0},
	{"beyond 4 GiB",
	 {{UINT64_C(5) << 30, UINT64_C(9) << 30, MIB, 0}},
	 "18874368 1\n",
	 "5368709120+512 ",
	 (UINT64_C(5) << 30) + MIB},
};

static void extents_and_lists_meet(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct arithmetic *one = &cases[i];
		char told[512] = "";

		assert_int_equal(make_told_file(state), 0);
		tell_device(ON_PMEM);
		attribute(PMEM0 "/badblocks", one->bad);
		memcpy(file_system.extents, one->extents, sizeof(one->extents));
		while (file_system.extent_count < 4 && one->extents[file_system.extent_count].length)
			file_system.extent_count++;
		assert_int_equal(ftruncate(told_file, (off_t)one->size), 0);
		assert_int_equal(pmem_bad_ranges(told_file, write_down, told), 0);
		if (strcmp(told, one->expected) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", one->name, told, one->expected);
		remove_told_file(state);
	}
}

/* More extents than are asked for at once; every one has a bad sector. */
static void many_extents(void **state)
{
	char list[4096] = "", told[8192] = "", expected[8192] = "";

	(void)state;
	tell_device(ON_PMEM);
	for (unsigned i = 0; i < EXTENTS_MAX; i++) {
		tell_extent(i * 4096, (uint64_t)(EXTENTS_MAX - i) * 8192, 4096, 0);
		sprintf(list + strlen(list), "%u 1\n", (i + 1) * 16);
		sprintf(expected + strlen(expected), "%u+512 ", i * 4096);
	}
	attribute(PMEM0 "/badblocks", list);
	assert_int_equal(ftruncate(told_file, EXTENTS_MAX * 4096), 0);
	assert_int_equal(pmem_bad_ranges(told_file, write_down, told), 0);
	assert_string_equal(told, expected);
}

static void the_caller_can_stop(void **state)
{
	int calls = 0;

	(void)state;
	tell_device(ON_PMEM);
	attribute(PMEM0 "/badblocks", "0 1\n2 1\n4 1\n");
	tell_extent(0, 0, 4096, 0);
	assert_int_equal(pmem_bad_ranges(told_file, stop_at_once, &calls), 9);
	assert_int_equal(calls, 1);
}

static void expect_unknown(int error, const char *why)
{
	char told[64] = "";

	assert_int_equal(pmem_bad_ranges(told_file, write_down, told), -1);
	if (errno != error || !strstr(pmem_errormsg(), why))
		fail_msg("errno %d, \"%s\"; not %d, \"%s\"", errno, pmem_errormsg(), error, why);
	assert_string_equal(told, "");
}

static void what_is_not_known_is_an_error(void **state)
{
	(void)state;
	expect_unknown(ENODATA, "/sys");
	tell_device(ON_PMEM);
	expect_unknown(ENODATA, "no list");
	attribute(PMEM0 "/badblocks", "0 1\n");
	file_system.error_of_extents = EOPNOTSUPP;
	expect_unknown(EOPNOTSUPP, "extents");
	file_system.magic = BTRFS_SUPER_MAGIC;
	expect_unknown(ENODATA, "btrfs");
	file_system.magic = XFS_MAGIC;
	file_system.has_flags = true;
	file_system.flags = FS_XFLAG_REALTIME;
	expect_unknown(ENODATA, "realtime");
	assert_int_equal(pmem_bad_ranges(-1, write_down, NULL), -1);
	assert_int_equal(errno, EBADF);
}

static void a_cut_list_is_told_and_an_error(void **state)
{
	char list[4200] = "", told[512] = "";

	(void)state;
	tell_device(ON_PMEM);
	for (int i = 0; strlen(list) < 4060; i++)
		sprintf(list + strlen(list), "%d 1\n", 10000000 + 2 * i);
	attribute(PMEM0 "/badblocks", list);
	tell_extent(0, UINT64_C(5120000000), 1024, 0);
	assert_int_equal(pmem_bad_ranges(told_file, write_down, told), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_string_equal(told, "0+512 ");
}

/* /dev/zero in the part of a device-dax. */
static void a_device_dax_is_told_directly(void **state)
{
	const int fd = open("/dev/zero", O_RDWR);
	char told[256] = "";

	(void)state;
	directory("bus/dax");
	device("char/1:5", BUS "region0/dax0.0/dax0.0");
	link_to(BUS "region0/dax0.0/dax0.0/subsystem", "bus/dax");
	attribute(BUS "region0/dax0.0/dax0.0/size", "4194304\n");
	attribute(BUS "region0/dax0.0/dax0.0/resource", "0x100200000\n");
	attribute(BUS "region0/resource", "0x100000000\n");
	attribute(BUS "region0/badblocks", "0 1\n4096 8\n4104 1\n5000 1\n");
	assert_int_equal(pmem_bad_ranges(fd, write_down, told), 0);
	assert_string_equal(told, "0+4608 462848+512 ");
	close(fd);
}

#define test_of_file(name) cmocka_unit_test_setup_teardown(name, make_told_file, remove_told_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_and_lists_meet),
		test_of_file(many_extents),
		test_of_file(the_caller_can_stop),
		test_of_file(what_is_not_known_is_an_error),
		test_of_file(a_cut_list_is_told_and_an_error),
		test_of_file(a_device_dax_is_told_directly),
	};

	return cmocka_run_group_tests_name("badblock", tests, NULL, NULL);
}
