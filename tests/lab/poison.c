/* poison.c: memory errors reach a mapping as SIGBUS: poison hwpoison|listed|machine-check|nothing FILE|DEVICE */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pmem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

enum {
	PAGE = 4096,
	SECTOR = 512,
	SIZE = 2 << 20,
	BAD = 5 * PAGE, /* where in the mapping the error is */
};

static sigjmp_buf back;
static siginfo_t seen;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	seen = *info;
	siglongjmp(back, 1);
}

static void catch_bus_errors(void)
{
	const struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGBUS, &action, NULL);
}

/* Does the action raise SIGBUS? */
__attribute__((noinline)) static bool raises(void (*action)(char *at), char *at)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	action(at);
	return false;
}

static void load(char *at)
{
	(void)*(volatile char *)at;
}

static int open_media(const char *path)
{
	struct stat status;
	const bool device = stat(path, &status) == 0 && S_ISCHR(status.st_mode);
	const int fd = open(path, device ? O_RDWR : O_RDWR | O_CREAT, 0666);

	if (fd < 0 || (!device && (errno = posix_fallocate(fd, 0, SIZE)) != 0))
		give_up("%s cannot be opened", path);
	return fd;
}

/* A mapping whose pages are there and hold something. */
static char *map_media(int fd)
{
	char *base = pmem_map(fd, SIZE);

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	memset(base, 'x', SIZE);
	pmem_persist(base, SIZE, 0);
	return base;
}

/* The SIGBUS that was caught: its address must be in the page, its unit one that the kernel gave. */
static void expect_bus_error(const char *bad, bool raised, const char *name)
{
	const uintptr_t unit = (uintptr_t)1 << (seen.si_addr_lsb ? seen.si_addr_lsb : 12);
	const uintptr_t address = (uintptr_t)seen.si_addr & ~(unit - 1);

	expect(raised, "%s", name);
	note("code %d, address +%jd, lsb %d", seen.si_code, (intmax_t)((char *)seen.si_addr - (bad - BAD)),
	     seen.si_addr_lsb);
	expect(raised && address == ((uintptr_t)bad & ~(unit - 1)), "the signal has the address of the bad page");
}

/* --- sysfs ------------------------------------------------------------------------------- */

/* The folder of the device that a file is on, or of its region. */
static void device_folder(int fd, bool region, char folder[4096])
{
	char link[64], *cut;
	struct stat status;

	fstat(fd, &status);
	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
	if (!realpath(link, folder))
		give_up("%s is not there", link);
	cut = region ? strstr(folder, "/region") : NULL;
	if (cut)
		cut[1 + strcspn(cut + 1, "/")] = '\0';
}

static FILE *open_attribute(const char *folder, const char *name, const char *mode)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, mode);
	if (!file)
		give_up("%s cannot be opened", path);
	return file;
}

static uint64_t resource_of(const char *folder)
{
	FILE *file = open_attribute(folder, "resource", "r");
	uint64_t start = 0;

	if (fscanf(file, "%" SCNx64, &start) != 1)
		give_up("%s has no address", folder);
	fclose(file);
	return start;
}

/* Does a list of "SECTOR COUNT" lines have this sector? */
static bool reads_sector(const char *folder, uint64_t sector)
{
	FILE *file = open_attribute(folder, "badblocks", "r");
	uint64_t first, count;
	bool found = false;

	while (fscanf(file, "%" SCNu64 "%" SCNu64, &first, &count) == 2) {
		note("%s: bad from sector %" PRIu64 " on: %" PRIu64, strrchr(folder, '/') + 1, first, count);
		found = found || (first <= sector && sector < first + count);
	}
	fclose(file);
	return found;
}

/* The list is filled in after the signal; five seconds are plenty. */
static bool lists_sector(const char *folder, uint64_t sector)
{
	for (int i = 0; i < 50; i++) {
		if (reads_sector(folder, sector))
			return true;
		usleep(100000);
	}
	return false;
}

/* --- Three ways to have an error --------------------------------------------------------- */

/* The kernel is told that the page is bad, and treats this as if the load had found it. */
static void poison_and_load(char *at)
{
	if (madvise(at, PAGE, MADV_HWPOISON) < 0)
		give_up("MADV_HWPOISON");
	load(at);
}

