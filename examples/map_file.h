/* map_file.h: how journal and words open their file: made if it is not there, mapped whole */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MAP_FILE_H
#define MAP_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((noreturn)) static inline void die(const char *path, const char *message)
{
	fprintf(stderr, "%s: %s\n", path, message);
	exit(1);
}

/* *size is that of a new file, and of a device-dax; a file that is there has its own. Blocks are allocated now. */
static inline void *map_file(const char *path, size_t *size)
{
	const int fd = open(path, O_RDWR | O_CREAT, 0666);
	struct stat status;
	void *base;

	if (fd < 0 || fstat(fd, &status) < 0)
		die(path, strerror(errno));
	if (S_ISREG(status.st_mode) && status.st_size > 0)
		*size = (size_t)status.st_size;
	else if (S_ISREG(status.st_mode) && (errno = posix_fallocate(fd, 0, (off_t)*size)) != 0)
		die(path, strerror(errno));
	base = pmem_map(fd, *size);
	if (!base)
		die(path, pmem_errormsg());
	close(fd);
	return base;
}

#endif
