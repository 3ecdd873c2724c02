/* device_dax.c: lengths, alignment and msync of a device-dax */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "device_dax.h"
#include "report.h"

#include <errno.h>
#include <pmem.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

static size_t attribute(dev_t device, const char *name)
{
	char path[256];
	size_t number = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/%s", major(device), minor(device), name);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%zu", &number) != 1)
		give_up("%s cannot be read", path);
	fclose(file);
	return number;
}

static bool refuses(int fd, off_t offset, size_t len, unsigned flags, int error)
{
	void *at;

	errno = 0;
	at = pmem_map_range(fd, offset, len, flags);
	note("offset %jd, length %zu: %s", (intmax_t)offset, len, at ? "mapped" : pmem_errormsg());
	if (at)
		pmem_unmap(at, len);
	return !at && errno == error;
}

static void test_lengths(int fd, size_t size, size_t alignment)
{
	char number[32], *whole = pmem_map(fd, size);

	snprintf(number, sizeof(number), "%zu", alignment);
	expect(whole != NULL, "the whole of a device can be mapped");
	pmem_unmap(whole, size);
	expect(refuses(fd, 0, alignment + 4096, 0, EINVAL) && strstr(pmem_errormsg(), number),
	       "a length off the alignment is EINVAL, and the message names the alignment");
	expect(refuses(fd, 0, 100, 0, EINVAL), "a length below the alignment is EINVAL");
	expect(refuses(fd, 4096, alignment, 0, EINVAL), "an offset off the alignment is EINVAL");
	expect(refuses(fd, 0, size + alignment, 0, ENXIO), "a length beyond the device is ENXIO");
	expect(refuses(fd, (off_t)size, alignment, 0, ENXIO), "an offset at the end of the device is ENXIO");
	expect(refuses(fd, 0, alignment, PMEM_MAP_COPY_ON_WRITE, EINVAL), "copy on write is EINVAL");
}

static bool is_mapped(const char *at)
{
	return pmem_granularity(at, 1) != PMEM_GRANULARITY_NONE;
}

/* The last unit of the device, through an offset and through the whole. */
static void test_offset(int fd, size_t size, size_t alignment)
{
	char *whole = pmem_map(fd, size);
	char *last = pmem_map_range(fd, (off_t)(size - alignment), alignment, 0);

	if (!whole || !last)
		give_up("pmem_map: %s", pmem_errormsg());
	strcpy(last, "the last unit");
	pmem_persist(last, 64, 0);
	expect(strcmp(whole + size - alignment, "the last unit") == 0, "an offset maps that part of the device");
	expect(pmem_unmap(whole, alignment) == 0 && strcmp(whole + size - alignment, "the last unit") == 0,
	       "a part of a mapping can be unmapped");
	expect(pmem_unmap(whole + alignment, 4096) == 0 && !is_mapped(whole + 2 * alignment - 1) &&
		       is_mapped(whole + 2 * alignment),
	       "a length below the alignment unmaps one whole unit");
	pmem_unmap(whole + 2 * alignment, size - 2 * alignment);
	pmem_unmap(last, alignment);
}

static void test_msync(int fd, size_t alignment)
{
	char *own = mmap(NULL, alignment, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (own == MAP_FAILED)
		give_up("mmap of the device");
	own[0]++;
	expect(msync(own, alignment, MS_SYNC) < 0 && errno == EINVAL, "the kernel refuses msync with EINVAL");
	expect(pmem_try_persist(own, alignment) == 0, "persisting does not need msync");
	munmap(own, alignment);
}

void test_device_dax(int fd, dev_t device)
{
	const size_t size = attribute(device, "size"), alignment = attribute(device, "align");

	note("a device of %zu bytes, aligned to %zu", size, alignment);
	test_lengths(fd, size, alignment);
	test_offset(fd, size, alignment);
	test_msync(fd, alignment);
}
