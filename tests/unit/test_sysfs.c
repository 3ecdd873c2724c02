/* test_sysfs.c: what is concluded from every shape of /sys that matters, on trees that the test makes */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "sysfs.h"
#include "sysfs_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

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
	snprintf(region, sizeof(region), "%s/%sregion0", tree, BUS);
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

static void domains_are_told_apart(void **state)
{
	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	device("block/2:0", BUS "region1/namespace1.0/block/pmem1");
	device("block/10:0", "devices/virtual/block/dm-0");
	directory("devices/virtual/block/dm-0/slaves");
	link_to("devices/virtual/block/dm-0/slaves/pmem0", BUS "region0/namespace0.0/block/pmem0");
	link_to("devices/virtual/block/dm-0/slaves/pmem1", BUS "region1/namespace1.0/block/pmem1");
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 1, 0), PMEM_DOMAIN_CPU_CACHE);
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 2, 0), PMEM_DOMAIN_UNKNOWN);
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 10, 0), PMEM_DOMAIN_UNKNOWN);
	attribute(BUS "region1/persistence_domain", "memory_controller\n");
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 2, 0), PMEM_DOMAIN_MEMORY_CONTROLLER);
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 10, 0), PMEM_DOMAIN_MEMORY_CONTROLLER);
	attribute(BUS "region1/persistence_domain", "something new\n");
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 2, 0), PMEM_DOMAIN_UNKNOWN);
	assert_int_equal(sysfs_domain(DEVICE_BLOCK, 99, 0), PMEM_DOMAIN_UNKNOWN);
}

static void virtio_pmem_is_known_by_its_bus(void **state)
{
	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	device("block/10:0", "devices/virtual/block/dm-0");
	device("block/2:0", "devices/pci0000:00/nvme/nvme0n1");
	directory("devices/virtual/block/dm-0/slaves");
	link_to("devices/virtual/block/dm-0/slaves/nvme0n1", "devices/pci0000:00/nvme/nvme0n1");
	link_to("devices/virtual/block/dm-0/slaves/pmem0", BUS "region0/namespace0.0/block/pmem0");
	assert_false(sysfs_is_virtio_pmem(DEVICE_BLOCK, 1, 0));
	attribute(BUS "provider", "ACPI.NFIT\n");
	assert_false(sysfs_is_virtio_pmem(DEVICE_BLOCK, 1, 0));
	attribute(BUS "provider", "virtio-pmem\n");
	assert_true(sysfs_is_virtio_pmem(DEVICE_BLOCK, 1, 0));
	assert_true(sysfs_is_virtio_pmem(DEVICE_BLOCK, 10, 0)); /* one of them is enough */
	assert_false(sysfs_is_virtio_pmem(DEVICE_BLOCK, 2, 0));
}

static void the_node_is_the_regions_or_the_controllers(void **state)
{
	int node = 77;

	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	device("block/2:0", BUS "region1/namespace1.0/block/pmem1");
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 1, 0, &node)); /* no such file */
	attribute(BUS "region0/numa_node", "1\n");
	attribute(BUS "region1/numa_node", "-1\n");
	assert_true(sysfs_numa_node(DEVICE_BLOCK, 1, 0, &node));
	assert_int_equal(node, 1);
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 2, 0, &node));

	device("block/10:0", "devices/virtual/block/dm-0");
	directory("devices/virtual/block/dm-0/slaves");
	link_to("devices/virtual/block/dm-0/slaves/pmem0", BUS "region0/namespace0.0/block/pmem0");
	link_to("devices/virtual/block/dm-0/slaves/pmem1", BUS "region1/namespace1.0/block/pmem1");
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 10, 0, &node));
	attribute(BUS "region1/numa_node", "0\n");
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 10, 0, &node)); /* on two nodes */
	attribute(BUS "region1/numa_node", "1\n");
	assert_true(sysfs_numa_node(DEVICE_BLOCK, 10, 0, &node));
	assert_int_equal(node, 1);

	device("block/3:0", "devices/pci0000:00/nvme/nvme0n1");
	device("block/3:1", "devices/pci0000:00/nvme/nvme0n1/nvme0n1p1");
	directory("devices/pci0000:00/nvme/nvme0n1/device");
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 3, 0, &node));
	attribute("devices/pci0000:00/nvme/nvme0n1/device/numa_node", "3\n");
	assert_true(sysfs_numa_node(DEVICE_BLOCK, 3, 0, &node));
	assert_int_equal(node, 3);
	node = 77;
	assert_true(sysfs_numa_node(DEVICE_BLOCK, 3, 1, &node));
	assert_int_equal(node, 3);
	assert_false(sysfs_numa_node(DEVICE_BLOCK, 99, 0, &node));
}

