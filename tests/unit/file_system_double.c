/* file_system_double.c: a file system that is what the test says it is */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "file_system_double.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/ndctl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

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
ssize_t __wrap_pread64(int fd, void *to, size_t length, off_t offset);
ssize_t __real_pread64(int fd, void *to, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t length, off_t offset);
ssize_t __real_pwrite64(int fd, const void *from, size_t length, off_t offset);
int __wrap_fallocate64(int fd, int mode, off_t offset, off_t length);
int __real_fallocate64(int fd, int mode, off_t offset, off_t length);
int __wrap_fsync(int fd);
int __real_fsync(int fd);

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

static int fail_with(int error)
{
	errno = error;
	return -1;
}

static int set_flags(const struct fsxattr *attributes)
{
	if (file_system.error_of_flags)
		return fail_with(file_system.error_of_flags);
	file_system.flags = attributes->fsx_xflags;
	file_system.flags_were_set = true;
	return 0;
}

static int get_flags(struct fsxattr *attributes)
{
	memset(attributes, 0, sizeof(*attributes));
	attributes->fsx_xflags = file_system.flags;
	return 0;
}

/* Without FIEMAP_FLAG_SYNC no extent has a place, as if nothing had been written back. */
static int tell_extents(struct fiemap *map)
{
	const uint64_t end = map->fm_start + map->fm_length;

	if (file_system.error_of_extents)
		return fail_with(file_system.error_of_extents);
	map->fm_mapped_extents = 0;
	for (unsigned i = 0; i < file_system.extent_count && map->fm_mapped_extents < map->fm_extent_count; i++) {
		const struct told_extent *told = &file_system.extents[i];
		struct fiemap_extent *extent = &map->fm_extents[map->fm_mapped_extents];

		if (told->logical >= end || told->logical + told->length <= map->fm_start)
			continue;
		map->fm_mapped_extents++;
		memset(extent, 0, sizeof(*extent));
		extent->fe_logical = told->logical;
		extent->fe_length = told->length;
		extent->fe_physical = map->fm_flags & FIEMAP_FLAG_SYNC ? told->physical : 0;
		extent->fe_flags = told->flags | (map->fm_flags & FIEMAP_FLAG_SYNC ? 0 : FIEMAP_EXTENT_DELALLOC) |
				   (i + 1 == file_system.extent_count ? FIEMAP_EXTENT_LAST : 0);
	}
	return 0;
}

static int clear_on_bus(struct nd_cmd_clear_error *command)
{
	if (file_system.error_of_clear)
		return fail_with(file_system.error_of_clear);
	file_system.cleared_at = command->address;
	file_system.cleared_length = command->length;
	command->status = file_system.clear_status;
	command->cleared = command->length < file_system.clears_at_most ? command->length : file_system.clears_at_most;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	(void)fd;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (file_system.has_flags && request == FS_IOC_FSGETXATTR)
		return get_flags(argument);
	if (file_system.has_flags && request == FS_IOC_FSSETXATTR)
		return set_flags(argument);
	if (request == FS_IOC_FIEMAP)
		return tell_extents(argument);
	if (request == ND_IOCTL_CLEAR_ERROR)
		return clear_on_bus(argument);
	return fail_with(ENOTTY);
}

/* --- Blocks that cannot be read --------------------------------------------------------------- */

static size_t block_of(off_t offset)
{
	return (size_t)offset / (size_t)sysconf(_SC_PAGESIZE);
}

/* Is some block of the range bad? */
static bool is_bad(off_t offset, size_t length)
{
	for (size_t i = block_of(offset); length > 0 && i <= block_of(offset + (off_t)length - 1); i++) {
		if (i < BLOCKS_MAX && file_system.bad[i])
			return true;
	}
	return false;
}

ssize_t __wrap_pread64(int fd, void *to, size_t length, off_t offset)
{
	if (file_system.error_of_read)
		return fail_with(file_system.error_of_read);
	return is_bad(offset, length) ? fail_with(EIO) : __real_pread64(fd, to, length, offset);
}

ssize_t __wrap_pwrite64(int fd, const void *from, size_t length, off_t offset)
{
	if (file_system.error_of_write && file_system.failing_writes > 0) {
		file_system.failing_writes--;
		return fail_with(file_system.error_of_write);
	}
	return __real_pwrite64(fd, from, length, offset);
}

int __wrap_fallocate64(int fd, int mode, off_t offset, off_t length)
{
	const bool punch = mode & FALLOC_FL_PUNCH_HOLE;
	const int error = punch ? file_system.error_of_punch : file_system.error_of_refill;

	if (error)
		return fail_with(error);
	for (size_t i = block_of(offset); punch && !file_system.stays_bad && i < block_of(offset + length); i++)
		file_system.bad[i] = false;
	return __real_fallocate64(fd, mode, offset, length);
}

int __wrap_fsync(int fd)
{
	return file_system.error_of_sync ? fail_with(file_system.error_of_sync) : __real_fsync(fd);
}
