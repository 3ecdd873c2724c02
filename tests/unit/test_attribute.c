/* test_attribute.c: attributes and regions of every kind of file that Linux can show */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"
#include "told_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { UNKNOWN = -1 }; /* ENODATA */

/* --- Attributes ----------------------------------------------------------------------------- */

/* An attribute's value; UNKNOWN where that is what the library says. */
static int64_t value_of(enum pmem_attribute attribute_asked)
{
	uint64_t value = 12345;

	if (pmem_get_attribute(told_file, attribute_asked, &value) == 0)
		return (int64_t)value;
	if (errno != ENODATA)
		fail_msg("%s: errno %d, %s", pmem_attribute_name(attribute_asked), errno, pmem_errormsg());
	assert_int_equal(value, 12345);
	return UNKNOWN;
}

#define expect_attribute(attribute_asked, expected)                                                                    \
	assert_int_equal(value_of(PMEM_ATTRIBUTE_##attribute_asked), expected)

static void persistent_memory_has_these(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	tell_device(ON_PMEM);
	tell_mount("ext4", "dax=always");
	tell_proc("sys/vm/memory_failure_recovery", "1\n");
	attribute(BUS "region0/persistence_domain", "memory_controller\n");
	attribute(BUS "region0/numa_node", "1\n");
	attribute(BUS "region0/mappings", "1\n");
	attribute(BUS "region0/mapping0", "nmem0,0,4096,0\n");
	directory(BUS "nmem0/nfit");
	attribute(BUS "nmem0/nfit/dirty_shutdown", "5\n");
	file_system.grants_map_sync = true;
	file_system.attributes = STATX_ATTR_DAX;
	expect_attribute(MAP_COPY_ON_WRITE_CAPABLE, 1);
#if defined(__x86_64__)
	expect_attribute(INTERRUPTED_STORE_ATOMICITY, 1);
#else
	expect_attribute(INTERRUPTED_STORE_ATOMICITY, UNKNOWN);
#endif
	expect_attribute(FUNDAMENTAL_ERROR_RANGE, page());
	expect_attribute(FUNDAMENTAL_ERROR_RANGE_OFFSET, 0);
	expect_attribute(OPTIMIZED_FLUSH_CAPABLE, 1);
	expect_attribute(OPTIMIZED_FLUSH_AND_VERIFY_CAPABLE, 0);
	expect_attribute(DEEP_FLUSH_CAPABLE, 1);
	expect_attribute(ERROR_EVENT_CAPABLE, 1);
	expect_attribute(ERROR_EVENT_MINIMAL_CAPABLE, 1);
	expect_attribute(ERROR_EVENT_PRECISE_CAPABLE, UNKNOWN);
	expect_attribute(ERROR_EVENT_ERROR_UNIT_CAPABLE, 1);
	expect_attribute(ERROR_EVENT_MAPPED_SUPPORT_CAPABLE, 1);
	expect_attribute(ERROR_EVENT_LIVE_SUPPORT_CAPABLE, 1);
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_PM);
	expect_attribute(FILE_MODE, PMEM_FILE_MODE_PM);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_CACHE_LINE);
	expect_attribute(MAPPING_ALIGNMENT, page());
	expect_attribute(PERSISTENCE_DOMAIN, PMEM_DOMAIN_MEMORY_CONTROLLER);
	expect_attribute(NUMA_NODE, 1);
	expect_attribute(UNSAFE_SHUTDOWNS, 5);
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	expect_attribute(PERSISTENCE_DOMAIN, PMEM_DOMAIN_CPU_CACHE);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_BYTE);
}

/* Then persistent memory is as good as a disk, and its region is what it is. */
static void without_a_flush_msync_remains(void **state)
{
	(void)state;
	if (has_flush())
		skip();
	tell_device(ON_PMEM);
	tell_mount("ext4", "dax=inode");
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	file_system.grants_map_sync = true;
	expect_attribute(OPTIMIZED_FLUSH_CAPABLE, 0);
	expect_attribute(INTERRUPTED_STORE_ATOMICITY, 0);
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK);
	expect_attribute(FILE_MODE, PMEM_FILE_MODE_BLOCK);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_PAGE);
	expect_attribute(PERSISTENCE_DOMAIN, PMEM_DOMAIN_CPU_CACHE);
}

