/* classify.h: which media a mapping is on, and why */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CLASSIFY_H
#define PMEM_CLASSIFY_H

#include "mapping.h"
#include "proc.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { WHY_SIZE = 160 };

struct verdict {
	enum media media;
	enum cpu_work cpu_work;
	bool device_dax;
	char why[WHY_SIZE]; /* for people: what the media is, or what keeps it from being persistent memory */
};

/* What is known of a file before it is mapped. */
struct target {
	struct stat status;
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

/* The media of a shared mapping of the target. */
void classify_target(const struct target *target, bool map_sync_accepted, struct verdict *verdict);

/* The media of a mapping that exists; reads smaps' flags. */
void classify_vma(const struct vma *vma, struct verdict *verdict);

/* Needs the path of a VMA_BRIEF only. */
bool vma_is_device_dax(const struct vma *vma);

/*
 * A descriptor (O_PATH) of the file that is mapped there, with its status; -1
 * if it cannot be had or is not surely the same file.
 */
int vma_open(const struct vma *vma, struct stat *status);

#endif
