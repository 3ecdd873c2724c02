/* sysfs.h: the only reader of /sys: what a device says of its persistent memory */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_SYSFS_H
#define PMEM_SYSFS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum device_kind {
	DEVICE_BLOCK,
	DEVICE_CHARACTER,
};

/*
 * Is everything that the device stores on inside the processor's persistence
 * domain (eADR), so that caches need no flush? True only if each NVDIMM region
 * below it says "cpu_cache"; false where that is not known.
 */
bool sysfs_caches_are_persistent(enum device_kind kind, unsigned major, unsigned minor);

/*
 * Is the device, or one below it, memory that only the host can make durable,
 * when the kernel asks it to (virtio-pmem)?
 */
bool sysfs_is_virtio_pmem(enum device_kind kind, unsigned major, unsigned minor);

/*
 * Finds the NVDIMM region that a device is in. False if it is in none: a
 * device-dax without one is ordinary memory under another name.
 */
bool sysfs_region(enum device_kind kind, unsigned major, unsigned minor, char *directory, size_t size);

/* Pushes a region's write-pending queues to the media. 0, or -1 with errno; ENOTSUP where it has no such thing. */
int sysfs_deep_flush(const char *region);

struct dax_device {
	uint64_t size;      /* bytes; st_size of a device-dax is 0 */
	uint64_t alignment; /* bytes; of offsets and lengths */
};

/* False if the character device is not a device-dax. */
bool sysfs_dax_device(unsigned major, unsigned minor, struct dax_device *dax);

#endif
