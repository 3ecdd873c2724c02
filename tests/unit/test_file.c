/* test_file.c: files on the file system under test, and what a mapping there must be */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *directory(void)
{
	const char *given = getenv("PMEM_TEST_DIR");

	return given ? given : "/dev/shm";
}

static void stop(const char *what)
{
	fprintf(stderr, "# %s: %s\n", what, strerror(errno));
	abort();
}

static int make_file(const char *in, size_t size, char path[4096])
{
	int fd;

	snprintf(path, 4096, "%s/pmem-test-XXXXXX", in);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		stop(path);
	errno = size ? posix_fallocate(fd, 0, (off_t)size) : 0;
	if (errno != 0)
		stop("posix_fallocate");
	return fd;
}

int test_file_at(size_t size, char path[4096])
{
	return make_file(directory(), size, path);
}

int test_file(size_t size)
{
	char path[4096];
	const int fd = make_file(directory(), size, path);

	unlink(path);
	return fd;
}

int test_disk_file(size_t size)
{
	const char *disk = getenv("PMEM_TEST_DISK");
	char path[4096];
	const int fd = make_file(disk ? disk : ".", size, path);

	unlink(path);
	return fd;
}

enum pmem_granularity expected_granularity(void)
{
	const char *name = getenv("PMEM_TEST_GRANULARITY");

	if (!name || strcmp(name, "none") == 0)
		return PMEM_GRANULARITY_NONE;
	if (strcmp(name, "page") == 0)
		return PMEM_GRANULARITY_PAGE;
	if (strcmp(name, "line") == 0)
		return PMEM_GRANULARITY_CACHE_LINE;
	if (strcmp(name, "byte") == 0)
		return PMEM_GRANULARITY_BYTE;
	fprintf(stderr, "# PMEM_TEST_GRANULARITY=%s: byte, line, page or none\n", name);
	abort();
}

size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* ".", ".." and the directory itself */

	if (!dir)
		stop("/proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
