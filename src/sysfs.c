/* sysfs.c: the only reader of /sys: what a device says of its persistent memory */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources: the kernel's Documentation/ABI/testing/sysfs-bus-nvdimm and
 * sysfs-bus-dax, and its drivers/nvdimm/region_devs.c for deep_flush.
 */
#define _GNU_SOURCE
#include "sysfs.h"

#include "failure.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STACKED_DEPTH = 8, /* device-mapper over device-mapper...: deeper than anybody builds */
	SECTOR = 512,      /* the unit of bad-block lists and of a partition's start and size */
	BADBLOCKS_SHOWN = 4096,
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

/* A path without links in it, which has room for SYSFS_PATH_SIZE; false if there is none, or it is longer. */
static bool resolve(const char *link, char *path)
{
	char *resolved = realpath(link, NULL);
	const bool fits = resolved && strlen(resolved) < SYSFS_PATH_SIZE;

	if (fits)
		strcpy(path, resolved);
	free(resolved);
	return fits;
}

static bool device_directory(enum device_kind kind, unsigned major, unsigned minor, char *directory)
{
	char link[SYSFS_PATH_SIZE];

	snprintf(link, sizeof(link), "%s/dev/%s/%u:%u", sysfs_root(), kind == DEVICE_BLOCK ? "block" : "char", major,
		 minor);
	return resolve(link, directory);
}

/* An attribute's text without its newline; false if it cannot be read. */
static bool read_attribute(const char *directory, const char *name, char *text, size_t size)
{
	char path[SYSFS_PATH_SIZE + 64];
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
	char path[SYSFS_PATH_SIZE];

	if (!device_directory(kind, major, minor, path) || !cut_after_region(path))
		return false;
	return (size_t)snprintf(directory, size, "%s", path) < size;
}

/* The regions below one device; a stacked device has those of the devices that it is made of. */
static bool walk_regions(const char *device, int depth, void (*each)(const char *region, void *arg), void *arg)
{
	char path[SYSFS_PATH_SIZE + 16], below[SYSFS_PATH_SIZE];
	const struct dirent *entry;
	bool all = true;
	int slaves = 0;
	DIR *dir;

	snprintf(below, sizeof(below), "%s", device);
	if (cut_after_region(below)) {
		each(below, arg);
		return true;
	}
	snprintf(path, sizeof(path), "%s/slaves", device);
	dir = depth < STACKED_DEPTH ? opendir(path) : NULL;
	if (!dir)
		return false;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		slaves++;
		if ((size_t)snprintf(path, sizeof(path), "%s/slaves/%s", device, entry->d_name) >= sizeof(path) ||
		    !resolve(path, below) || !walk_regions(below, depth + 1, each, arg))
			all = false;
	}
	closedir(dir);
	return all && slaves > 0;
}

bool sysfs_regions(enum device_kind kind, unsigned major, unsigned minor, void (*each)(const char *region, void *arg),
		   void *arg)
{
	char device[SYSFS_PATH_SIZE];

	return device_directory(kind, major, minor, device) && walk_regions(device, 0, each, arg);
}

/* Entries of a directory whose names begin with PREFIX and a number, until one returns other than 0. */
static int each_numbered(const char *directory, const char *prefix, int (*each)(const char *path, void *arg), void *arg)
{
	char path[SYSFS_PATH_SIZE + 256], entry_path[SYSFS_PATH_SIZE];
	const struct dirent *entry;
	int result = 0;
	DIR *dir = opendir(directory);

	if (!dir)
		return 0;
	while (result == 0 && (entry = readdir(dir))) {
		if (!is_numbered(entry->d_name, prefix))
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (resolve(path, entry_path))
			result = each(entry_path, arg);
	}
	closedir(dir);
	return result;
}

int sysfs_all_regions(int (*each)(const char *region, void *arg), void *arg)
{
	char directory[SYSFS_PATH_SIZE];

	snprintf(directory, sizeof(directory), "%s/bus/nd/devices", sysfs_root());
	return each_numbered(directory, "region", each, arg);
}

/* --- What a region says ------------------------------------------------------------------ */

enum pmem_domain sysfs_region_domain(const char *region)
{
	char domain[32];

