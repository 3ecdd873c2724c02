/* classify.c: which media a mapping is on, and why */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "classify.h"

#include "arch/arch.h"
#include "failure.h"
#include "mode.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif

#define XFS_MAGIC      0x58465342
#define BCACHEFS_MAGIC 0xca451a4e
#define VIRTIOFS_MAGIC 0x65735546 /* all of FUSE */

static const struct filesystem {
	unsigned long magic;
	const char *name;
	bool is_volatile;
} filesystems[] = {
	{.magic = EXT4_SUPER_MAGIC, .name = "ext4"},
	{.magic = XFS_MAGIC, .name = "xfs"},
	{.magic = BTRFS_SUPER_MAGIC, .name = "btrfs"},
	{.magic = BCACHEFS_MAGIC, .name = "bcachefs"},
	{.magic = F2FS_SUPER_MAGIC, .name = "f2fs"},
	{.magic = OVERLAYFS_SUPER_MAGIC, .name = "overlayfs"},
	{.magic = NFS_SUPER_MAGIC, .name = "nfs"},
	{.magic = VIRTIOFS_MAGIC, .name = "fuse"},
	{.magic = TMPFS_MAGIC, .name = "tmpfs", .is_volatile = true},
	{.magic = RAMFS_MAGIC, .name = "ramfs", .is_volatile = true},
	{.magic = HUGETLBFS_MAGIC, .name = "hugetlbfs", .is_volatile = true},
};

enum { FILESYSTEMS = sizeof(filesystems) / sizeof(filesystems[0]) };

static const struct filesystem *filesystem_by_magic(unsigned long magic)
{
	for (size_t i = 0; i < FILESYSTEMS; i++) {
		if (filesystems[i].magic == magic)
			return &filesystems[i];
	}
	return NULL;
}

/* What a mapping's verdict depends on, whichever way it was learnt. */
struct evidence {
	bool shared;
	bool has_file;
	bool map_sync;
	bool device_dax;
	bool volatile_filesystem;
	const char *filesystem;
	enum device_kind kind;
	unsigned major, minor; /* the device that holds the data */
};

static void decide(struct verdict *verdict, enum media media, enum cpu_work work, enum reason reason)
{
	verdict->media = media;
	verdict->cpu_work = work == CPU_FLUSH && mode_caches() == CACHES_PERSISTENT ? CPU_FENCE : work;
	verdict->reason = reason;
}

/* The caches of the region that holds the data may be persistent themselves (eADR). */
static void decide_pm(struct verdict *verdict, const struct evidence *evidence)
{
	/* XFS may keep a file's data on a second device, whose region we do not know. */
	const bool one_device = strcmp(evidence->filesystem, "xfs") != 0;
	const bool persistent_caches = mode_caches() != CACHES_VOLATILE && one_device &&
				       sysfs_caches_are_persistent(evidence->kind, evidence->major, evidence->minor);

	decide(verdict, MEDIA_PM, persistent_caches ? CPU_FENCE : CPU_FLUSH, REASON_PM);
}

static void decide_device_dax(struct verdict *verdict, const struct evidence *evidence)
{
	char region[SYSFS_PATH_SIZE];

	verdict->device_dax = true;
	if (!sysfs_region(evidence->kind, evidence->major, evidence->minor, region, sizeof(region)))
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_DAX_OF_RAM);
	else if (sysfs_is_virtio_pmem(evidence->kind, evidence->major, evidence->minor))
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_DAX_OF_HOST);
	else if (!cpu.proven)
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_DAX_NO_FLUSH);
	else
		decide_pm(verdict, evidence);
}

/*
 * virtio-pmem refuses MAP_SYNC, but Linux (6.1 seen) forgets to clear the mark
 * that permits it when the structure of an NVDIMM that went away is used again.
 */
static void classify(const struct evidence *evidence, struct verdict *verdict)
{
	verdict->device_dax = false;
	if (mode_now() == MODE_FORCE)
		decide(verdict, MEDIA_PM, CPU_FLUSH, REASON_FORCED);
	else if (!evidence->has_file)
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_NO_FILE);
	else if (!evidence->shared)
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_PRIVATE);
	else if (evidence->device_dax)
		decide_device_dax(verdict, evidence);
	else if (evidence->volatile_filesystem)
		decide(verdict, MEDIA_VOLATILE, CPU_FLUSH, REASON_FILESYSTEM);
	else if (mode_now() == MODE_MSYNC)
		decide(verdict, MEDIA_PAGE, CPU_NOT_ENOUGH, REASON_MSYNC);
	else if (!cpu.proven)
		decide(verdict, MEDIA_PAGE, CPU_NOT_ENOUGH, REASON_NO_FLUSH);
	else if (!evidence->map_sync)
		decide(verdict, MEDIA_PAGE, CPU_NOT_ENOUGH, REASON_NO_MAP_SYNC);
	else if (sysfs_is_virtio_pmem(evidence->kind, evidence->major, evidence->minor))
		decide(verdict, MEDIA_PAGE, CPU_NOT_ENOUGH, REASON_VIRTIO_MISTAKE);
	else
		decide_pm(verdict, evidence);
}

enum pmem_granularity granularity_of(enum media media, enum cpu_work work)
{
	switch (media) {
	case MEDIA_PM:
		return work == CPU_FENCE ? PMEM_GRANULARITY_BYTE : PMEM_GRANULARITY_CACHE_LINE;
	case MEDIA_PAGE:
		return PMEM_GRANULARITY_PAGE;
	case MEDIA_VOLATILE:
	case MEDIA_FIT:
		break;
	}
	return PMEM_GRANULARITY_NONE;
}