static void a_disk_has_these(void **state)
{
	(void)state;
	tell_device(ON_DISK);
	expect_attribute(MAP_COPY_ON_WRITE_CAPABLE, 1);
	expect_attribute(INTERRUPTED_STORE_ATOMICITY, 0);
	expect_attribute(FUNDAMENTAL_ERROR_RANGE, UNKNOWN);
	expect_attribute(FUNDAMENTAL_ERROR_RANGE_OFFSET, UNKNOWN);
	expect_attribute(OPTIMIZED_FLUSH_CAPABLE, 0);
	expect_attribute(DEEP_FLUSH_CAPABLE, 1);
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK);
	expect_attribute(FILE_MODE, PMEM_FILE_MODE_BLOCK);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_PAGE);
	expect_attribute(PERSISTENCE_DOMAIN, UNKNOWN);
	expect_attribute(NUMA_NODE, UNKNOWN);
	expect_attribute(UNSAFE_SHUTDOWNS, UNKNOWN);
}

static void volatile_memory_has_these(void **state)
{
	(void)state;
	file_system.magic = TMPFS_MAGIC;
	expect_attribute(INTERRUPTED_STORE_ATOMICITY, 0);
	expect_attribute(FUNDAMENTAL_ERROR_RANGE, UNKNOWN);
	expect_attribute(OPTIMIZED_FLUSH_CAPABLE, 0);
	expect_attribute(DEEP_FLUSH_CAPABLE, 0);
	expect_attribute(SUPPORTED_MODES, 0);
	expect_attribute(FILE_MODE, UNKNOWN);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_NONE);
}

static void private_mappings_are_tried(void **state)
{
	(void)state;
	file_system.refuses_private = true;
	expect_attribute(MAP_COPY_ON_WRITE_CAPABLE, 0);
}

static void error_events_are_the_kernels(void **state)
{
	(void)state;
	expect_attribute(ERROR_EVENT_CAPABLE, 0); /* built without */
	expect_attribute(ERROR_EVENT_PRECISE_CAPABLE, 0);
	tell_proc("sys/vm/memory_failure_recovery", "0\n"); /* panics */
	expect_attribute(ERROR_EVENT_CAPABLE, 0);
	tell_proc("sys/vm/memory_failure_recovery", "");
	expect_attribute(ERROR_EVENT_CAPABLE, UNKNOWN);
	expect_attribute(ERROR_EVENT_PRECISE_CAPABLE, UNKNOWN);
}

static void data_on_an_xfs_realtime_device_is_elsewhere(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	tell_device(ON_PMEM);
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	attribute(BUS "region0/numa_node", "1\n");
	file_system.magic = XFS_MAGIC;
	file_system.grants_map_sync = true;
	file_system.has_flags = true;
	expect_attribute(PERSISTENCE_DOMAIN, PMEM_DOMAIN_CPU_CACHE);
	expect_attribute(NUMA_NODE, 1);
	file_system.flags = FS_XFLAG_REALTIME;
	expect_attribute(PERSISTENCE_DOMAIN, UNKNOWN);
	expect_attribute(NUMA_NODE, UNKNOWN);
	expect_attribute(UNSAFE_SHUTDOWNS, UNKNOWN);
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_CACHE_LINE);
}

static void names_are_the_models(void **state)
{
	int count = 0;

	(void)state;
	assert_string_equal(pmem_attribute_name(PMEM_ATTRIBUTE_MAP_COPY_ON_WRITE_CAPABLE), "MAP_COPY_ON_WRITE_CAPABLE");
	assert_string_equal(pmem_attribute_name(PMEM_ATTRIBUTE_FILE_MODE), "FILE_MODE");
	while (pmem_attribute_name((enum pmem_attribute)count))
		count++;
	assert_int_equal(count, PMEM_ATTRIBUTE_UNSAFE_SHUTDOWNS + 1);
	assert_null(pmem_attribute_name((enum pmem_attribute) - 1));
}

