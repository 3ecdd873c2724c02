/* told_file.c: a real file, on a device and a file system that the test makes up */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "told_file.h"

#include "test_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

int told_file = -1;

bool has_flush(void)
{
	return strcmp(pmem_flush_method(), "none") != 0;
}

void tell_proc(const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%s", name);
	attribute(path, text);
}

int make_told_file(void **state)
{
	char proc[80];

	if (make_tree(state) < 0)
		return -1;
	directory("proc/self");
	directory("proc/sys/vm");
	snprintf(proc, sizeof(proc), "%s/proc", tree);
	setenv("PMEM_TEST_PROC", proc, 1);
	memset(&file_system, 0, sizeof(file_system));
	file_system.magic = EXT4_SUPER_MAGIC;
	file_system.block_size = (long)page();
	told_file = test_file(page());
	return 0;
}

int remove_told_file(void **state)
{
	close(told_file);
	return remove_tree(state);
}

static void file_number(char *text, size_t size)
{
	struct stat status;

	assert_int_equal(fstat(told_file, &status), 0);
	snprintf(text, size, "%u:%u", major(status.st_dev), minor(status.st_dev));
}

void tell_device(enum device_is is)
{
	char number[32], path[64];

	file_number(number, sizeof(number));
	snprintf(path, sizeof(path), "block/%s", number);
	if (is == ON_NOTHING)
		return;
	if (is == ON_DISK) {
		device(path, "devices/pci0000:00/virtio1/block/vda");
		directory("devices/pci0000:00/virtio1/block/vda/queue");
		attribute("devices/pci0000:00/virtio1/block/vda/queue/dax", "0\n");
		return;
	}
	device(path, PMEM0);
	directory(PMEM0 "/queue");
	attribute(PMEM0 "/queue/dax", "1\n");
	attribute(BUS "provider", is == ON_VIRTIO ? "virtio-pmem\n" : "ACPI.NFIT\n");
}

void tell_mount(const char *type, const char *options)
{
	char number[32], line[256];

	file_number(number, sizeof(number));
	snprintf(line, sizeof(line),
		 "20 1 8:1 / / rw - ext4 /dev/sda1 rw,dax=never\n"
		 "25 1 %s / /mnt/a\\040b rw,relatime shared:1 - %s /dev/pmem0 rw,%s\n",
		 number, type, options);
	tell_proc("self/mountinfo", line);
}
