/* classify.h: which media a mapping is on, and why */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CLASSIFY_H
#define PMEM_CLASSIFY_H

#include "mapping.h"
#include "proc.h"
#include "sysfs.h"

#include <pmem.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* Why a mapping is on the media that it is on; explain.c has the words. */
enum reason {
	REASON_PM,             /* MAP_SYNC granted, or a device-dax in an NVDIMM region */
	REASON_FORCED,         /* PMEM_IS_PMEM_FORCE=1 */
	REASON_NO_FILE,        /* anonymous memory */
	REASON_PRIVATE,        /* stores stay in this process */
	REASON_FILESYSTEM,     /* it keeps files in memory only */
	REASON_DAX_OF_RAM,     /* a device-dax in no NVDIMM region */
	REASON_DAX_OF_HOST,    /* a device-dax of virtio-pmem: the host cannot be asked */
	REASON_DAX_NO_FLUSH,   /* a device-dax, and a processor without a proven flush */
	REASON_FIT,            /* pmem_fit_mode() */
	REASON_MSYNC,          /* pmem_msync_mode(), or PMEM_IS_PMEM_FORCE=0 */
	REASON_NO_FLUSH,       /* the processor has no proven flush */
	REASON_NO_MAP_SYNC,    /* refused, or not asked for */
	REASON_VIRTIO_MISTAKE, /* MAP_SYNC granted by a kernel that must not */
};

struct verdict {
	enum media media;
	enum cpu_work cpu_work;
	bool device_dax;
	enum reason reason;
};

/* What is known of a file before it is mapped. */
struct target {
	struct stat status;
	enum device_kind kind; /* the device that holds the data */
	unsigned major, minor;
	bool device_dax;
	const char *filesystem; /* "" where the name is not known */
	bool volatile_filesystem;
	uint64_t alignment; /* bytes; of offsets, and of lengths on device-dax and hugetlbfs */
	uint64_t size;      /* bytes */
};

/* 0, or -1 with errno EBADF, or ENODEV: nothing that can be mapped. The message is set. */
int target_of(int fd, struct target *target);

/* Is MAP_SYNC worth trying? Not where nothing would come of it. */
bool target_may_be_pm(const struct target *target);

/*
 * False where the kernel says (since Linux 5.10) that a file is not DAX: it
 * refuses MAP_SYNC then, and asking statx is cheaper than asking mmap. That a
 * file is DAX says nothing: virtio-pmem's are.
 */
bool file_may_be_dax(int fd);

/* The media of a shared mapping of the target. */
void classify_target(const struct target *target, bool map_sync_accepted, struct verdict *verdict);

/* The unit in which stores become durable on a media with this work for the processor. */
enum pmem_granularity granularity_of(enum media media, enum cpu_work work);

/* The media of a mapping that exists; reads smaps' flags. */
void classify_vma(const struct vma *vma, struct verdict *verdict);

/* Needs the path of a VMA_BRIEF only. */
bool vma_is_device_dax(const struct vma *vma);

/*
 * Is it a mapping of that file? The kernel shows the super block's device; stat
 * of a file of btrfs or an overlay shows another: two of those with one inode
 * number are taken for the same.
 */
bool vma_is_of(const struct vma *vma, const struct stat *status);

/*
 * A descriptor (O_PATH) of the file that is mapped there, with its status; -1
 * if it cannot be had or is not surely the same file.
 */
int vma_open(const struct vma *vma, struct stat *status);

#endif