static void bad_questions_are_refused(void **state)
{
	uint64_t value;
	char path[4096];
	int other;

	(void)state;
	assert_int_equal(pmem_get_attribute(told_file, (enum pmem_attribute)1000, &value), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_get_attribute(-1, PMEM_ATTRIBUTE_GRANULARITY, &value), -1);
	assert_int_equal(errno, EBADF);
	other = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(pmem_get_attribute(other, PMEM_ATTRIBUTE_GRANULARITY, &value), -1);
	assert_int_equal(errno, ENODEV);
	close(other);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", told_file);
	other = open(path, O_WRONLY);
	assert_int_equal(pmem_get_attribute(other, PMEM_ATTRIBUTE_GRANULARITY, &value), -1);
	assert_int_equal(errno, EACCES);
	close(other);
	other = open(path, O_PATH);
	assert_int_equal(pmem_get_attribute(other, PMEM_ATTRIBUTE_GRANULARITY, &value), -1);
	assert_int_equal(errno, EBADF);
	close(other);
	other = open(path, O_RDONLY);
	assert_int_equal(pmem_get_attribute(other, PMEM_ATTRIBUTE_GRANULARITY, &value), 0);
	close(other);
}

static void an_empty_file_has_attributes(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	assert_int_equal(ftruncate(told_file, 0), 0);
	tell_device(ON_PMEM);
	file_system.grants_map_sync = true;
	expect_attribute(GRANULARITY, PMEM_GRANULARITY_CACHE_LINE);
	expect_attribute(MAP_COPY_ON_WRITE_CAPABLE, 1);
}

/* --- Setting the file's mode ---------------------------------------------------------------- */

static int set_mode(uint64_t mode)
{
	return pmem_set_attribute(told_file, PMEM_ATTRIBUTE_FILE_MODE, mode);
}

static void the_mode_is_set_by_file(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	tell_device(ON_PMEM);
	tell_mount("ext4", "dax=inode");
	file_system.has_flags = true;
	file_system.flags = FS_XFLAG_NODUMP;
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK | PMEM_FILE_MODE_PM);
	assert_int_equal(set_mode(PMEM_FILE_MODE_PM), 0);
	assert_int_equal(file_system.flags, FS_XFLAG_NODUMP | FS_XFLAG_DAX);
	expect_attribute(FILE_MODE, PMEM_FILE_MODE_BLOCK); /* until all have closed the file */
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK | PMEM_FILE_MODE_PM);
	file_system.grants_map_sync = true;
	file_system.attributes = STATX_ATTR_DAX;
	expect_attribute(FILE_MODE, PMEM_FILE_MODE_PM);
	assert_int_equal(set_mode(PMEM_FILE_MODE_BLOCK), 0);
	assert_int_equal(file_system.flags, FS_XFLAG_NODUMP);
	assert_int_equal(set_mode(3), -1);
	assert_int_equal(errno, EINVAL);
	file_system.error_of_flags = EPERM;
	assert_int_equal(set_mode(PMEM_FILE_MODE_PM), -1);
	assert_int_equal(errno, EPERM);
}

/* A file cannot have a mode: refused, untouched, and the message says why. */
static void expect_refused(uint64_t mode, const char *why)
{
	assert_int_equal(set_mode(mode), -1);
	assert_int_equal(errno, ENOTSUP);
	if (!strstr(pmem_errormsg(), why))
		fail_msg("the message is: %s", pmem_errormsg());
	assert_false(file_system.flags_were_set);
}

static void a_mode_that_cannot_be_is_refused(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	file_system.has_flags = true;
	tell_device(ON_PMEM);
	tell_mount("ext4", "dax=never");
	expect_refused(PMEM_FILE_MODE_PM, "dax=never");
	assert_int_equal(set_mode(PMEM_FILE_MODE_BLOCK), 0); /* what it is */
	tell_mount("ext4", "dax=always");
	file_system.grants_map_sync = true;
	file_system.attributes = STATX_ATTR_DAX;
	expect_refused(PMEM_FILE_MODE_BLOCK, "MAP_SYNC granted by ext4");
	file_system.grants_map_sync = false;
	file_system.attributes = 0;
	tell_mount("ext4", "dax=inode");
	file_system.block_size = 1024;
	expect_refused(PMEM_FILE_MODE_PM, "1024");
	file_system.magic = TMPFS_MAGIC;
	expect_refused(PMEM_FILE_MODE_PM, "in memory only");
}

