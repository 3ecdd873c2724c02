/* errors.c: lost memory found, told and given back to use: errors listed|machine-check|mark FILE|DEVICE */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "memory_error.h"
#include "report.h"

#include <errno.h>
#include <pmem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What was told of ranges: "OFFSET+LENGTH ". */
static char told[1024];

static void tell_lost(off_t offset, size_t len, void *arg)
{
	(void)arg;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%jd+%zu ", (intmax_t)offset, len);
}

static int tell_bad(off_t offset, size_t len, void *arg)
{
	tell_lost(offset, len, arg);
	return 0;
}

static bool was_told(const char *expected)
{
	note("told: %s", told);
	return strcmp(told, expected) == 0;
}

static bool bad_ranges_are(int fd, const char *expected)
{
	told[0] = '\0';
	if (pmem_bad_ranges(fd, tell_bad, NULL) < 0)
		note("pmem_bad_ranges: %s", pmem_errormsg());
	return was_told(expected);
}

static int clear(int fd, off_t offset, size_t len)
{
	int result;

	told[0] = '\0';
	result = pmem_clear_error(fd, offset, len, tell_lost, NULL);
	if (result < 0)
		note("pmem_clear_error: %s", pmem_errormsg());
	return result;
}

/* The mapping holds what map_media() has stored, but for zeros in the bad page. */
static bool holds_zeros_in_bad_page_only(const char *base)
{
	for (size_t i = 0; i < SIZE; i++) {
		if (base[i] != (i >= BAD && i < BAD + PAGE ? 0 : 'x')) {
			note("byte %zu is %d", i, base[i]);
			return false;
		}
	}
	return true;
}

/* Loads the bad page and decodes what came of it. */
static struct pmem_error_info meet_error(char *base)
{
	struct pmem_error_info info = {.sz = sizeof(info)};

	expect(raises(load, base + BAD + 1024), "a load from the bad page raises SIGBUS");
	expect(pmem_get_error_info(&bus_error, &info) == 0, "pmem_get_error_info");
	note("%s: %zu bytes at +%td, resumable %d", info.message, info.len, (const char *)info.addr - base,
	     info.resumable);
	expect((const char *)info.addr <= base + BAD && (const char *)info.addr + info.len >= base + BAD + PAGE,
	       "the range that is told covers the bad page");
	expect(!info.resumable && info.cause != PMEM_ERROR_FOUND, "it cannot be resumed");
	return info;
}

static void store(char *at)
{
	memset(at, 'x', PAGE);
}

/* From the signal to a page that can be used again. */
static void survive(int fd, char *base)
{
	const struct pmem_error_info info = meet_error(base);
	const off_t offset = (const char *)info.addr - base;

	expect(clear(fd, offset, info.len) < 0 && errno == EBUSY, "while it is mapped, pmem_clear_error refuses");
	pmem_unmap(base, SIZE);
	expect(clear(fd, BAD + SECTOR, PAGE) < 0 && errno == EINVAL, "a part of a page is refused");
	expect(was_told(""), "nothing was lost by refusals");
	if (clear(fd, offset, info.len) < 0)
		give_up("pmem_clear_error");
	expect(was_told("20480+4096 "), "it tells the one page that was lost");
	note("the file's block is now at sector %llu", (unsigned long long)sector_of(fd, BAD));
	expect(bad_ranges_are(fd, ""), "then, pmem_bad_ranges has nothing to tell");
	base = pmem_map(fd, SIZE);
	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	expect(!raises(load, base + BAD + 1024), "the page can be loaded again");
	expect(holds_zeros_in_bad_page_only(base), "it holds zeros, and all others what they held");
	expect(!raises(store, base + BAD), "the page can be stored to again");
	expect(pmem_try_persist(base + BAD, PAGE) == 0, "what is stored there can be made durable");
	pmem_unmap(base, SIZE);
}

/* One sector is on the disk's list before anybody meets it. */
static void meet_listed(int fd)
{
	char *base = map_media(fd), folder[4096];

	pmem_unmap(base, SIZE); /* what is in the page tables would not be asked about */
	expect(bad_ranges_are(fd, ""), "before, pmem_bad_ranges has nothing to tell");
	device_folder(fd, false, folder);
	list_sectors(folder, sector_of(fd, BAD) + 2, 1);
	expect(bad_ranges_are(fd, "21504+512 "), "pmem_bad_ranges tells the sector, as an offset in the file");
	base = pmem_map(fd, SIZE);
	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	survive(fd, base);
}

/* The bad ranges are told within five seconds of the machine check. */
static bool is_told_at_last(int fd)
{
	for (int i = 0; i < 50; i++) {
		told[0] = '\0';
		if (pmem_bad_ranges(fd, tell_bad, NULL) == 0 && told[0])
			return true;
		usleep(100000);
	}
	return false;
}

static void meet_machine_check(int fd, bool device)
{
	char *base = map_media(fd);

	ask_for_machine_check(physical_address(base + BAD));
	expect(is_told_at_last(fd), "pmem_bad_ranges tells what the machine check was about");
	expect(was_told("20480+4096 "), "it tells the page, as an offset in the file or device");
	pmem_unmap(base, SIZE);
	if (device) {
		/* The emulated bus has no command for it. */
		expect(clear(fd, 0, SIZE) < 0 && errno == ENOTSUP, "a bus that cannot clear errors is told");
		expect(was_told(""), "nothing was lost by it");
		return;
	}
	base = pmem_map(fd, SIZE);
	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	survive(fd, base);
}

/* For another program to meet: nothing is stored to the file, or tested. */
static void mark_bad(int fd)
{
	char folder[4096];

	device_folder(fd, false, folder);
	list_sectors(folder, sector_of(fd, BAD) + 2, 1);
}

int main(int argc, char *argv[])
{
	struct stat status;
	int fd;

	if (argc != 3)
		give_up("usage: errors listed|machine-check|mark FILE|DEVICE");
	fd = open_media(argv[2]);
	fstat(fd, &status);
	catch_bus_errors();
	if (strcmp(argv[1], "listed") == 0)
		meet_listed(fd);
	else if (strcmp(argv[1], "mark") == 0)
		mark_bad(fd);
	else
		meet_machine_check(fd, S_ISCHR(status.st_mode));
	return report_status();
}
