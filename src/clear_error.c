/* clear_error.c: gives lost bytes of a file back to use, as zeros */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A block that has an error is punched out of the file, so that the file system
 * takes another one, or clears the error when it writes zeros to this one.
 */
#define _GNU_SOURCE
#include "clear_error.h"

#include "badblock.h"
#include "cancel.h"
#include "failure.h"
#include "pages.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pmem.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	SECTOR = 512,
	TRIES = 16, /* to get good blocks */
};

static uint64_t min_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t unit_down(const struct clearing *clearing, uint64_t at)
{
	return at / clearing->unit * clearing->unit;
}

static uint64_t unit_up(const struct clearing *clearing, uint64_t at)
{
	return unit_down(clearing, at + clearing->unit - 1);
}

void tell_lost(const struct clearing *clearing, uint64_t start, uint64_t end)
{
	const uint64_t in_file = min_of(end, clearing->target.size);

	if (clearing->lost && start < in_file)
		clearing->lost((off_t)start, (size_t)(in_file - start), clearing->arg);
}

/* --- What cannot be cleared ----------------------------------------------------------------- */

static int check_access(int fd)
{
	const int status = fcntl(fd, F_GETFL);

	if (status < 0)
		return fail(errno, "descriptor %d: %m", fd);
	if (status & O_PATH)
		return fail(EBADF, "descriptor %d was opened with O_PATH", fd);
	if ((status & O_ACCMODE) != O_RDWR)
		return fail(EACCES, "descriptor %d: clearing errors needs O_RDWR", fd);
	if (status & O_APPEND)
		return fail(EINVAL, "descriptor %d has O_APPEND: zeros would be written at the end", fd);
	return 0;
}

static int check_range(struct clearing *clearing, off_t offset, size_t len)
{
	off_t end;
	uint64_t last;

	if (len == 0 || offset < 0)
		return fail(EINVAL, "clearing %zu bytes at offset %jd", len, (intmax_t)offset);
	if (len > INT64_MAX || __builtin_add_overflow(offset, (off_t)len, &end))
		return fail(EOVERFLOW, "offset %jd and length %zu", (intmax_t)offset, len);
	last = unit_up(clearing, clearing->target.size);
	if ((uint64_t)offset >= last)
		return fail(ENXIO, "offset %jd is beyond the end of the file at %" PRIu64, (intmax_t)offset,
			    clearing->target.size);
	clearing->start = (uint64_t)offset;
	clearing->end = min_of((uint64_t)end, last);
	/* What follows the end of the file is nobody's. */
	if (clearing->end >= clearing->target.size)
		clearing->end = last;
	return 0;
}

/* 1 if a mapping shows a part of the range. */
static int shows_range(const struct vma *vma, void *arg)
{
	const struct clearing *clearing = arg;
	const uint64_t start = (uint64_t)vma->offset;
	const uint64_t end = start + (vma->end - vma->start);

	return vma_is_of(vma, &clearing->target.status) && start < unit_up(clearing, clearing->end) &&
	       end > unit_down(clearing, clearing->start);
}

static int check_unmapped(const struct clearing *clearing)
{
	const int mapped = proc_each_vma(0, UINTPTR_MAX, VMA_BRIEF, shows_range, (void *)clearing);

	if (mapped < 0)
		return fail(errno, "/proc/self/maps cannot be read, and the range may be mapped: %m");
	if (mapped > 0)
		return fail(EBUSY, "a part of the range is mapped by this process: unmap it first");
	return 0;
}

/* Blocks of a file, but no less than pages; sectors of a device. */
static int find_unit(struct clearing *clearing)
{
	struct statfs mounted;

	clearing->unit = SECTOR;
	if (clearing->target.device_dax)
		return 0;
	if (fstatfs(clearing->fd, &mounted) < 0)
		return fail(errno, "the file system of descriptor %d: %m", clearing->fd);
	clearing->unit = clearing->target.alignment;
	if ((uint64_t)mounted.f_bsize > clearing->unit)
		clearing->unit = (uint64_t)mounted.f_bsize;
	return 0;
}

/* --- What is lost --------------------------------------------------------------------------- */

/* Keeps the first range that ends after bad_from. */
static int keep_first(off_t offset, size_t len, void *arg)
{
	struct clearing *clearing = arg;

	if ((uint64_t)offset + len <= clearing->bad_from)
		return 0;
	clearing->bad_start = (uint64_t)offset;
	clearing->bad_end = (uint64_t)offset + len;
	return 1;
}

/* Nobody keeps a list of most files, and one that is cut is known in part: reading tells the rest. */
static int find_listed(struct clearing *clearing, uint64_t from)
{
	clearing->bad_from = from;
	clearing->bad_start = clearing->bad_end = UINT64_MAX;
	if (each_bad_range(clearing->fd, &clearing->target, keep_first, clearing) >= 0)
		return 0;
	return !clearing->target.device_dax && (errno == ENODATA || errno == EOVERFLOW) ? 0 : -1;
}

/* 1 if the kernel lists some byte of the range as lost, 0 if not; -1 on an error. Asks anew past what it knows only. */
static int is_listed(struct clearing *clearing, uint64_t start, uint64_t end)
{
	if ((start < clearing->bad_from || start >= clearing->bad_end) && find_listed(clearing, start) < 0)
		return -1;
	return clearing->bad_start < end;
}

/* 1 if a read says that the media cannot, 0 if it can; -1 on another error. */
static int is_unreadable(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	ssize_t got;

	if (clearing->target.device_dax)
		return 0; /* it has no read */
	end = min_of(end, clearing->target.size);
	while (start < end) {
		got = pread(clearing->fd, room, (size_t)(end - start), (off_t)start);
		if (got < 0 && (errno == EIO || errno == EHWPOISON))
			return 1;
		if (got < 0 && errno != EINTR)
			return fail(errno, "reading at offset %" PRIu64 ": %m", start);
		if (got == 0)
			return 0; /* truncated meanwhile */
		start += got > 0 ? (uint64_t)got : 0;
	}
	return 0;
}