static void direct_access_without_map_sync_is_no_mode(void **state)
{
	(void)state;
	if (!has_flush())
		skip();
	file_system.has_flags = true;
	tell_device(ON_VIRTIO);
	tell_mount("ext4", "dax=inode");
	expect_attribute(SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK);
	expect_refused(PMEM_FILE_MODE_PM, "virtio-pmem");
}

static void other_attributes_are_read_only(void **state)
{
	(void)state;
	assert_int_equal(pmem_set_attribute(told_file, PMEM_ATTRIBUTE_GRANULARITY, 0), -1);
	assert_int_equal(errno, ENOTSUP);
	assert_int_equal(pmem_set_attribute(told_file, (enum pmem_attribute)1000, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_set_attribute(-1, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_PM), -1);
	assert_int_equal(errno, EBADF);
}

/* --- Regions -------------------------------------------------------------------------------- */

static int keep_region(const struct pmem_region *region, void *arg)
{
	int *count = arg;

	++*count;
	assert_int_equal(region->sz, sizeof(*region));
	if (strcmp(region->name, "region0") != 0)
		return 0;
	assert_string_equal(region->provider, "ACPI.NFIT");
	assert_string_equal(region->devices, "pmem0");
	assert_int_equal(region->size, 1 << 20);
	assert_int_equal(region->domain, PMEM_DOMAIN_CPU_CACHE);
	assert_int_equal(region->numa_node, -1);
	assert_int_equal(region->unsafe_shutdowns, -1);
	assert_int_equal(region->bad_bytes, 9 * 512);
	return 0;
}

static int stop_here(const struct pmem_region *region, void *arg)
{
	(void)region;
	++*(int *)arg;
	return 7;
}

static void a_file_is_in_its_regions(void **state)
{
	int count = 0;

	(void)state;
	assert_int_equal(pmem_each_region(told_file, keep_region, &count), 0);
	assert_int_equal(count, 0);
	tell_device(ON_PMEM);
	attribute(BUS "region0/size", "1048576\n");
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	attribute(BUS "region0/badblocks", "8 8\n100 1\n");
	directory(BUS "region1");
	directory("bus/nd/devices");
	link_to("bus/nd/devices/region0", BUS "region0");
	link_to("bus/nd/devices/region1", BUS "region1");
	assert_int_equal(pmem_each_region(told_file, keep_region, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(pmem_each_region(-1, keep_region, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(pmem_each_region(-1, stop_here, &count), 7);
	assert_int_equal(count, 4);
	assert_int_equal(pmem_each_region(told_file, stop_here, &count), 7);
	assert_int_equal(pmem_each_region(-2, stop_here, &count), -1);
	assert_int_equal(errno, EBADF);
}

#define test_of_file(name) cmocka_unit_test_setup_teardown(name, make_told_file, remove_told_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test_of_file(persistent_memory_has_these),
		test_of_file(without_a_flush_msync_remains),
		test_of_file(a_disk_has_these),
		test_of_file(volatile_memory_has_these),
		test_of_file(private_mappings_are_tried),
		test_of_file(error_events_are_the_kernels),
		test_of_file(data_on_an_xfs_realtime_device_is_elsewhere),
		test_of_file(names_are_the_models),
		test_of_file(bad_questions_are_refused),
		test_of_file(an_empty_file_has_attributes),
		test_of_file(the_mode_is_set_by_file),
		test_of_file(a_mode_that_cannot_be_is_refused),
		test_of_file(direct_access_without_map_sync_is_no_mode),
		test_of_file(other_attributes_are_read_only),
		test_of_file(a_file_is_in_its_regions),
	};

	return cmocka_run_group_tests_name("attribute", tests, NULL, NULL);
}
