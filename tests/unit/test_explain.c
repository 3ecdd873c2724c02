/* test_explain.c: every reason for which a mapping is what it is, in words */
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

static const struct why {
	const char *name;
	const char *text; /* the whole explanation; %s is the way to flush */
	enum device_is device;
	unsigned long magic;
	const char *options; /* NULL: not in mountinfo */
	long block_size;     /* 0: a page */
	uint64_t attributes;
	uint32_t flags;
	bool grants_map_sync;
} whys[] = {
	{.name = "granted",
	 .text = "persistent memory: MAP_SYNC granted by ext4; persist flushes by %s",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_DAX,
	 .grants_map_sync = true},
	{.name = "mounted without dax",
	 .text = "page cache: MAP_SYNC refused by ext4 mounted without dax, and the file's DAX flag is off; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "errors=remount-ro"},
	{.name = "dax=inode",
	 .text = "page cache: MAP_SYNC refused by xfs mounted without dax, and the file's DAX flag is off; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = XFS_MAGIC,
	 .options = "attr2,dax=inode,noquota"},
	{.name = "the flag was set since",
	 .text = "page cache: MAP_SYNC refused by ext4 until all have closed the file: its DAX flag was set since; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=inode",
	 .flags = FS_XFLAG_DAX},
	{.name = "dax=never",
	 .text = "page cache: MAP_SYNC refused by ext4 mounted with dax=never; persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=never",
	 .flags = FS_XFLAG_DAX},
	{.name = "a disk",
	 .text = "page cache: MAP_SYNC refused by ext4, whose device vda has no direct access (DAX); "
		 "persist goes through msync",
	 .device = ON_DISK,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "relatime"},
	{.name = "small blocks",
	 .text = "page cache: MAP_SYNC refused by ext4 with blocks of 1024 bytes; direct access (DAX) needs 4096; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "relatime",
	 .block_size = 1024},
	{.name = "btrfs",
	 .text = "page cache: MAP_SYNC refused by btrfs, which has no direct access (DAX); persist goes through msync",
	 .device = ON_NOTHING,
	 .magic = BTRFS_SUPER_MAGIC},
	{.name = "a file system without a name",
	 .text = "page cache: MAP_SYNC refused by the file system, which has no direct access (DAX); "
		 "persist goes through msync",
	 .device = ON_NOTHING,
	 .magic = 0x12345678},
	{.name = "virtio-pmem",
	 .text = "page cache: MAP_SYNC refused by ext4: pmem0 is virtio-pmem, which only the host makes durable; "
		 "persist goes through msync",
	 .device = ON_VIRTIO,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_DAX},
	{.name = "virtio-pmem, granted by mistake",
	 .text = "page cache: MAP_SYNC granted by mistake: on virtio-pmem only the host makes durable; "
		 "persist goes through msync",
	 .device = ON_VIRTIO,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_DAX,
	 .grants_map_sync = true},
	{.name = "direct access without the promise",
	 .text = "page cache: MAP_SYNC refused by ext4, which has direct access (DAX) but cannot promise it; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_DAX},
	{.name = "encrypted",
	 .text = "page cache: MAP_SYNC refused by ext4, since the file is encrypted; persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_ENCRYPTED},
	{.name = "compressed",
	 .text = "page cache: MAP_SYNC refused by ext4, since the file is compressed; persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_COMPRESSED},
	{.name = "verity",
	 .text = "page cache: MAP_SYNC refused by ext4, since the file has fs-verity; persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax=always",
	 .attributes = STATX_ATTR_VERITY},
	{.name = "for no reason that is told",
	 .text = "page cache: MAP_SYNC refused by ext4 for this file, though mounted with dax; "
		 "persist goes through msync",
	 .device = ON_PMEM,
	 .magic = EXT4_SUPER_MAGIC,
	 .options = "dax"},
	{.name = "tmpfs",
	 .text = "volatile: tmpfs keeps files in memory only; nothing makes them durable",
	 .device = ON_NOTHING,
	 .magic = TMPFS_MAGIC},
};

static const char no_flush[] = "page cache: this processor has no proven flush; persist goes through msync";

/* Another tree for each, so that nothing is left of the last. */
static void explain_as(const struct why *why, void **state)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};
	char text[256];

	assert_int_equal(make_told_file(state), 0);
	file_system.magic = why->magic;
	file_system.block_size = why->block_size ? why->block_size : (long)page();
	file_system.grants_map_sync = why->grants_map_sync;
	file_system.attributes = why->attributes;
	file_system.has_flags = true;
	file_system.flags = why->flags;
	tell_device(why->device);
	if (why->options)
		tell_mount("ext4", why->options);
	assert_int_equal(pmem_explain(told_file, &explanation), 0);
	snprintf(text, sizeof(text), has_flush() || why->magic == TMPFS_MAGIC ? why->text : no_flush,
		 pmem_flush_method());
	if (strcmp(explanation.text, text) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", why->name, explanation.text, text);
	if (pmem_map_range(told_file, 0, page(), PMEM_MAP_REQUIRE_PM) == NULL && !strstr(pmem_errormsg(), text))
		fail_msg("%s: the refusal says \"%s\"", why->name, pmem_errormsg());
	remove_told_file(state);
}

static void every_refusal_says_why(void **state)
{
	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++)
		explain_as(&whys[i], state);
}

static void an_explanation_names_file_system_and_device(void **state)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};

	(void)state;
	assert_int_equal(pmem_explain(told_file, &explanation), 0);
	assert_string_equal(explanation.filesystem, "ext4");
	assert_string_equal(explanation.device, "");
	tell_device(ON_DISK);
	assert_int_equal(pmem_explain(told_file, &explanation), 0);
	assert_string_equal(explanation.device, "vda");
	explanation.sz = 0;
	assert_int_equal(pmem_explain(told_file, &explanation), -1);
	assert_int_equal(errno, EINVAL);
}

static void persistent_caches_are_explained(void **state)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};

	(void)state;
	tell_device(ON_PMEM);
	attribute(BUS "region0/persistence_domain", "cpu_cache\n");
	file_system.grants_map_sync = true;
	assert_int_equal(pmem_explain(told_file, &explanation), 0);
	assert_string_equal(explanation.text,
			    !has_flush() ? no_flush
					 : "persistent memory: MAP_SYNC granted by ext4, and the caches are "
					   "persistent (eADR); persist is a fence");
}

#define test_of_file(name) cmocka_unit_test_setup_teardown(name, make_told_file, remove_told_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_refusal_says_why),
		test_of_file(an_explanation_names_file_system_and_device),
		test_of_file(persistent_caches_are_explained),
	};

	return cmocka_run_group_tests_name("explain", tests, NULL, NULL);
}
