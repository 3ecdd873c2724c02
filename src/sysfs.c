/* sysfs.c: the only reader of /sys: what a device says of its persistent memory */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources: the kernel's Documentation/ABI/testing/sysfs-bus-nvdimm and
 * sysfs-bus-dax, and its drivers/nvdimm/region_devs.c for deep_flush.
 */
#define _GNU_SOURCE
#include "sysfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STACKED_DEPTH = 8, /* device-mapper over device-mapper...: deeper than anybody builds */
};

#ifdef PMEM_TEST_BUILD
/* A tree of the test's own in the place of /sys. */
static const char *sysfs_root(void)
{
	const char *root = getenv("PMEM_TEST_SYSFS");

	return root ? root : "/sys";
}
#else
static const char *sysfs_root(void)
{
	return "/sys";
}
#endif

static bool device_directory(enum device_kind kind, unsigned major, unsigned minor, char *directory)
{
	char link[PATH_MAX];

	snprintf(link, sizeof(link), "%s/dev/%s/%u:%u", sysfs_root(), kind == DEVICE_BLOCK ? "block" : "char", major,
		 minor);
	return realpath(link, directory) != NULL;
}

/* An attribute's text without its newline; false if it cannot be read. */
static bool read_attribute(const char *directory, const char *name, char *text, size_t size)
{
	char path[PATH_MAX + 64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length < 0)
		return false;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

static bool read_number(const char *directory, const char *name, uint64_t *number)
{
	char text[32], *end;

	if (!read_attribute(directory, name, text, sizeof(text)) || !isdigit((unsigned char)text[0]))
		return false;
	*number = strtoull(text, &end, 0);
	return *end == '\0';
}

/* Is this path component "PREFIX" and a number? */
static bool is_numbered(const char *component, const char *prefix)
{
	const size_t length = strlen(prefix);

	return strncmp(component, prefix, length) == 0 && isdigit((unsigned char)component[length]);
}

/*
 * Cuts a device's directory after ".../ndbusN/regionM". A CXL region is called
 * regionN too, but it does not lie below an ndbus.
 */
static bool cut_after_region(char *directory)
{
	char *bus = strstr(directory, "/ndbus");
	char *region;

	if (!bus || !is_numbered(bus + 1, "ndbus"))
		return false;
	region = strchr(bus + 1, '/');
	if (!region || !is_numbered(region + 1, "region"))
		return false;
	region[1 + strcspn(region + 1, "/")] = '\0';
	return true;
}

bool sysfs_region(enum device_kind kind, unsigned major, unsigned minor, char *directory, size_t size)
{
	char path[PATH_MAX];

	if (!device_directory(kind, major, minor, path) || !cut_after_region(path))
		return false;
	return (size_t)snprintf(directory, size, "%s", path) < size;
}

static bool region_caches_are_persistent(const char *region)
{
	char domain[32];

	return read_attribute(region, "persistence_domain", domain, sizeof(domain)) && strcmp(domain, "cpu_cache") == 0;
}

/* Is something true of all (and at least one), or of any, of the devices that a stacked device is made of? */
static bool slaves_are(const char *device, int depth, bool (*is)(const char *device, int depth), bool all)
{
	char path[PATH_MAX + 16], slave[PATH_MAX];
	const struct dirent *entry;
	bool answer = all;
	int slaves = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/slaves", device);
	dir = depth < STACKED_DEPTH ? opendir(path) : NULL;
	if (!dir)
		return false;
	while (answer == all && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		slaves++;
		answer = (size_t)snprintf(path, sizeof(path), "%s/slaves/%s", device, entry->d_name) < sizeof(path) &&
			 realpath(path, slave) && is(slave, depth + 1);
	}
	closedir(dir);
	return answer && slaves > 0;
}

/* A stacked device is as good as the worst of the devices that it is made of. */
static bool block_caches_are_persistent(const char *device, int depth)
{
	char region[PATH_MAX];

	snprintf(region, sizeof(region), "%s", device);
	if (cut_after_region(region))
		return region_caches_are_persistent(region);
	return slaves_are(device, depth, block_caches_are_persistent, true);
}

bool sysfs_caches_are_persistent(enum device_kind kind, unsigned major, unsigned minor)
{
	char device[PATH_MAX];

	return device_directory(kind, major, minor, device) && block_caches_are_persistent(device, 0);
}

static bool block_is_virtual(const char *device, int depth)
{
	char region[PATH_MAX], provider[32];

	snprintf(region, sizeof(region), "%s", device);
	if (!cut_after_region(region))
		return slaves_are(device, depth, block_is_virtual, false);
	*strrchr(region, '/') = '\0'; /* the bus */
	return read_attribute(region, "provider", provider, sizeof(provider)) && strcmp(provider, "virtio-pmem") == 0;
}

bool sysfs_is_virtio_pmem(enum device_kind kind, unsigned major, unsigned minor)
{
	char device[PATH_MAX];

	return device_directory(kind, major, minor, device) && block_is_virtual(device, 0);
}

/* The attribute reads "0" where no hint is needed: the fence has done all. */
int sysfs_deep_flush(const char *region)
{
	char path[PATH_MAX + 16], needed[8];
	ssize_t written;
	int fd, error;

	if (!read_attribute(region, "deep_flush", needed, sizeof(needed))) {
		errno = ENOTSUP;
		return -1;
	}
	if (strcmp(needed, "0") == 0)
		return 0;
	snprintf(path, sizeof(path), "%s/deep_flush", region);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	written = write(fd, "1", 1);
	error = errno;
	close(fd);
	errno = error;
	return written == 1 ? 0 : -1;
}

bool sysfs_dax_device(unsigned major, unsigned minor, struct dax_device *dax)
{
	char directory[PATH_MAX], link[PATH_MAX + 16], subsystem[PATH_MAX];
	const char *name;

	if (!device_directory(DEVICE_CHARACTER, major, minor, directory))
		return false;
	snprintf(link, sizeof(link), "%s/subsystem", directory);
	if (!realpath(link, subsystem))
		return false;
	name = strrchr(subsystem, '/');
	if (!name || strcmp(name, "/dax") != 0)
		return false;
	/* Kernels before 5.10 have no align attribute; 2 MiB is their default. */
	if (!read_number(directory, "align", &dax->alignment) || dax->alignment == 0)
		dax->alignment = UINT64_C(2) << 20;
	return read_number(directory, "size", &dax->size);
}
