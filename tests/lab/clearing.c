/* clearing.c: a device-dax whose bus clears errors, has flush hints and counts: clearing DEVICE OFFSET LENGTH SHUTDOWNS */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 4 << 20 };

/* The ranges that were told last. */
static struct {
	off_t offset;
	size_t len;
	unsigned calls;
} told;

static void tell(off_t offset, size_t len, void *arg)
{
	(void)arg;
	note("%zu bytes at %jd", len, (intmax_t)offset);
	told.offset = offset;
	told.len = len;
	told.calls++;
}

static int tell_bad(off_t offset, size_t len, void *arg)
{
	tell(offset, len, arg);
	return 0;
}

static bool was_told_once(off_t offset, size_t len)
{
	return told.calls == 1 && told.offset == offset && told.len == len;
}

static int bad_ranges(int fd)
{
	told.calls = 0;
	return pmem_bad_ranges(fd, tell_bad, NULL);
}

static int clear(int fd, off_t offset, size_t len)
{
	int result;

	told.calls = 0;
	result = pmem_clear_error(fd, offset, len, tell, NULL);
	note("pmem_clear_error: %s", result < 0 ? pmem_errormsg() : "cleared");
	return result;
}

static char *map(int fd)
{
	char *base = pmem_map(fd, SIZE);

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	return base;
}

static void expect_value(int fd, enum pmem_attribute attribute, uint64_t expected)
{
	uint64_t value = 0;

	expect(pmem_get_attribute(fd, attribute, &value) == 0 && value == expected, "%s is %" PRIu64,
	       pmem_attribute_name(attribute), expected);
	note("it is %" PRIu64, value);
}

static void test_deep_persist(int fd)
{
	char *base = map(fd);

	memset(base, 'x', SIZE);
	pmem_persist(base, SIZE, 0);
	expect(pmem_deep_persist(base, 4096) == 0, "pmem_deep_persist flushes the region");
	note("%s", pmem_errormsg());
	pmem_unmap(base, SIZE);
}

static bool holds_zeros_there_only(const char *base, off_t offset, size_t len)
{
	for (off_t i = 0; i < SIZE; i++) {
		if (base[i] != (i >= offset && i < offset + (off_t)len ? 0 : 'x'))
			return false;
	}
	return true;
}

static void test_clearing(int fd, off_t offset, size_t len)
{
	char *base = map(fd);

	expect(bad_ranges(fd) == 0 && was_told_once(offset, len), "pmem_bad_ranges has the range, and no other");
	expect(clear(fd, offset, len) < 0 && errno == EBUSY && told.calls == 0, "while it is mapped, it is refused");
	pmem_unmap(base, SIZE);
	expect(clear(fd, offset + 1, len - 1) < 0 && errno == EINVAL && told.calls == 0,
	       "a part of a sector is refused");
	expect(clear(fd, 0, (size_t)offset) == 0 && told.calls == 0, "where nothing is lost, nothing is cleared");
	expect(clear(fd, 0, SIZE) == 0 && was_told_once(offset, len), "the bus clears exactly what was lost");
	expect(bad_ranges(fd) == 0 && told.calls == 0, "then, pmem_bad_ranges has nothing");
	base = map(fd);
	expect(holds_zeros_there_only(base, offset, len), "it holds zeros, and all others what they held");
	pmem_unmap(base, SIZE);
}

int main(int argc, char *argv[])
{
	int fd;

	if (argc != 5 || (fd = open(argv[1], O_RDWR)) < 0)
		give_up("usage: clearing DEVICE OFFSET LENGTH SHUTDOWNS");
	expect_value(fd, PMEM_ATTRIBUTE_UNSAFE_SHUTDOWNS, strtoull(argv[4], NULL, 10));
	expect_value(fd, PMEM_ATTRIBUTE_DEEP_FLUSH_CAPABLE, 1);
	expect_value(fd, PMEM_ATTRIBUTE_PERSISTENCE_DOMAIN, PMEM_DOMAIN_MEMORY_CONTROLLER);
	test_deep_persist(fd);
	test_clearing(fd, (off_t)strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
	return report_status();
}
