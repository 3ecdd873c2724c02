/* proc.h: the only reader of /proc */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_PROC_H
#define PMEM_PROC_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One line of /proc/self/maps. */
struct vma {
	uintptr_t start, end;
	bool readable;
	bool shared;
	bool map_sync; /* smaps only: made with MAP_SYNC */
	off_t offset;
	unsigned major, minor; /* of the file system, as the kernel numbers it; 0:0 without a file */
	ino_t inode;
	char path[PATH_MAX]; /* "" without a name; ends in " (deleted)" when unlinked */
};

enum vma_detail {
	VMA_BRIEF, /* /proc/self/maps */
	VMA_FLAGS, /* /proc/self/smaps: slower, and has map_sync */
};

/*
 * Calls each for every part of [start, end) that is mapped, in order, until
 * one returns other than 0, which is then the result. -1 with errno set if
 * /proc cannot be read. Allocates nothing.
 */
int proc_each_vma(uintptr_t start, uintptr_t end, enum vma_detail detail, int (*each)(const struct vma *vma, void *arg),
		  void *arg);

/* Fills in the name of the file system mounted from a device; false if it is not mounted anywhere. */
bool proc_filesystem(unsigned major, unsigned minor, char *name, size_t size);

/*
 * Fills in the value of an option with which the file system on a device is
 * mounted, "" if it has none; false if the option is not there.
 */
bool proc_mount_option(unsigned major, unsigned minor, const char *option, char *value, size_t size);

/* Does the kernel go on after a memory error, and tell those that it concerns? False in *known where it cannot be read. */
bool proc_memory_failure_recovery(bool *known);

/* The path that a descriptor is open on, "" if it cannot be told. */
void proc_descriptor_path(int fd, char *path, size_t size);

/* Opens anew the file that fd is open on, unlinked or not; -1 with errno. */
int proc_reopen(int fd, int flags);

#endif
