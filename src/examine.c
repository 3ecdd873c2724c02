/* examine.c: what a file is, found out by trying */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sources: the kernel's Documentation/filesystems/dax.rst, statx(2), and for
 * the meaning of dax= in mountinfo fs/ext4/super.c and fs/xfs/xfs_super.c.
 */
#define _GNU_SOURCE
#include "examine.h"

#include "failure.h"
#include "pages.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef STATX_ATTR_VERITY
#define STATX_ATTR_VERITY 0x00100000
#endif
#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif
#ifndef FS_XFLAG_DAX
#define FS_XFLAG_DAX 0x00008000
#endif

static int check_readable(int fd)
{
	const int status = fcntl(fd, F_GETFL);

	if (status < 0)
		return fail(errno, "descriptor %d: %m", fd);
	if (status & O_PATH)
		return fail(EBADF, "descriptor %d was opened with O_PATH", fd);
	if ((status & O_ACCMODE) == O_WRONLY)
		return fail(EACCES,
			    "descriptor %d is open for writing only; what the file is is found out by mapping it", fd);
	return 0;
}

int try_mapping(const struct examination *found, int protection, int flags)
{
	const size_t length = (size_t)found->target.alignment;
	void *at = mmap(NULL, length, protection, flags | MAP_NORESERVE, found->fd, 0);

	if (at != MAP_FAILED) {
		munmap(at, length);
		return 1;
	}
	if (errno == EOPNOTSUPP || errno == EINVAL || errno == ENODEV)
		return 0;
	return fail(errno, "trying a mapping of descriptor %d: %m", found->fd);
}

int examine(int fd, struct examination *found)
{
	const struct target *target = &found->target;
	int map_sync = 0;

	found->fd = fd;
	/* The type before the rights: a directory cannot be open for writing. */
	if (target_of(fd, &found->target) < 0 || check_readable(fd) < 0)
		return -1;
	if (target_may_be_pm(target) && !target->device_dax)
		map_sync = try_mapping(found, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC);
	if (map_sync < 0)
		return -1;
	classify_target(target, map_sync, &found->verdict);
	return 0;
}

/* --- Direct access ----------------------------------------------------------------------- */

/* What statx says of the file, 0 where it says nothing. */
static uint64_t attributes_of(int fd)
{
	struct statx status;

	return statx(fd, "", AT_EMPTY_PATH, 0, &status) == 0 ? status.stx_attributes : 0;
}

static bool has_direct_flag(int fd)
{
	struct fsxattr attributes;

	return ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 && (attributes.fsx_xflags & FS_XFLAG_DAX);
}

/* Of those that a program can meet on Linux, these two have a DAX flag and MAP_SYNC. */
static bool filesystem_has_direct_access(const char *name)
{
	return strcmp(name, "ext4") == 0 || strcmp(name, "xfs") == 0;
}

enum mount_choice { MOUNTED_BY_FILE, MOUNTED_ALWAYS, MOUNTED_NEVER };

/* "dax" alone is how kernels before 5.8 spelled "dax=always"; they had no flag that counted. */
static enum mount_choice mount_choice(const struct examination *found)
{
	char value[16];

	if (!proc_mount_option(found->target.major, found->target.minor, "dax", value, sizeof(value)))
		return MOUNTED_BY_FILE;
	if (strcmp(value, "never") == 0)
		return MOUNTED_NEVER;
	return strcmp(value, "inode") == 0 ? MOUNTED_BY_FILE : MOUNTED_ALWAYS;
}

static enum direct_obstacle obstacle_of_file(const struct examination *found, uint64_t attributes, bool by_file)
{
	if (attributes & STATX_ATTR_ENCRYPTED)
		return DIRECT_ENCRYPTED;
	if (attributes & STATX_ATTR_COMPRESSED)
		return DIRECT_COMPRESSED;
	if (attributes & STATX_ATTR_VERITY)
		return DIRECT_VERITY;
	if (!by_file)
		return DIRECT_OTHER;
	return has_direct_flag(found->fd) ? DIRECT_FLAG_WAITS : DIRECT_FLAG_OFF;
}

void find_obstacle(const struct examination *found, struct direct *direct)
{
	const uint64_t attributes = attributes_of(found->fd);
	const enum mount_choice choice = mount_choice(found);
	struct statfs mounted;

	direct->by_file = choice == MOUNTED_BY_FILE;
	direct->block_size = fstatfs(found->fd, &mounted) == 0 ? (uint64_t)mounted.f_bsize : page_size();
	if (attributes & STATX_ATTR_DAX)
		direct->obstacle = DIRECT_IN_EFFECT;
	else if (!filesystem_has_direct_access(found->target.filesystem))
		direct->obstacle = DIRECT_NO_FILESYSTEM;
	else if (sysfs_direct_access(found->target.major, found->target.minor) == DIRECT_ACCESS_NO)
		direct->obstacle = DIRECT_NO_DEVICE;
	else if (direct->block_size != page_size())
		direct->obstacle = DIRECT_BLOCK_SIZE;
	else if (choice == MOUNTED_NEVER)
		direct->obstacle = DIRECT_MOUNTED_NEVER;
	else
		direct->obstacle = obstacle_of_file(found, attributes, direct->by_file);
}
