/* device_flush.c: how often a disk was told to flush */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * virtio-blk counts in its statistics: the sixteenth number, see the kernel's
 * Documentation/block/stat.rst. virtio-pmem does not, but each flush ends with an
 * interrupt, and it has no other use for its own.
 */
#define _GNU_SOURCE
#include "device_flush.h"
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The sum over the processors, which stand between the line's number and its name. */
static long sum_of(const char *line)
{
	long sum = 0;
	char *end;

	line = strchr(line, ':') + 1;
	for (;; line = end) {
		const long count = strtol(line, &end, 10);

		if (end == line || !isspace((unsigned char)*end))
			return sum;
		sum += count;
	}
}

static bool is_line_of(const char *line, const char *device)
{
	const char *found = strstr(line, device);

	return found && !isdigit((unsigned char)found[strlen(device)]);
}

static long interrupts_of(const char *device)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[4096];
	long sum = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (is_line_of(line, device))
			sum = sum_of(line);
	}
	if (sum < 0)
		give_up("no interrupts of %s", device);
	fclose(file);
	return sum;
}

static long flushes_in(const char *path)
{
	FILE *file = fopen(path, "r");
	long number = -1;

	for (int i = 0; file && i < 16; i++) {
		if (fscanf(file, "%ld", &number) != 1)
			give_up("%s has fewer than 16 numbers", path);
	}
	if (!file)
		give_up("%s cannot be read", path);
	fclose(file);
	return number;
}

long device_flushes(int fd)
{
	char path[4096], disk[64], *device;
	struct stat status;

	fstat(fd, &status);
	snprintf(disk, sizeof(disk), "/sys/dev/block/%u:%u", major(status.st_dev), minor(status.st_dev));
	if (!realpath(disk, path))
		give_up("%s is not there", disk);
	device = strstr(path, "/virtio");
	if (device && strstr(path, "/pmem")) {
		device[1 + strcspn(device + 1, "/")] = '\0';
		return interrupts_of(device + 1);
	}
	strcat(disk, "/stat");
	return flushes_in(disk);
}
