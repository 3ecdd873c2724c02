/* media.c: what the library makes of one media in the lab: media DIRECTORY|DEVICE byte|line|page */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "../unit/steps.h"
#include "device_dax.h"
#include "device_flush.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif

enum {
	LINE = 64,
	HUGE = 2 << 20,
	SIZE = 4 * HUGE, /* device-dax wants multiples of its alignment */
	LINES = 5,
	PERSISTS = 50,
};

static const char *place;
static enum pmem_granularity expected;
static bool is_device;

static enum pmem_granularity granularity_named(const char *name)
{
	if (strcmp(name, "byte") == 0)
		return PMEM_GRANULARITY_BYTE;
	if (strcmp(name, "line") == 0)
		return PMEM_GRANULARITY_CACHE_LINE;
	if (strcmp(name, "page") == 0)
		return PMEM_GRANULARITY_PAGE;
	give_up("no such granularity: %s", name);
}

static bool is_pm(void)
{
	return expected != PMEM_GRANULARITY_PAGE;
}

/* An open file whose blocks are there, or the device. */
static int open_media(void)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), is_device ? "%s" : "%s/media-test", place);
	fd = open(path, is_device ? O_RDWR : O_RDWR | O_CREAT, 0666);
	if (fd < 0 || (!is_device && (errno = posix_fallocate(fd, 0, SIZE)) != 0))
		give_up("%s cannot be opened", path);
	return fd;
}

/* --- What the processor executes ----------------------------------------------------- */

/* Not aligned, so that five lines are touched by four lines' worth of bytes. */
static void persist_some(void *base)
{
	pmem_persist((char *)base + LINE / 2, (LINES - 1) * LINE, 0);
}

static void flush_some(void *base)
{
	pmem_flush_cache((char *)base + LINE / 2, (LINES - 1) * LINE, 0);
	pmem_fence();
}

static void persist_ranges(void *base)
{
	const struct iovec ranges[] = {{base, LINE}, {(char *)base + 4096, (LINES - 1) * LINE}};

	pmem_try_persistv(ranges, 2);
}

/* The work that fits a granularity, seen in its instructions, and no other. */
static bool works_as(enum pmem_granularity granularity, void (*work)(void *base), char *base, const char *what)
{
	static struct steps steps;

	base[0]++;
	if (!step_through(work, base, &steps))
		give_up("%s: the program cannot be single-stepped", what);
	note("%s: %zu flushes, %zu fences, %zu system calls", what, steps.flushes, steps.fences, steps.system_calls);
	if (granularity == PMEM_GRANULARITY_PAGE)
		return steps.flushes == 0 && steps.system_calls >= 1;
	return steps.flushes == (granularity == PMEM_GRANULARITY_BYTE ? 0 : LINES) && steps.fences >= 1 &&
	       steps.fenced_last && steps.system_calls == 0;
}

static void test_instructions(char *base)
{
	expect(works_as(expected, persist_some, base, "persist"), "pmem_persist does what this media needs");
	expect(works_as(expected, flush_some, base, "flush, fence"), "flush and fence do what this media needs");
	expect(works_as(expected, persist_ranges, base, "persistv"), "pmem_try_persistv does what this media needs");
}

/* --- pmem_map ------------------------------------------------------------------------- */

static void test_granularity(char *base)
{
	expect(pmem_granularity(base, SIZE) == expected, "pmem_map: the granularity is the documented one");
	note("granularity %d, expected %d", pmem_granularity(base, SIZE), expected);
}

static void test_require_pm(int fd)
{
	void *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_REQUIRE_PM);

	if (is_pm()) {
		expect(base != NULL, "PMEM_MAP_REQUIRE_PM is granted");
	} else {
		expect(!base && errno == EOPNOTSUPP && strstr(pmem_errormsg(), "MAP_SYNC"),
		       "PMEM_MAP_REQUIRE_PM is refused, and the message says why");
	}
	if (base)
		pmem_unmap(base, SIZE);
}

/* Written through one mapping, unmapped, seen through the next. */
static void test_content(int fd)
{
	char *base = pmem_map(fd, SIZE);
	bool same;

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	for (size_t i = 0; i < 4096; i++)
		base[i] = (char)(i * 7);
	pmem_persist(base, 4096, 0);
	expect(pmem_unmap(base, SIZE) == 0, "pmem_unmap");
	base = pmem_map(fd, SIZE);
	same = base != NULL;
	for (size_t i = 0; same && i < 4096; i++)
		same = base[i] == (char)(i * 7);
	expect(same, "what was persisted is there after mapping anew");
	pmem_unmap(base, SIZE);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* One fault maps 2 MiB; small pages would take 512. */
static void test_huge_pages(int fd)
{
	volatile char *base = pmem_map(fd, SIZE);
	long before;

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	before = faults();
	for (size_t i = 0; i < HUGE; i += 4096)
		base[HUGE + i] = 1;
	note("%ld faults for 2 MiB", faults() - before);
	expect(faults() - before < 16, "2 MiB are mapped by one huge page");
	pmem_persist((void *)(base + HUGE), HUGE, 0);
	pmem_unmap((void *)base, SIZE);
}

static void test_deep_persist(char *base)
{
	base[4096] = 9;
	expect(pmem_deep_persist(base + 4096, 100) == 0, "pmem_deep_persist");
	note("pmem_deep_persist: %s", pmem_errormsg());
}

/* A system call proves little: the disk itself must have been told, each time. */
static void test_disk_flushes(int fd, char *base, const char *what)
{
	const long before = device_flushes(fd);

	for (int i = 0; i < PERSISTS; i++) {
		base[i * 4096L]++;
		pmem_persist(base + i * 4096L, 1, 0);
	}
	note("%s: %d persists, %ld flushes of the disk", what, PERSISTS, device_flushes(fd) - before);
	expect(device_flushes(fd) - before >= PERSISTS, "%s: every persist reaches the disk", what);
}

/* --- Mappings of the program's own ------------------------------------------------------ */

static char *map_raw(int fd, int flags)
{
	char *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);

	return base == MAP_FAILED ? NULL : base;
}