static int describe_device(const struct stat *status, struct target *target)
{
	struct dax_device dax;

	target->kind = DEVICE_CHARACTER;
	target->major = major(status->st_rdev);
	target->minor = minor(status->st_rdev);
	if (!S_ISCHR(status->st_mode) || !sysfs_dax_device(target->major, target->minor, &dax))
		return fail(ENODEV, "only regular files and device-dax can be mapped");
	target->device_dax = true;
	target->alignment = dax.alignment;
	target->size = dax.size;
	target->filesystem = "device-dax";
	return 0;
}

static void describe_file(const struct stat *status, const struct statfs *mounted, struct target *target)
{
	const struct filesystem *filesystem = filesystem_by_magic((unsigned long)mounted->f_type);

	target->kind = DEVICE_BLOCK;
	target->major = major(status->st_dev);
	target->minor = minor(status->st_dev);
	target->filesystem = filesystem ? filesystem->name : "";
	target->volatile_filesystem = filesystem && filesystem->is_volatile;
	target->alignment = mounted->f_type == HUGETLBFS_MAGIC ? (uint64_t)mounted->f_bsize : page_size();
	target->size = (uint64_t)status->st_size;
}

int target_of(int fd, struct target *target)
{
	struct statfs mounted;

	memset(target, 0, sizeof(*target));
	if (fstat(fd, &target->status) < 0)
		return fail(errno, "descriptor %d: %m", fd);
	if (!S_ISREG(target->status.st_mode))
		return describe_device(&target->status, target);
	if (fstatfs(fd, &mounted) < 0)
		return fail(errno, "the file system of descriptor %d: %m", fd);
	describe_file(&target->status, &mounted, target);
	return 0;
}

bool target_may_be_pm(const struct target *target)
{
	return cpu.proven && !target->volatile_filesystem && mode_now() == MODE_BEST;
}

bool file_may_be_dax(int fd)
{
	struct statx status;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) < 0 ||
	       !(status.stx_attributes_mask & STATX_ATTR_DAX) || (status.stx_attributes & STATX_ATTR_DAX);
}

void classify_target(const struct target *target, bool map_sync_accepted, struct verdict *verdict)
{
	const struct evidence evidence = {
		.shared = true,
		.has_file = true,
		.map_sync = map_sync_accepted,
		.device_dax = target->device_dax,
		.volatile_filesystem = target->volatile_filesystem,
		.filesystem = target->filesystem,
		.kind = target->kind,
		.major = target->major,
		.minor = target->minor,
	};

	classify(&evidence, verdict);
	if (mode_now() == MODE_FIT)
		decide(verdict, MEDIA_FIT, CPU_NOT_ENOUGH, REASON_FIT);
}

/* --- Mappings that somebody else made ------------------------------------------------ */

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Memory that only looks like a file: the kernel's own tmpfs is mounted nowhere. */
static bool is_memory_object(const struct vma *vma)
{
	return starts_with(vma->path, "/memfd:") || starts_with(vma->path, "/SYSV") ||
	       strcmp(vma->path, "/dev/zero (deleted)") == 0 || starts_with(vma->path, "/anon_hugepage");
}

static bool is_volatile_name(const char *name)
{
	for (size_t i = 0; i < FILESYSTEMS; i++) {
		if (strcmp(filesystems[i].name, name) == 0)
			return filesystems[i].is_volatile;
	}
	return false;
}

bool vma_is_of(const struct vma *vma, const struct stat *status)
{
	return status->st_ino == vma->inode &&
	       (status->st_dev == makedev(vma->major, vma->minor) || (vma->major == 0 && major(status->st_dev) == 0));
}

/* The link is exact, and there for unlinked files too, but only for privileged processes. */
static int open_map_file(const struct vma *vma)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/map_files/%lx-%lx", (unsigned long)vma->start,
		 (unsigned long)vma->end);
	return open(link, O_PATH | O_CLOEXEC);
}

int vma_open(const struct vma *vma, struct stat *status)
{
	int fd = open_map_file(vma);

	if (fd < 0)
		fd = open(vma->path, O_PATH | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, status) == 0 && vma_is_of(vma, status))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool device_of_vma(const struct vma *vma, struct stat *status)
{
	const int fd = vma->shared && vma->inode ? vma_open(vma, status) : -1;

	if (fd < 0)
		return false;
	close(fd);
	return S_ISCHR(status->st_mode);
}

bool vma_is_device_dax(const struct vma *vma)
{
	struct stat status;
	struct dax_device dax;

	return device_of_vma(vma, &status) && sysfs_dax_device(major(status.st_rdev), minor(status.st_rdev), &dax);
}

void classify_vma(const struct vma *vma, struct verdict *verdict)
{
	char filesystem[32] = "";
	struct stat status;
	struct dax_device dax;
	struct evidence evidence = {
		.shared = vma->shared,
		.has_file = vma->inode != 0 && !is_memory_object(vma),
		.map_sync = vma->map_sync,
		.filesystem = filesystem,
		.kind = DEVICE_BLOCK,
		.major = vma->major,
		.minor = vma->minor,
	};

	if (device_of_vma(vma, &status)) {
		evidence.kind = DEVICE_CHARACTER;
		evidence.major = major(status.st_rdev);
		evidence.minor = minor(status.st_rdev);
		evidence.device_dax = sysfs_dax_device(evidence.major, evidence.minor, &dax);
	} else if (evidence.has_file) {
		proc_filesystem(vma->major, vma->minor, filesystem, sizeof(filesystem));
		evidence.volatile_filesystem = is_volatile_name(filesystem);
	}
	classify(&evidence, verdict);
}
