/* file_system_double.c: a file system that is what the test says it is */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "file_system_double.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif

struct file_system_double file_system;

/* The linker puts these between the library and libc (--wrap); with large files they have these names. */
void *__wrap_mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset);
void *__real_mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset);
int __wrap_statx(int fd, const char *path, int flags, unsigned mask, struct statx *status);
int __wrap_fstatfs64(int fd, struct statfs *status);
int __real_fstatfs64(int fd, struct statfs *status);
int __wrap_ioctl(int fd, unsigned long request, ...);

void *__wrap_mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset)
{
	if (fd < 0)
		return __real_mmap64(at, length, protection, flags, fd, offset);
	if ((flags & MAP_SYNC) && !file_system.grants_map_sync) {
		errno = EOPNOTSUPP;
		return MAP_FAILED;
	}
	if ((flags & MAP_PRIVATE) && (flags & MAP_TYPE) == MAP_PRIVATE && file_system.refuses_private) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (flags & MAP_SYNC)
		flags = (flags & ~(MAP_SYNC | MAP_TYPE)) | MAP_SHARED;
	return __real_mmap64(at, length, protection, flags, fd, offset);
}

int __wrap_statx(int fd, const char *path, int flags, unsigned mask, struct statx *status)
{
	(void)fd;
	(void)path;
	(void)flags;
	(void)mask;
	memset(status, 0, sizeof(*status));
	status->stx_attributes = file_system.attributes;
	return 0;
}

int __wrap_fstatfs64(int fd, struct statfs *status)
{
	const int result = __real_fstatfs64(fd, status);

	if (result == 0) {
		status->f_type = (__fsword_t)file_system.magic;
		status->f_bsize = file_system.block_size;
	}
	return result;
}

static int set_flags(const struct fsxattr *attributes)
{
	if (file_system.error_of_flags) {
		errno = file_system.error_of_flags;
		return -1;
	}
	file_system.flags = attributes->fsx_xflags;
	file_system.flags_were_set = true;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct fsxattr *attributes;
	va_list arguments;

	(void)fd;
	va_start(arguments, request);
	attributes = va_arg(arguments, struct fsxattr *);
	va_end(arguments);
	if (file_system.has_flags && request == FS_IOC_FSGETXATTR) {
		memset(attributes, 0, sizeof(*attributes));
		attributes->fsx_xflags = file_system.flags;
		return 0;
	}
	if (file_system.has_flags && request == FS_IOC_FSSETXATTR)
		return set_flags(attributes);
	errno = ENOTTY;
	return -1;
}
