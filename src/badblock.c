/* badblock.c: which bytes of a file the kernel knows to be lost */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bad blocks are told by device; FIEMAP tells where on its device a file is.
 * Source: the kernel's Documentation/filesystems/fiemap.rst.
 */
#include "badblock.h"

#include "cancel.h"
#include "failure.h"
#include "pages.h"
#include "sysfs.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pmem.h>
#include <string.h>
#include <sys/ioctl.h>

#ifndef FS_XFLAG_REALTIME
#define FS_XFLAG_REALTIME 0x00000001
#endif

enum {
	LIST_MAX = 1024, /* the kernel shows a page of lines of 4 characters at least */
	EXTENTS_AT_ONCE = 32,
};

struct range {
	uint64_t start, end; /* bytes */
};

struct bad_list {
	struct range at[LIST_MAX];
	unsigned count;
};

static int add_bad(uint64_t start, uint64_t length, void *arg)
{
	struct bad_list *list = arg;

	if (list->count < LIST_MAX)
		list->at[list->count++] = (struct range){start, start + length};
	return 0;
}

/* Joins adjacent ranges before they are told. */
struct teller {
	int (*each)(off_t offset, size_t len, void *arg);
	void *arg;
	struct range kept; /* empty: none */
};

static int tell_kept(struct teller *teller)
{
	const struct range kept = teller->kept;

	teller->kept = (struct range){0, 0};
	return kept.start < kept.end ? teller->each((off_t)kept.start, (size_t)(kept.end - kept.start), teller->arg)
				     : 0;
}

static int tell(struct teller *teller, uint64_t start, uint64_t end)
{
	int result = 0;

	if (teller->kept.end == start && teller->kept.start < start) {
		teller->kept.end = end;
		return 0;
	}
	result = tell_kept(teller);
	teller->kept = (struct range){start, end};
	return result;
}

/* The lost bytes of one extent, as offsets in the file, up to the file's last page. */
static int tell_extent(struct teller *teller, const struct bad_list *list, const struct fiemap_extent *extent,
		       uint64_t limit)
{
	const uint64_t physical = extent->fe_physical;
	const uint64_t last = extent->fe_logical < limit ? limit - extent->fe_logical : 0;
	const uint64_t length = extent->fe_length < last ? extent->fe_length : last;
	int result = 0;

	for (unsigned i = 0; result == 0 && i < list->count; i++) {
		const struct range *bad = &list->at[i];
		const uint64_t start = bad->start > physical ? bad->start : physical;
		const uint64_t end = bad->end < physical + length ? bad->end : physical + length;

		if (start < end)
			result = tell(teller, extent->fe_logical + (start - physical),
				      extent->fe_logical + (end - physical));
	}
	return result;
}

/* An extent that has no place yet has nothing to lose. */
static bool has_place(const struct fiemap_extent *extent)
{
	return !(extent->fe_flags & (FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC));
}

/* The next extents from an offset on; *next is where to go on, the limit at the end. */
static int tell_extents(int fd, struct teller *teller, const struct bad_list *list, uint64_t limit, uint64_t *next)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + EXTENTS_AT_ONCE * sizeof(struct fiemap_extent)];
	} query;
	const struct fiemap_extent *extent = query.map.fm_extents;
	const struct fiemap_extent *end;
	int result = 0;

	memset(&query, 0, sizeof(query));
	query.map.fm_start = *next;
	query.map.fm_length = limit - *next;
	query.map.fm_flags = FIEMAP_FLAG_SYNC; /* without it, data that waits for a place is told as if at 0 */
	query.map.fm_extent_count = EXTENTS_AT_ONCE;
	if (ioctl(fd, FS_IOC_FIEMAP, &query.map) < 0)
		return fail(errno, "the file's extents: %m");
	*next = limit;
	end = extent + query.map.fm_mapped_extents;
	for (; result == 0 && extent < end; extent++) {
		if (has_place(extent))
			result = tell_extent(teller, list, extent, limit);
		*next = extent->fe_flags & FIEMAP_EXTENT_LAST ? limit : extent->fe_logical + extent->fe_length;
	}
	return result;
}

/* Is what FIEMAP says a place on the device that stat names? Btrfs and overlays answer for other devices. */
static int check_place(int fd, const struct target *target)
{
	struct fsxattr attributes;

	if (strcmp(target->filesystem, "ext4") != 0 && strcmp(target->filesystem, "xfs") != 0)
		return fail(ENODATA, "where on its device a file of %s is, is not known",
			    target->filesystem[0] ? target->filesystem : "this file system");
	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0 && (attributes.fsx_xflags & FS_XFLAG_REALTIME))
		return fail(ENODATA, "the file is on the realtime device of its file system, which is not known");
	return 0;
}

static int each_bad_of_file(int fd, const struct target *target, const struct bad_list *list, struct teller *teller)
{
	const uint64_t limit = page_up(target->size);
	uint64_t next = 0;
	int result = 0;

	while (result == 0 && next < limit)
		result = tell_extents(fd, teller, list, limit, &next);
	return result ? result : tell_kept(teller);
}

static int each_bad_of_device(const struct bad_list *list, struct teller *teller)
{
	int result = 0;

	for (unsigned i = 0; result == 0 && i < list->count; i++)
		result = tell(teller, list->at[i].start, list->at[i].end);
	return result ? result : tell_kept(teller);
}

int each_bad_range(int fd, const struct target *target, int (*each)(off_t offset, size_t len, void *arg), void *arg)
{
	struct teller teller = {.each = each, .arg = arg};
	struct bad_list list = {.count = 0};
	int result = 0, listed;

	if (!target->device_dax && check_place(fd, target) < 0)
		return -1;
	listed = sysfs_each_bad(target->kind, target->major, target->minor, add_bad, &list);
	if (listed < 0 && errno != EOVERFLOW)
		return -1;
	if (list.count > 0)
		result = target->device_dax ? each_bad_of_device(&list, &teller)
					    : each_bad_of_file(fd, target, &list, &teller);
	if (result == 0 && listed < 0)
		return fail(EOVERFLOW, "the list of bad blocks is longer than the kernel shows");
	return result;
}

int pmem_bad_ranges(int fd, int (*each)(off_t offset, size_t len, void *arg), void *arg)
{
	const int cancel = cancel_forbid();
	struct target target;
	int result = -1;

	if (target_of(fd, &target) == 0)
		result = each_bad_range(fd, &target, each, arg);
	cancel_allow(cancel);
	return result;
}
