/* clear_device.c: clears errors of a device-dax by the command of its bus */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What ndctl does, with the kernel's interface alone.
 * Source: linux/ndctl.h; ACPI 6.3, 9.20.7.6 "Clear Uncorrectable Error".
 */
#define _GNU_SOURCE
#include "clear_error.h"

#include "arch/arch.h"
#include "failure.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ndctl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef PMEM_TEST_BUILD
static const char *device_root(void)
{
	const char *root = getenv("PMEM_TEST_DEV");

	return root ? root : "/dev";
}
#else
static const char *device_root(void)
{
	return "/dev";
}
#endif

/* The bus of the region that the device is in, open; -1 with errno and message. */
static int open_bus(const struct target *target)
{
	char region[SYSFS_PATH_SIZE], path[SYSFS_PATH_SIZE];
	int bus;

	if (!sysfs_region(target->kind, target->major, target->minor, region, sizeof(region)))
		return fail(ENOTSUP, "the device is in no NVDIMM region whose errors could be cleared");
	snprintf(path, sizeof(path), "%s/ndctl%u", device_root(), sysfs_bus_of_region(region));
	bus = open(path, O_RDWR | O_CLOEXEC);
	return bus < 0 ? fail(errno == ENOENT ? ENOTSUP : errno, "%s: %m", path) : bus;
}

/* The bytes that the bus has cleared: it may be less than it was asked for. Negative with errno and message. */
static int64_t clear_physical(int bus, uint64_t start, uint64_t length)
{
	struct nd_cmd_clear_error command = {.address = start, .length = length};

	if (ioctl(bus, ND_IOCTL_CLEAR_ERROR, &command) < 0)
		return fail(errno == ENOTTY ? ENOTSUP : errno, "the NVDIMM bus cannot clear errors: %m");
	return command.status == 0 ? (int64_t)command.cleared : 0;
}

/* What cleared memory holds is not said. The mapping is wider, as the device wants it; the stores are not. */
static int store_zeros(const struct clearing *clearing, uint64_t start, uint64_t end)
{
	const uint64_t alignment = clearing->target.alignment;
	const uint64_t from = start / alignment * alignment;
	const uint64_t to = (end + alignment - 1) / alignment * alignment;
	char *at = mmap(NULL, (size_t)(to - from), PROT_READ | PROT_WRITE, MAP_SHARED, clearing->fd, (off_t)from);
	const uintptr_t zeros = (uintptr_t)at + (uintptr_t)(start - from);

	if (at == MAP_FAILED)
		return fail(errno, "mapping what was cleared, to fill it with zeros: %m");
	memset((void *)zeros, 0, (size_t)(end - start));
	cpu.persist(zeros, zeros + (uintptr_t)(end - start));
	munmap(at, (size_t)(to - from));
	return 0;
}

int clear_on_device(const struct clearing *clearing, uint64_t start, uint64_t end)
{
	const struct target *target = &clearing->target;
	uint64_t physical;
	int64_t cleared;
	int bus;

	if (!sysfs_physical_start(target->major, target->minor, &physical))
		return fail(EACCES, "the device's physical address is not told; it may be told to root");
	bus = open_bus(target);
	if (bus < 0)
		return -1;
	cleared = clear_physical(bus, physical + start, end - start);
	close(bus);
	if (cleared < 0)
		return -1;
	if (cleared > 0) {
		tell_lost(clearing, start, start + (uint64_t)cleared);
		if (store_zeros(clearing, start, start + (uint64_t)cleared) < 0)
			return -1;
	}
	if ((uint64_t)cleared < end - start)
		return fail(EIO, "the NVDIMM bus cleared %" PRId64 " of %" PRIu64 " bytes at offset %" PRIu64, cleared,
			    end - start, start);
	return 0;
}