	if (!read_attribute(region, "persistence_domain", domain, sizeof(domain)))
		return PMEM_DOMAIN_UNKNOWN;
	if (strcmp(domain, "cpu_cache") == 0)
		return PMEM_DOMAIN_CPU_CACHE;
	return strcmp(domain, "memory_controller") == 0 ? PMEM_DOMAIN_MEMORY_CONTROLLER : PMEM_DOMAIN_UNKNOWN;
}

/* A stacked device is as good as the worst of the devices that it is made of. */
static void narrow_domain(const char *region, void *arg)
{
	enum pmem_domain *worst = arg;
	const enum pmem_domain domain = sysfs_region_domain(region);

	if (domain < *worst)
		*worst = domain;
}

enum pmem_domain sysfs_domain(enum device_kind kind, unsigned major, unsigned minor)
{
	enum pmem_domain worst = PMEM_DOMAIN_CPU_CACHE;

	return sysfs_regions(kind, major, minor, narrow_domain, &worst) ? worst : PMEM_DOMAIN_UNKNOWN;
}

bool sysfs_caches_are_persistent(enum device_kind kind, unsigned major, unsigned minor)
{
	return sysfs_domain(kind, major, minor) == PMEM_DOMAIN_CPU_CACHE;
}

void sysfs_region_provider(const char *region, char *provider, size_t size)
{
	char bus[SYSFS_PATH_SIZE];

	snprintf(bus, sizeof(bus), "%s", region);
	*strrchr(bus, '/') = '\0';
	if (!read_attribute(bus, "provider", provider, size))
		provider[0] = '\0';
}

static void find_virtio(const char *region, void *arg)
{
	bool *found = arg;
	char provider[32];

	sysfs_region_provider(region, provider, sizeof(provider));
	*found = *found || strcmp(provider, "virtio-pmem") == 0;
}

bool sysfs_is_virtio_pmem(enum device_kind kind, unsigned major, unsigned minor)
{
	bool found = false;

	sysfs_regions(kind, major, minor, find_virtio, &found);
	return found;
}

bool sysfs_region_numa_node(const char *region, int *node)
{
	char text[16];

	/* The kernel writes -1 where it does not know. */
	if (!read_attribute(region, "numa_node", text, sizeof(text)) || !isdigit((unsigned char)text[0]))
		return false;
	*node = atoi(text);
	return true;
}

bool sysfs_region_size(const char *region, uint64_t *size)
{
	return read_number(region, "size", size);
}

struct names {
	char *text;
	size_t size, length;
};

static int add_name(const char *path, void *arg)
{
	struct names *names = arg;
	const int added = snprintf(names->text + names->length, names->size - names->length, "%s%s",
				   names->length ? " " : "", strrchr(path, '/') + 1);

	if ((size_t)added >= names->size - names->length)
		return 1; /* full: the name is cut */
	names->length += (size_t)added;
	return 0;
}

/* A namespace, or what claims it: a disk is in its directory "block", a device-dax beside. */
static int add_devices(const char *claim, void *arg)
{
	char directory[SYSFS_PATH_SIZE + 8];

	snprintf(directory, sizeof(directory), "%s/block", claim);
	return each_numbered(directory, "pmem", add_name, arg) || each_numbered(claim, "dax", add_name, arg);
}

void sysfs_region_devices(const char *region, char *names, size_t size)
{
	static const char *const claims[] = {"namespace", "pfn", "dax", "btt"};
	struct names list = {.text = names, .size = size};

	names[0] = '\0';
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		each_numbered(region, claims[i], add_devices, &list);
}

/* One NVDIMM's count: its bus is of ACPI or of CXL. */
static bool dimm_unsafe_shutdowns(const char *region, const char *dimm, uint64_t *count)
{
	char directory[SYSFS_PATH_SIZE + 64];

	snprintf(directory, sizeof(directory), "%s/../%s", region, dimm);
	return read_number(directory, "nfit/dirty_shutdown", count) ||
	       read_number(directory, "cxl/dirty_shutdown", count);
}

/* "mapping0" and so on each read "NMEM,START,LENGTH,POSITION": a part of an NVDIMM that the region is made of. */
bool sysfs_region_unsafe_shutdowns(const char *region, uint64_t *count)
{
	uint64_t mappings, of_dimm;
	char name[32], dimm[64];

	if (!read_number(region, "mappings", &mappings) || mappings == 0)
		return false;
	*count = 0;
	for (unsigned i = 0; i < mappings; i++) {
		snprintf(name, sizeof(name), "mapping%u", i);
		if (!read_attribute(region, name, dimm, sizeof(dimm)))
			return false;
		dimm[strcspn(dimm, ",")] = '\0';
		if (!dimm_unsafe_shutdowns(region, dimm, &of_dimm))
			return false;
		*count += of_dimm;
	}
	return true;
}

