/* file_system_double.h: a file system that is what the test says it is */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILE_SYSTEM_DOUBLE_H
#define FILE_SYSTEM_DOUBLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
	EXTENTS_MAX = 100,
	BLOCKS_MAX = 16,
};

struct told_extent {
	uint64_t logical, physical, length;
	uint32_t flags;
};

/* What the library is told of every file. The files themselves are real, and empty of all this. */
struct file_system_double {
	unsigned long magic; /* statfs */
	long block_size;
	bool grants_map_sync;
	bool refuses_private; /* MAP_PRIVATE: EINVAL, as device-dax does */
	uint64_t attributes;  /* statx */
	bool has_flags;       /* FS_IOC_FSGETXATTR and its twin */
	uint32_t flags;
	int error_of_flags; /* errno that setting them ends with */
	bool flags_were_set;
	struct told_extent extents[EXTENTS_MAX]; /* FIEMAP */
	unsigned extent_count;
	int error_of_extents; /* errno that FIEMAP ends with */
	bool bad[BLOCKS_MAX]; /* blocks of a page that cannot be read until they are punched out, or written */
	bool stays_bad;       /* even then */
	int error_of_read, error_of_punch, error_of_refill, error_of_write, error_of_sync;
	unsigned failing_writes; /* how many; then they work */
	/* the NVDIMM bus */
	uint64_t cleared_at, cleared_length; /* what was asked for */
	uint64_t clears_at_most;
	int error_of_clear;
	unsigned clear_status;
};

extern struct file_system_double file_system;

#endif
