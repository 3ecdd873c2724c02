/* examine.h: what a file is, found out by trying */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_EXAMINE_H
#define PMEM_EXAMINE_H

#include "classify.h"

struct examination {
	int fd;
	struct target target;
	struct verdict verdict; /* of what pmem_map() would make of it now */
};

/*
 * Examines the file that fd is open on. Tries MAP_SYNC by mapping its first
 * page, which touches nothing. 0, or -1 with errno and message: EBADF, EACCES
 * (open for writing only), ENODEV, or an error of mmap.
 */
int examine(int fd, struct examination *found);

/* Can the file be mapped in this way? Maps its first unit, and unmaps it. 1 or 0, or -1 with errno and message. */
int try_mapping(const struct examination *found, int protection, int flags);

/*
 * What decides whether a file system gives direct access (DAX) to a file, in the
 * order in which it is asked.
 */
enum direct_obstacle {
	DIRECT_IN_EFFECT,     /* there is none */
	DIRECT_NO_FILESYSTEM, /* this file system never gives it */
	DIRECT_NO_DEVICE,     /* the device is not memory */
	DIRECT_BLOCK_SIZE,    /* blocks are no pages */
	DIRECT_MOUNTED_NEVER, /* dax=never */
	DIRECT_ENCRYPTED,     /* what is in memory is not what a program wants to see */
	DIRECT_COMPRESSED,
	DIRECT_VERITY,
	DIRECT_FLAG_OFF,   /* by file, and not for this one */
	DIRECT_FLAG_WAITS, /* for this one too, once all have closed it */
	DIRECT_OTHER,
};

struct direct {
	enum direct_obstacle obstacle;
	bool by_file;        /* the file's flag decides */
	uint64_t block_size; /* bytes */
};

/* Asks the file system and the device; regular files only. */
void find_obstacle(const struct examination *found, struct direct *direct);

#endif
