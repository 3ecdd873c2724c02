/* file_system_double.h: a file system that is what the test says it is */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FILE_SYSTEM_DOUBLE_H
#define FILE_SYSTEM_DOUBLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

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
};

extern struct file_system_double file_system;

#endif