struct sum {
	bool known;
	uint64_t total;
};

static void add_unsafe_shutdowns(const char *region, void *arg)
{
	struct sum *sum = arg;
	uint64_t count = 0;

	sum->known = sum->known && sysfs_region_unsafe_shutdowns(region, &count);
	sum->total += count;
}

bool sysfs_unsafe_shutdowns(enum device_kind kind, unsigned major, unsigned minor, uint64_t *count)
{
	struct sum sum = {.known = true};

	if (!sysfs_regions(kind, major, minor, add_unsafe_shutdowns, &sum) || !sum.known)
		return false;
	*count = sum.total;
	return true;
}

enum { NODE_NONE_YET = -1, NODE_NOT_ONE = -2 };

static void find_node(const char *region, void *arg)
{
	int *common = arg, node;

	if (!sysfs_region_numa_node(region, &node))
		*common = NODE_NOT_ONE;
	else if (*common == NODE_NONE_YET)
		*common = node;
	else if (*common != node)
		*common = NODE_NOT_ONE;
}

/* Regions say it of themselves, a disk's controller says it of the disk. */
bool sysfs_numa_node(enum device_kind kind, unsigned major, unsigned minor, int *node)
{
	char device[SYSFS_PATH_SIZE], controller[SYSFS_PATH_SIZE + 16];
	int common = NODE_NONE_YET;

	if (sysfs_regions(kind, major, minor, find_node, &common)) {
		*node = common;
		return common >= 0;
	}
	if (common != NODE_NONE_YET || !device_directory(kind, major, minor, device))
		return false;
	snprintf(controller, sizeof(controller), "%s/device", device);
	if (sysfs_region_numa_node(controller, node))
		return true;
	snprintf(controller, sizeof(controller), "%s/../device", device); /* of a partition */
	return sysfs_region_numa_node(controller, node);
}

/* --- Deep flush ------------------------------------------------------------------------------ */

bool sysfs_has_deep_flush(const char *region)
{
	char needed[8];

	return read_attribute(region, "deep_flush", needed, sizeof(needed));
}

