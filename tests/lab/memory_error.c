/* memory_error.c: ways to have memory errors in the lab, and to see them */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "memory_error.h"

#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

siginfo_t bus_error;

static sigjmp_buf back;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	bus_error = *info;
	siglongjmp(back, 1);
}

void catch_bus_errors(void)
{
	const struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};

	sigaction(SIGBUS, &action, NULL);
}

__attribute__((noinline)) bool raises(void (*action)(char *at), char *at)
{
	if (sigsetjmp(back, 1) != 0)
		return true;
	action(at);
	return false;
}

void load(char *at)
{
	(void)*(volatile char *)at;
}

int open_media(const char *path)
{
	struct stat status;
	const bool device = stat(path, &status) == 0 && S_ISCHR(status.st_mode);
	const int fd = open(path, device ? O_RDWR : O_RDWR | O_CREAT, 0666);

	if (fd < 0 || (!device && (errno = posix_fallocate(fd, 0, SIZE)) != 0))
		give_up("%s cannot be opened", path);
	return fd;
}

char *map_media(int fd)
{
	char *base = pmem_map(fd, SIZE);

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	memset(base, 'x', SIZE);
	pmem_persist(base, SIZE, 0);
	return base;
}

/* --- The lists in sysfs ------------------------------------------------------------------- */

void device_folder(int fd, bool region, char folder[4096])
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

uint64_t resource_of(const char *folder)
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

bool lists_sector(const char *folder, uint64_t sector)
{
	for (int i = 0; i < 50; i++) {
		if (reads_sector(folder, sector))
			return true;
		usleep(100000);
	}
	return false;
}

void list_sectors(const char *folder, uint64_t sector, unsigned count)
{
	FILE *file = open_attribute(folder, "badblocks", "w");

	fprintf(file, "%" PRIu64 " %u", sector, count);
	if (fclose(file) != 0)
		give_up("badblocks cannot be written");
}

/* --- Where memory is ------------------------------------------------------------------------ */

uint64_t sector_of(int fd, off_t offset)
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

uint64_t physical_address(const char *at)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (off_t)((uintptr_t)at / PAGE * sizeof(entry))) != sizeof(entry) ||
	    !(entry >> 63))
		give_up("no physical address");
	close(fd);
	return (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
}

void ask_for_machine_check(uint64_t physical)
{
	FILE *request = fopen("/dev/lab/request", "w");

	if (!request || fprintf(request, "machine-check 0x%" PRIx64 "\n", physical) < 0 || fclose(request) != 0)
		give_up("the host cannot be asked for a machine check");
}
