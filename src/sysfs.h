/* sysfs.h: the only reader of /sys: what a device says of its persistent memory */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_SYSFS_H
#define PMEM_SYSFS_H

#include <pmem.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of a path in /sys: the deepest device of a large server takes some 200.
 * PATH_MAX for each would be the greater part of the library's stack.
 */
enum { SYSFS_PATH_SIZE = 512 };

enum device_kind {
	DEVICE_BLOCK,
	DEVICE_CHARACTER,
};

/*
 * Regions: directories of NVDIMM regions in /sys. A device-dax without one is
 * ordinary memory under another name. What a region says of itself may be
 * missing: the functions that return bool return false then.
 */

/* The region that a device is in; false if it is in none, or made of several devices. */
bool sysfs_region(enum device_kind kind, unsigned major, unsigned minor, char *directory, size_t size);

/* Calls each for every region that the device stores on. True if there is no other place that it stores on. */
bool sysfs_regions(enum device_kind kind, unsigned major, unsigned minor, void (*each)(const char *region, void *arg),
		   void *arg);

/* Calls each for the regions of the machine, until one returns other than 0, which is then the result. */
int sysfs_all_regions(int (*each)(const char *region, void *arg), void *arg);

enum pmem_domain sysfs_region_domain(const char *region);
bool sysfs_region_numa_node(const char *region, int *node);
bool sysfs_region_size(const char *region, uint64_t *size);
bool sysfs_region_unsafe_shutdowns(const char *region, uint64_t *count);     /* of all its NVDIMMs */
void sysfs_region_provider(const char *region, char *provider, size_t size); /* "ACPI.NFIT"; "" if unknown */
void sysfs_region_devices(const char *region, char *names, size_t size);     /* "pmem0 dax0.1" */

/* Of all regions that a device stores on: the weakest domain, the common node, the sum of counts. */
enum pmem_domain sysfs_domain(enum device_kind kind, unsigned major, unsigned minor);
bool sysfs_numa_node(enum device_kind kind, unsigned major, unsigned minor, int *node);
bool sysfs_unsafe_shutdowns(enum device_kind kind, unsigned major, unsigned minor, uint64_t *count);

/*
 * Is everything that the device stores on inside the processor's persistence
 * domain (eADR), so that caches need no flush? False where that is not known.
 */
bool sysfs_caches_are_persistent(enum device_kind kind, unsigned major, unsigned minor);

/*
 * Is the device, or one below it, memory that only the host can make durable,
 * when the kernel asks it to (virtio-pmem)?
 */
bool sysfs_is_virtio_pmem(enum device_kind kind, unsigned major, unsigned minor);

/* Pushes a region's write-pending queues to the media. 0, or -1 with errno; ENOTSUP where it has no such thing. */
int sysfs_deep_flush(const char *region);
bool sysfs_has_deep_flush(const char *region);

/* "pmem0"; false if the device has no directory. */
bool sysfs_device_name(enum device_kind kind, unsigned major, unsigned minor, char *name, size_t size);

enum direct_access {
	DIRECT_ACCESS_UNKNOWN,
	DIRECT_ACCESS_NO,
	DIRECT_ACCESS_YES,
};

/* Can a file system give direct access (DAX) to what is on this block device? */
enum direct_access sysfs_direct_access(unsigned major, unsigned minor);

/*
 * Calls each for the bad parts of a device, in bytes from its start, in order,
 * until one returns other than 0, which is then the result. -1 with errno and
 * message if the list cannot be had: ENODATA where none is kept, EACCES,
 * EOVERFLOW where the kernel shows only its beginning.
 */
int sysfs_each_bad(enum device_kind kind, unsigned major, unsigned minor,
		   int (*each)(uint64_t start, uint64_t length, void *arg), void *arg);
int sysfs_each_bad_of_region(const char *region, int (*each)(uint64_t start, uint64_t length, void *arg), void *arg);

/* Where a device-dax begins, as the processor and its bus see it; false where it is not told: root alone is. */
bool sysfs_physical_start(unsigned major, unsigned minor, uint64_t *start);

/* The number N of the bus "ndbusN" that a region is on. */
unsigned sysfs_bus_of_region(const char *region);

struct dax_device {
	uint64_t size;      /* bytes; st_size of a device-dax is 0 */
	uint64_t alignment; /* bytes; of offsets and lengths */
};

/* False if the character device is not a device-dax. */
bool sysfs_dax_device(unsigned major, unsigned minor, struct dax_device *dax);

#endif