/*
 * Steps through persisting a range that the library does not know. Device-dax:
 * after msync was refused the whole of smaps is read, which would take ten
 * emulated seconds; the flushes come after the last of it, before it is closed.
 */
static void step_through_unregistered(char *base, const char *what, struct steps *steps)
{
	if (is_device ? !step_through_end(persist_some, base, 2, steps) : !step_through(persist_some, base, steps))
		give_up("%s: the program cannot be single-stepped", what);
	note("%s: %zu flushes, %zu fences, %zu system calls, %zu instructions", what, steps->flushes, steps->fences,
	     steps->system_calls, steps->instructions);
}

static bool persists_unregistered(char *base, const char *what)
{
	static struct steps steps;

	base[0]++;
	if (pmem_try_persist(base + 1, 1000) < 0)
		return false;
	if (is_device && steps.flushes >= LINES)
		return true; /* stepping through the first mapping was slow enough */
	step_through_unregistered(base, what, &steps);
	return is_device ? steps.flushes >= LINES && steps.fenced_last : steps.flushes == 0 && steps.system_calls >= 1;
}

static void test_raw(int fd, int flags, enum pmem_granularity granularity, const char *what)
{
	char *base = map_raw(fd, flags);

	if (!base)
		give_up("mmap %s", what);
	expect(pmem_granularity(base, SIZE) == granularity, "%s: the granularity is found without registration", what);
	expect(persists_unregistered(base, what), "%s: persists without registration", what);
	if (!is_pm())
		test_disk_flushes(fd, base, what);
	expect(pmem_register(base, SIZE) == 0, "%s: pmem_register", what);
	expect(pmem_granularity(base, SIZE) == granularity, "%s: the granularity of a registered range", what);
	expect(works_as(granularity, persist_some, base, what), "%s: registered, it does what this media needs", what);
	expect(pmem_unregister(base, SIZE) == 0 && persists_unregistered(base, what),
	       "%s: persists after pmem_unregister", what);
	munmap(base, SIZE);
}

static void test_raw_mappings(int fd)
{
	char *synchronous = map_raw(fd, MAP_SHARED_VALIDATE | MAP_SYNC);

	/* Without MAP_SYNC the file system's metadata need msync, whatever the media. */
	test_raw(fd, MAP_SHARED, is_device ? expected : PMEM_GRANULARITY_PAGE, "mmap");
	if (is_pm())
		expect(synchronous != NULL, "MAP_SYNC is accepted");
	else
		note("MAP_SYNC is %s",
		     synchronous ? "accepted, by mistake of the kernel: see src/classify.c" : "refused");
	if (!synchronous)
		return;
	munmap(synchronous, SIZE);
	test_raw(fd, MAP_SHARED_VALIDATE | MAP_SYNC, expected, "mmap with MAP_SYNC");
}

static void test_private(int fd)
{
	char *base = map_raw(fd, MAP_PRIVATE);

	if (is_device) {
		expect(!base && errno == EINVAL, "a private mapping of a device is refused by the kernel");
		return;
	}
	expect(base && pmem_granularity(base, SIZE) == PMEM_GRANULARITY_NONE, "a private mapping is volatile");
	munmap(base, SIZE);
}

int main(int argc, char *argv[])
{
	struct stat status;
	char *base;
	int fd;

	if (argc < 3 || stat(argv[1], &status) < 0)
		give_up("usage: media DIRECTORY|DEVICE byte|line|page");
	place = argv[1];
	is_device = S_ISCHR(status.st_mode);
	expected = granularity_named(argv[2]);
	fd = open_media();
	base = pmem_map(fd, SIZE);
	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	test_granularity(base);
	test_instructions(base);
	test_deep_persist(base);
	if (!is_pm())
		test_disk_flushes(fd, base, "pmem_map");
	pmem_unmap(base, SIZE);
	test_require_pm(fd);
	test_content(fd);
	if (is_pm())
		test_huge_pages(fd);
	test_raw_mappings(fd);
	test_private(fd);
	if (is_device)
		test_device_dax(fd, status.st_rdev);
	return report_status();
}
