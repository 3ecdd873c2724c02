/* test_sysfs.c: what is concluded from every shape of /sys that matters, on trees that the test makes */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/pmem-sysfs-XXXXXX");
	return mkdtemp(root) && setenv("PMEM_TEST_SYSFS", root, 1) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	return nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory in the tree, its parents included. */
static void directory(const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	for (char *at = whole + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(whole, 0755);
		*at = '/';
	}
	mkdir(whole, 0755);
}

static void attribute(const char *path, const char *text)
{
	char whole[512];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	file = fopen(whole, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void link_to(const char *path, const char *target)
{
	char whole[512], whole_target[512];

	snprintf(whole, sizeof(whole), "%s/%s", root, path);
	snprintf(whole_target, sizeof(whole_target), "%s/%s", root, target);
	assert_int_equal(symlink(whole_target, whole), 0);
}

/* /sys/dev/block/259:0 and its like. */
static void device(const char *kind_and_number, const char *target)
{
	char path[256];

	directory("dev/block");
	directory("dev/char");
	snprintf(path, sizeof(path), "dev/%s", kind_and_number);
	directory(target);
	link_to(path, target);
}

#define BUS "devices/ACPI0012:00/ndbus0/"

static bool caches(unsigned major)
{
	return sysfs_caches_are_persistent(DEVICE_BLOCK, major, 0);
}

static void the_domain_is_that_of_the_devices_region(void **state)
{
	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	device("block/2:0", BUS "region1/namespace1.0/block/pmem1");
	attribute(BUS "region1/persistence_domain", "memory_controller\n");
	device("block/3:0", BUS "region2/namespace2.0/block/pmem2"); /* no such file: not known */
	device("block/4:0", "devices/pci0000:00/nvme/nvme0n1");
	device("block/5:0", BUS "region0/namespace0.0/block/pmem0/pmem0p1"); /* a partition */
	device("block/6:0", BUS "region0/btt0.0/block/pmem0s");
	assert_true(caches(1));
	assert_false(caches(2));
	assert_false(caches(3));
	assert_false(caches(4));
	assert_true(caches(5));
	assert_true(caches(6));
	assert_false(caches(99)); /* no such device */
}

static void a_stacked_device_is_as_good_as_its_worst(void **state)
{
	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	device("block/2:0", BUS "region1/namespace1.0/block/pmem1");
	attribute(BUS "region1/persistence_domain", "memory_controller\n");
	device("block/10:0", "devices/virtual/block/dm-0");
	directory("devices/virtual/block/dm-0/slaves");
	link_to("devices/virtual/block/dm-0/slaves/pmem0", BUS "region0/namespace0.0/block/pmem0");
	assert_true(caches(10));
	link_to("devices/virtual/block/dm-0/slaves/pmem1", BUS "region1/namespace1.0/block/pmem1");
	assert_false(caches(10));
	device("block/11:0", "devices/virtual/block/dm-1"); /* over the first: a chain */
	directory("devices/virtual/block/dm-1/slaves");
	assert_false(caches(11)); /* over nothing */
	link_to("devices/virtual/block/dm-1/slaves/dm-0", "devices/virtual/block/dm-0");
	assert_false(caches(11));
	device("block/12:0", "devices/virtual/block/dm-2"); /* over itself: must come to an end */
	directory("devices/virtual/block/dm-2/slaves");
	link_to("devices/virtual/block/dm-2/slaves/dm-2", "devices/virtual/block/dm-2");
	assert_false(caches(12));
}

static void a_cxl_region_is_no_nvdimm_region(void **state)
{
	char region[4096];

	(void)state;
	device("block/1:0", "devices/root0/decoder0.0/region4/pmem_region4/ndbus1/region7/namespace7.0/block/pmem7");
	attribute("devices/root0/decoder0.0/region4/pmem_region4/ndbus1/region7/persistence_domain", "cpu_cache\n");
	device("char/2:0", "devices/root0/decoder0.1/region5/dax_region5/dax5.0");
	assert_true(caches(1));
	assert_true(sysfs_region(DEVICE_BLOCK, 1, 0, region, sizeof(region)));
	assert_string_equal(strrchr(region, '/'), "/region7");
	assert_false(sysfs_region(DEVICE_CHARACTER, 2, 0, region, sizeof(region)));
	assert_false(sysfs_region(DEVICE_BLOCK, 1, 0, region, 10)); /* no room for it */
}

static void device_dax_has_a_size_and_an_alignment(void **state)
{
	struct dax_device dax;

	(void)state;
	directory("bus/dax");
	directory("class/mem");
	device("char/1:0", BUS "region0/dax0.0/dax0.0");
	link_to(BUS "region0/dax0.0/dax0.0/subsystem", "bus/dax");
	attribute(BUS "region0/dax0.0/dax0.0/size", "532676608\n");
	assert_true(sysfs_dax_device(1, 0, &dax));
	assert_int_equal(dax.size, 532676608);
	assert_int_equal(dax.alignment, 2 << 20); /* an old kernel says nothing of it */
	attribute(BUS "region0/dax0.0/dax0.0/align", "4096\n");
	assert_true(sysfs_dax_device(1, 0, &dax));
	assert_int_equal(dax.alignment, 4096);

	device("char/2:0", "devices/virtual/mem/zero");
	link_to("devices/virtual/mem/zero/subsystem", "class/mem");
	assert_false(sysfs_dax_device(2, 0, &dax));
	assert_false(sysfs_dax_device(3, 0, &dax));
	attribute(BUS "region0/dax0.0/dax0.0/size", "nonsense\n");
	assert_false(sysfs_dax_device(1, 0, &dax));
}

static void deep_flush_is_written_where_it_is_needed(void **state)
{
	char region[512], text[8] = "", file[600];
	int fd;

	(void)state;
	directory(BUS "region0");
	snprintf(region, sizeof(region), "%s/%sregion0", root, BUS);
	assert_int_equal(sysfs_deep_flush(region), -1);
	assert_int_equal(errno, ENOTSUP);
	attribute(BUS "region0/deep_flush", "0\n");
	assert_int_equal(sysfs_deep_flush(region), 0);
	attribute(BUS "region0/deep_flush", "1\n");
	assert_int_equal(sysfs_deep_flush(region), 0);
	snprintf(file, sizeof(file), "%s/deep_flush", region);
	fd = open(file, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text) - 1), 2);
	assert_string_equal(text, "1\n"); /* overwritten by "1", the rest of the plain file stays */
	close(fd);
	if (geteuid() != 0) {
		chmod(file, 0444);
		assert_int_equal(sysfs_deep_flush(region), -1);
		assert_int_equal(errno, EACCES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_domain_is_that_of_the_devices_region, make_root, remove_root),
		cmocka_unit_test_setup_teardown(a_stacked_device_is_as_good_as_its_worst, make_root, remove_root),
		cmocka_unit_test_setup_teardown(a_cxl_region_is_no_nvdimm_region, make_root, remove_root),
		cmocka_unit_test_setup_teardown(device_dax_has_a_size_and_an_alignment, make_root, remove_root),
		cmocka_unit_test_setup_teardown(deep_flush_is_written_where_it_is_needed, make_root, remove_root),
	};

	return cmocka_run_group_tests_name("sysfs", tests, NULL, NULL);
}
