/* told_file.h: a real file, on a device and a file system that the test makes up */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOLD_FILE_H
#define TOLD_FILE_H

#include "file_system_double.h"
#include "sysfs_tree.h"

#include <linux/fs.h>
#include <linux/magic.h>

#define BUS       "devices/ACPI0012:00/ndbus0/"
#define PMEM0     BUS "region0/pfn0.1/block/pmem0"
#define XFS_MAGIC 0x58465342
#ifndef STATX_ATTR_VERITY
#define STATX_ATTR_VERITY 0x00100000
#endif
#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

/* Has this processor a flush that makes stores durable? Nothing is persistent memory without (PMEM_TEST_FLUSH=none). */
bool has_flush(void);

/* The file, open for reading and writing; one page. Setup and teardown of a test. On ext4, as far as is told. */
extern int told_file;
int make_told_file(void **state);
int remove_told_file(void **state);

/* What lies below it. */
enum device_is {
	ON_PMEM,
	ON_VIRTIO,
	ON_DISK,
	ON_NOTHING, /* no such device in /sys */
};

void tell_device(enum device_is is);

/* The line in mountinfo. */
void tell_mount(const char *type, const char *options);

/* A file of /proc that is about the machine: "sys/vm/memory_failure_recovery". */
void tell_proc(const char *name, const char *text);

#endif