static void unsafe_shutdowns_are_counted_by_every_nvdimm(void **state)
{
	uint64_t count;

	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	directory(BUS "nmem0/nfit");
	directory(BUS "nmem1/cxl");
	assert_false(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 1, 0, &count)); /* no list of NVDIMMs */
	attribute(BUS "region0/mappings", "0\n");
	assert_false(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 1, 0, &count)); /* none */
	attribute(BUS "region0/mappings", "2\n");
	attribute(BUS "region0/mapping0", "nmem0,0,536870912,0\n");
	assert_false(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 1, 0, &count));
	attribute(BUS "region0/mapping1", "nmem1,0,536870912,1\n");
	attribute(BUS "nmem0/nfit/dirty_shutdown", "3\n");
	assert_false(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 1, 0, &count)); /* one does not count */
	attribute(BUS "nmem1/cxl/dirty_shutdown", "4\n");
	assert_true(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 1, 0, &count));
	assert_int_equal(count, 7);

	device("block/10:0", "devices/virtual/block/dm-0"); /* over this region and a disk that does not count */
	device("block/2:0", "devices/pci0000:00/nvme/nvme0n1");
	directory("devices/virtual/block/dm-0/slaves");
	link_to("devices/virtual/block/dm-0/slaves/pmem0", BUS "region0/namespace0.0/block/pmem0");
	assert_true(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 10, 0, &count));
	assert_int_equal(count, 7);
	link_to("devices/virtual/block/dm-0/slaves/nvme0n1", "devices/pci0000:00/nvme/nvme0n1");
	assert_false(sysfs_unsafe_shutdowns(DEVICE_BLOCK, 10, 0, &count));
}

static void direct_access_is_the_disks(void **state)
{
	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	device("block/1:1", BUS "region0/namespace0.0/block/pmem0/pmem0p1");
	assert_int_equal(sysfs_direct_access(1, 0), DIRECT_ACCESS_UNKNOWN);
	directory(BUS "region0/namespace0.0/block/pmem0/queue");
	attribute(BUS "region0/namespace0.0/block/pmem0/queue/dax", "1\n");
	assert_int_equal(sysfs_direct_access(1, 0), DIRECT_ACCESS_YES);
	assert_int_equal(sysfs_direct_access(1, 1), DIRECT_ACCESS_YES);
	attribute(BUS "region0/namespace0.0/block/pmem0/queue/dax", "0\n");
	assert_int_equal(sysfs_direct_access(1, 0), DIRECT_ACCESS_NO);
	assert_int_equal(sysfs_direct_access(1, 1), DIRECT_ACCESS_NO);
	assert_int_equal(sysfs_direct_access(9, 9), DIRECT_ACCESS_UNKNOWN);
}

static void devices_have_names(void **state)
{
	char name[64];

	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	assert_true(sysfs_device_name(DEVICE_BLOCK, 1, 0, name, sizeof(name)));
	assert_string_equal(name, "pmem0");
	assert_false(sysfs_device_name(DEVICE_CHARACTER, 1, 0, name, sizeof(name)));
}

/* Writes each part down: "START+LENGTH ". */
static int write_down(uint64_t start, uint64_t length, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%llu+%llu ", (unsigned long long)start, (unsigned long long)length);
	return 0;
}

static int stop_at_once(uint64_t start, uint64_t length, void *arg)
{
	(void)start;
	(void)length;
	++*(int *)arg;
	return 42;
}

static void bad_blocks_are_bytes_of_the_device(void **state)
{
	char text[256] = "";
	int calls = 0;

	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 0, write_down, text), -1);
	assert_int_equal(errno, ENODATA); /* a device that keeps no list */
	attribute(BUS "region0/namespace0.0/block/pmem0/badblocks", "");
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 0, write_down, text), 0);
	assert_string_equal(text, "");
	attribute(BUS "region0/namespace0.0/block/pmem0/badblocks", "8 1\n100 16\n");
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 0, write_down, text), 0);
	assert_string_equal(text, "4096+512 51200+8192 ");
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 0, stop_at_once, &calls), 42);
	assert_int_equal(calls, 1);

	/* A partition of sectors 104 to 109: the list is its disk's. */
	device("block/1:1", BUS "region0/namespace0.0/block/pmem0/pmem0p1");
	attribute(BUS "region0/namespace0.0/block/pmem0/pmem0p1/start", "104\n");
	attribute(BUS "region0/namespace0.0/block/pmem0/pmem0p1/size", "6\n");
	text[0] = '\0';
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 1, write_down, text), 0);
	assert_string_equal(text, "0+3072 ");
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 9, 9, write_down, text), -1);
	assert_int_equal(errno, ENODATA);
}