static int is_lost(struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	const int listed = is_listed(clearing, start, end);

	return listed ? listed : is_unreadable(clearing, start, end, room);
}

/* A block that lies in the range only in part can keep its bytes only if nothing is lost in it. */
static int check_part(struct clearing *clearing, uint64_t at, char *room)
{
	const uint64_t block = unit_down(clearing, at);
	const uint64_t start = block > clearing->start ? block : clearing->start;
	const uint64_t end = min_of(block + clearing->unit, clearing->end);
	int lost;

	if (end - start == clearing->unit)
		return 0;
	lost = is_lost(clearing, start, end, room);
	if (lost > 0)
		return fail(EINVAL,
			    "the lost bytes are in a block that reaches out of the range: "
			    "ask for all of it, %" PRIu64 " bytes at offset %" PRIu64,
			    clearing->unit, block);
	return lost;
}

/* --- Clearing ------------------------------------------------------------------------------- */

static int write_zeros(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	ssize_t written;

	memset(room, 0, (size_t)clearing->unit);
	end = min_of(end, clearing->target.size);
	while (start < end) {
		written = pwrite(clearing->fd, room, (size_t)min_of(end - start, clearing->unit), (off_t)start);
		if (written < 0 && errno != EINTR)
			return fail(errno, "writing zeros at offset %" PRIu64 ": %m", start);
		start += written > 0 ? (uint64_t)written : 0;
	}
	return 0;
}

/* A file system that cannot reserve blocks takes them when they are written. */
static int refill(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	if (fallocate(clearing->fd, FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)(end - start)) < 0 && errno != EOPNOTSUPP)
		return fail(errno, "filling the hole at offset %" PRIu64 ": %m", start);
	return write_zeros(clearing, start, end, room);
}

/* 0 if every block of the run can be read. */
static int check_readable(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	for (; start < end; start += clearing->unit) {
		const int bad = is_unreadable(clearing, start, start + clearing->unit, room);

		if (bad)
			return bad < 0 ? -1 : fail(EIO, "the block at offset %" PRIu64 " still cannot be read", start);
	}
	return 0;
}

static int punch(const struct clearing *clearing, uint64_t start, uint64_t end)
{
	if (fallocate(clearing->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)(end - start)) < 0)
		return fail(errno == EOPNOTSUPP ? ENOTSUP : errno,
			    "punching out %" PRIu64 " bytes at offset %" PRIu64 ": %m", end - start, start);
	return 0;
}

/*
 * A file system takes bad blocks that were given back before for good ones, and
 * gets an I/O error when it clears them where the device cannot clear errors.
 * Blocks that are given back now are not taken again before the next commit: so
 * another try gets others.
 */
static int replace(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	int result = punch(clearing, start, end);

	if (result < 0)
		return -1;
	/* Lost they are, whatever becomes of the rest. */
	tell_lost(clearing, start, end);
	result = refill(clearing, start, end, room);
	for (int i = 0; i < TRIES && result < 0 && errno == EIO; i++) {
		if (punch(clearing, start, end) < 0)
			return -1;
		result = refill(clearing, start, end, room);
	}
	if (result < 0)
		return -1;
	if (fsync(clearing->fd) < 0)
		return fail(errno, "making the zeros at offset %" PRIu64 " durable: %m", start);
	return check_readable(clearing, start, end, room);
}

static int clear_run(const struct clearing *clearing, uint64_t start, uint64_t end, char *room)
{
	if (start == end)
		return 0;
	return clearing->target.device_dax ? clear_on_device(clearing, start, end)
					   : replace(clearing, start, end, room);
}

/* Blocks with an error, in runs of adjacent ones. */
static int clear_blocks(struct clearing *clearing, char *room)
{
	const uint64_t last = unit_down(clearing, clearing->end);
	uint64_t run = unit_up(clearing, clearing->start);
	int lost;

	for (uint64_t at = run; at < last; at += clearing->unit) {
		lost = is_lost(clearing, at, at + clearing->unit, room);
		if (lost < 0)
			return -1;
		if (lost)
			continue;
		if (clear_run(clearing, run, at, room) < 0)
			return -1;
		run = at + clearing->unit;
	}
	return run < last ? clear_run(clearing, run, last, room) : 0;
}

static int clear_range(struct clearing *clearing, char *room)
{
	if (check_part(clearing, clearing->start, room) < 0 || check_part(clearing, clearing->end - 1, room) < 0)
		return -1;
	return clear_blocks(clearing, room);
}

static int clear_with_room(struct clearing *clearing)
{
	/* Aligned, for the sake of O_DIRECT. */
	char *room = mmap(NULL, (size_t)clearing->unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int result;

	if (room == MAP_FAILED)
		return fail(errno, "no memory for a block: %m");
	result = clear_range(clearing, room);
	munmap(room, (size_t)clearing->unit);
	return result;
}

int pmem_clear_error(int fd, off_t offset, size_t len, void (*lost)(off_t offset, size_t len, void *arg), void *arg)
{
	struct clearing clearing = {.fd = fd, .bad_from = UINT64_MAX, .lost = lost, .arg = arg};
	const int cancel = cancel_forbid();
	int result = -1;

	if (target_of(fd, &clearing.target) == 0 && check_access(fd) == 0 && find_unit(&clearing) == 0 &&
	    check_range(&clearing, offset, len) == 0 && check_unmapped(&clearing) == 0)
		result = clear_with_room(&clearing);
	cancel_allow(cancel);
	return result;
}