static void poison_page(int fd)
{
	char *base = map_media(fd);

	expect(!raises(load, base + BAD), "before, the page can be loaded");
	expect_bus_error(base + BAD, raises(poison_and_load, base + BAD), "poison in a mapped page raises SIGBUS");
	expect(seen.si_code == BUS_MCEERR_AR, "the signal says that action is required");
}

static uint64_t sector_of(int fd, off_t offset)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
	} query = {.map = {.fm_start = (uint64_t)offset,
			   .fm_length = PAGE,
			   .fm_flags = FIEMAP_FLAG_SYNC,
			   .fm_extent_count = 1}};
	const struct fiemap_extent *extent = query.map.fm_extents;

	if (ioctl(fd, FS_IOC_FIEMAP, &query.map) < 0 || query.map.fm_mapped_extents != 1)
		give_up("the file's blocks cannot be had");
	return (extent->fe_physical + (uint64_t)offset - extent->fe_logical) / SECTOR;
}

/* The disk's list says that some sectors are bad, as after a boot with known errors. */
static void list_sectors(int fd)
{
	const uint64_t sector = sector_of(fd, BAD);
	char *base = map_media(fd), folder[4096];
	FILE *file;

	pmem_unmap(base, SIZE); /* what is in the page tables would not be asked about */
	device_folder(fd, false, folder);
	file = open_attribute(folder, "badblocks", "w");
	fprintf(file, "%" PRIu64 " %d", sector, PAGE / SECTOR);
	if (fclose(file) != 0)
		give_up("badblocks cannot be written");
	expect(lists_sector(folder, sector), "the sector is in the disk's list");
	base = pmem_map(fd, SIZE);
	expect(base && !raises(load, base), "other pages can be loaded");
	expect_bus_error(base + BAD, raises(load, base + BAD + 8), "a load from the bad page raises SIGBUS");
}

static uint64_t physical_address(const char *at)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)at / PAGE * sizeof(entry))) != sizeof(entry) ||
	    !(entry >> 63))
		give_up("no physical address");
	close(fd);
	return (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
}

static void ask_for_machine_check(uint64_t physical)
{
	FILE *request = fopen("/dev/lab/request", "w");

	if (!request || fprintf(request, "machine-check 0x%" PRIx64 "\n", physical) < 0 || fclose(request) != 0)
		give_up("the host cannot be asked for a machine check");
}

static void wait_for_signal(char *at)
{
	(void)at;
	usleep(100000);
}

/*
 * An error that the hardware found in patrol: a process that wants to know early
 * is told while it maps the page; others learn it from the lists and by loading.
 */
static void take_machine_check(int fd)
{
	char *base = map_media(fd), folder[4096];
	const uint64_t physical = physical_address(base + BAD);
	bool told = false;

	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) < 0)
		give_up("PR_MCE_KILL");
	ask_for_machine_check(physical);
	for (int i = 0; i < 200 && !told; i++)
		told = raises(wait_for_signal, base + BAD);
	expect_bus_error(base + BAD, told, "a process that maps the page gets SIGBUS");
	expect(seen.si_code == BUS_MCEERR_AO, "the signal says that action is optional");
	device_folder(fd, true, folder);
	expect(lists_sector(folder, (physical - resource_of(folder)) / SECTOR), "the sector is in the region's list");
	device_folder(fd, false, folder);
	expect(lists_sector(folder, sector_of(fd, BAD)), "the sector is in the disk's list");
	pmem_unmap(base, SIZE);
	base = pmem_map(fd, SIZE);
	expect_bus_error(base + BAD, base && raises(load, base + BAD), "a load through a new mapping raises SIGBUS");
}

/* The negative: without an error this fails. */
static void find_no_error(int fd)
{
	char *base = map_media(fd);

	expect_bus_error(base + BAD, raises(load, base + BAD), "a load from a good page raises SIGBUS");
}

int main(int argc, char *argv[])
{
	int fd;

	if (argc != 3)
		give_up("usage: poison hwpoison|listed|machine-check|nothing FILE|DEVICE");
	fd = open_media(argv[2]);
	catch_bus_errors();
	if (strcmp(argv[1], "hwpoison") == 0)
		poison_page(fd);
	else if (strcmp(argv[1], "listed") == 0)
		list_sectors(fd);
	else if (strcmp(argv[1], "machine-check") == 0)
		take_machine_check(fd);
	else
		find_no_error(fd);
	return report_status();
}