static void a_list_that_fills_its_page_is_not_all(void **state)
{
	char list[4200] = "", text[16384] = "";

	(void)state;
	device("block/1:0", BUS "region0/namespace0.0/block/pmem0");
	for (int i = 0; strlen(list) < 4060; i++)
		sprintf(list + strlen(list), "%d 1\n", 10000000 + 2 * i);
	attribute(BUS "region0/namespace0.0/block/pmem0/badblocks", list);
	assert_int_equal(sysfs_each_bad(DEVICE_BLOCK, 1, 0, write_down, text), -1);
	assert_int_equal(errno, EOVERFLOW);
	assert_non_null(strstr(text, "5120000000+512 ")); /* what is known is told */
}

static void a_device_dax_has_its_part_of_the_regions_list(void **state)
{
	char text[256] = "";

	(void)state;
	device("char/1:0", BUS "region0/dax0.0/dax0.0");
	attribute(BUS "region0/badblocks", "0 1\n4096 8\n8191 10\n");
	attribute(BUS "region0/dax0.0/dax0.0/size", "2097152\n");
	attribute(BUS "region0/resource", "0x100000000\n");
	assert_int_equal(sysfs_each_bad(DEVICE_CHARACTER, 1, 0, write_down, text), -1);
	assert_int_equal(errno, EACCES); /* root alone is told where it is */
	attribute(BUS "region0/dax0.0/dax0.0/resource", "0x100200000\n");
	assert_int_equal(sysfs_each_bad(DEVICE_CHARACTER, 1, 0, write_down, text), 0);
	assert_string_equal(text, "0+4096 2096640+512 ");

	device("char/2:0", "devices/platform/hmem.0/dax1.0"); /* ordinary memory */
	assert_int_equal(sysfs_each_bad(DEVICE_CHARACTER, 2, 0, write_down, text), -1);
	assert_int_equal(errno, ENODATA);
}

static int count_region(const char *region, void *arg)
{
	(void)region;
	++*(int *)arg;
	return 0;
}

static void regions_tell_what_is_in_them(void **state)
{
	char names[64], few[8], region[512];
	int regions = 0;

	(void)state;
	assert_int_equal(sysfs_all_regions(count_region, &regions), 0);
	assert_int_equal(regions, 0);
	device("block/1:0", BUS "region0/pfn0.1/block/pmem0");
	directory(BUS "region0/dax0.2/dax0.2");
	directory(BUS "region0/namespace0.0");
	directory(BUS "region1");
	directory("bus/nd/devices");
	link_to("bus/nd/devices/region0", BUS "region0");
	link_to("bus/nd/devices/region1", BUS "region1");
	link_to("bus/nd/devices/ndbus0", "devices/ACPI0012:00/ndbus0");
	assert_int_equal(sysfs_all_regions(count_region, &regions), 0);
	assert_int_equal(regions, 2);
	snprintf(region, sizeof(region), "%s/%sregion0", tree, BUS);
	sysfs_region_devices(region, names, sizeof(names));
	assert_string_equal(names, "pmem0 dax0.2");
	sysfs_region_devices(region, few, sizeof(few));
	assert_int_equal(strlen(few), sizeof(few) - 1); /* cut, not overrun */
}

/* A device of the kernel's that takes nothing stands for a region that cannot be flushed. */
static void errors_of_deep_flush_are_reported(void **state)
{
	char region[512], file[600];

	(void)state;
	directory(BUS "region0");
	snprintf(region, sizeof(region), "%s/%sregion0", tree, BUS);
	snprintf(file, sizeof(file), "%s/deep_flush", region);
	assert_int_equal(symlink("/dev/full", file), 0);
	assert_true(sysfs_has_deep_flush(region));
	assert_int_equal(sysfs_deep_flush(region), -1);
	assert_int_equal(errno, ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_domain_is_that_of_the_devices_region, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(a_stacked_device_is_as_good_as_its_worst, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(a_cxl_region_is_no_nvdimm_region, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(device_dax_has_a_size_and_an_alignment, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(deep_flush_is_written_where_it_is_needed, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(errors_of_deep_flush_are_reported, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(domains_are_told_apart, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(virtio_pmem_is_known_by_its_bus, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(the_node_is_the_regions_or_the_controllers, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(unsafe_shutdowns_are_counted_by_every_nvdimm, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(direct_access_is_the_disks, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(devices_have_names, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(bad_blocks_are_bytes_of_the_device, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(a_list_that_fills_its_page_is_not_all, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(a_device_dax_has_its_part_of_the_regions_list, make_tree, remove_tree),
		cmocka_unit_test_setup_teardown(regions_tell_what_is_in_them, make_tree, remove_tree),
	};

	return cmocka_run_group_tests_name("sysfs", tests, NULL, NULL);
}