/* The attribute reads "0" where no hint is needed: the fence has done all. */
int sysfs_deep_flush(const char *region)
{
	char path[SYSFS_PATH_SIZE + 16], needed[8];
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

/* --- Devices ------------------------------------------------------------------------------------ */

bool sysfs_device_name(enum device_kind kind, unsigned major, unsigned minor, char *name, size_t size)
{
	char device[SYSFS_PATH_SIZE];

	if (!device_directory(kind, major, minor, device))
		return false;
	snprintf(name, size, "%s", strrchr(device, '/') + 1);
	return true;
}

enum direct_access sysfs_direct_access(unsigned major, unsigned minor)
{
	char device[SYSFS_PATH_SIZE], disk[SYSFS_PATH_SIZE + 16];
	uint64_t can;

	if (!device_directory(DEVICE_BLOCK, major, minor, device))
		return DIRECT_ACCESS_UNKNOWN;
	snprintf(disk, sizeof(disk), "%s/..", device); /* of a partition */
	if (!read_number(device, "queue/dax", &can) && !read_number(disk, "queue/dax", &can))
		return DIRECT_ACCESS_UNKNOWN;
	return can ? DIRECT_ACCESS_YES : DIRECT_ACCESS_NO;
}

bool sysfs_dax_device(unsigned major, unsigned minor, struct dax_device *dax)
{
	char directory[SYSFS_PATH_SIZE], link[SYSFS_PATH_SIZE + 16], subsystem[SYSFS_PATH_SIZE];
	const char *name;

	if (!device_directory(DEVICE_CHARACTER, major, minor, directory))
		return false;
	snprintf(link, sizeof(link), "%s/subsystem", directory);
	if (!resolve(link, subsystem))
		return false;
	name = strrchr(subsystem, '/');
	if (!name || strcmp(name, "/dax") != 0)
		return false;
	/* Kernels before 5.10 have no align attribute; 2 MiB is their default. */
	if (!read_number(directory, "align", &dax->alignment) || dax->alignment == 0)
		dax->alignment = UINT64_C(2) << 20;
	return read_number(directory, "size", &dax->size);
}

bool sysfs_physical_start(unsigned major, unsigned minor, uint64_t *start)
{
	char device[SYSFS_PATH_SIZE];

	return device_directory(DEVICE_CHARACTER, major, minor, device) && read_number(device, "resource", start);
}

unsigned sysfs_bus_of_region(const char *region)
{
	return (unsigned)atoi(strstr(region, "/ndbus") + strlen("/ndbus"));
}

/* --- Bad blocks ------------------------------------------------------------------------------------ */

/* Part of a list that is of interest, in bytes of whatever the list is of. */
struct window {
	uint64_t start, end;
	int (*each)(uint64_t start, uint64_t length, void *arg);
	void *arg;
};

/* One "SECTOR COUNT" of the list, cut to the window and counted from its start. */
static int tell_bad(const struct window *window, uint64_t sector, uint64_t count)
{
	uint64_t start = sector * SECTOR, end = start + count * SECTOR;

	if (start < window->start)
		start = window->start;
	if (end > window->end)
		end = window->end;
	return start < end ? window->each(start - window->start, end - start, window->arg) : 0;
}

/* The kernel shows a page of the list, and nothing says that there was more: a full page is suspect. */
static int read_bad(const char *directory, const struct window *window)
{
	char path[SYSFS_PATH_SIZE + 16], line[64];
	uint64_t sector, count;
	FILE *list;
	int result = 0;

	snprintf(path, sizeof(path), "%s/badblocks", directory);
	list = fopen(path, "re");
	if (!list && errno == ENOENT)
		return fail(ENODATA, "%s: not there: the device keeps no list of bad blocks", path);
	if (!list)
		return fail(errno, "%s: %m", path);
	while (result == 0 && fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%" SCNu64 " %" SCNu64, &sector, &count) == 2)
			result = tell_bad(window, sector, count);
	}
	if (result == 0 && ftell(list) > BADBLOCKS_SHOWN - (long)sizeof(line))
		result = fail(EOVERFLOW, "%s: the list is longer than the kernel shows", path);
	fclose(list);
	return result;
}

/* A partition has no list of its own: its disk's, from where it starts. */
static int bad_of_block_device(const char *device, struct window *window)
{
	char disk[SYSFS_PATH_SIZE + 16];
	uint64_t first, sectors;

	window->end = UINT64_MAX;
	if (!read_number(device, "start", &first))
		return read_bad(device, window);
	if (!read_number(device, "size", &sectors))
		return fail(ENODATA, "%s: no size", device);
	window->start = first * SECTOR;
	window->end = (first + sectors) * SECTOR;
	snprintf(disk, sizeof(disk), "%s/..", device);
	return read_bad(disk, window);
}

/* A device-dax has its region's list, from where it lies in the region; physical addresses are root's to read. */
static int bad_of_device_dax(const char *device, struct window *window)
{
	char region[SYSFS_PATH_SIZE];
	uint64_t region_start, start, size;

	snprintf(region, sizeof(region), "%s", device);
	if (!cut_after_region(region))
		return fail(ENODATA, "%s is in no NVDIMM region, and has no list of bad blocks", device);
	if (!read_number(region, "resource", &region_start) || !read_number(device, "resource", &start) ||
	    !read_number(device, "size", &size) || start < region_start)
		return fail(EACCES, "%s: where it lies in its region is not told; it may be told to root", device);
	window->start = start - region_start;
	window->end = window->start + size;
	return read_bad(region, window);
}

int sysfs_each_bad_of_region(const char *region, int (*each)(uint64_t start, uint64_t length, void *arg), void *arg)
{
	return read_bad(region, &(struct window){.end = UINT64_MAX, .each = each, .arg = arg});
}

int sysfs_each_bad(enum device_kind kind, unsigned major, unsigned minor,
		   int (*each)(uint64_t start, uint64_t length, void *arg), void *arg)
{
	char device[SYSFS_PATH_SIZE];
	struct window window = {.each = each, .arg = arg};

	if (!device_directory(kind, major, minor, device))
		return fail(ENODATA, "device %u:%u has no directory in /sys, and no list of bad blocks", major, minor);
	return kind == DEVICE_BLOCK ? bad_of_block_device(device, &window) : bad_of_device_dax(device, &window);
}
