/* map.c: maps files in the best way that they allow, and unmaps them */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arena.h"
#include "cancel.h"
#include "classify.h"
#include "explain.h"
#include "failure.h"
#include "file.h"
#include "media.h"
#include "mode.h"
#include "pages.h"
#include "registry.h"
#include "suspect.h"

#include "arch/arch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pmem.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

enum {
	MAP_KNOWN_FLAGS = PMEM_MAP_READONLY | PMEM_MAP_COPY_ON_WRITE | PMEM_MAP_POPULATE | PMEM_MAP_REQUIRE_PM,
};

/* What pmem_map_range() was asked for, and what it has found out. */
struct request {
	int fd;
	off_t offset;
	size_t length; /* as mapped: whole pages */
	unsigned flags;
	struct target target;
};

/* --- What cannot be mapped ----------------------------------------------------------- */

static int check_arguments(off_t offset, size_t len, unsigned flags)
{
	off_t end;

	if (flags & ~(unsigned)MAP_KNOWN_FLAGS)
		return fail(EINVAL, "unknown flags 0x%x", flags & ~(unsigned)MAP_KNOWN_FLAGS);
	if (len == 0)
		return fail(EINVAL, "a mapping of 0 bytes");
	if (offset < 0 || (uintptr_t)offset % page_size() != 0)
		return fail(EINVAL, "offset %jd is not a multiple of the page size", (intmax_t)offset);
	if (len > INT64_MAX || __builtin_add_overflow(offset, (off_t)len, &end))
		return fail(EOVERFLOW, "offset %jd and length %zu", (intmax_t)offset, len);
	return 0;
}

static int check_access(int fd, unsigned flags)
{
	const int status = fcntl(fd, F_GETFL);

	if (status < 0)
		return fail(errno, "descriptor %d: %m", fd);
	if (status & O_PATH)
		return fail(EBADF, "descriptor %d was opened with O_PATH", fd);
	if ((status & O_ACCMODE) == O_WRONLY)
		return fail(EACCES, "descriptor %d is open for writing only; a mapping needs O_RDWR", fd);
	if ((status & O_ACCMODE) == O_RDONLY && !(flags & (PMEM_MAP_READONLY | PMEM_MAP_COPY_ON_WRITE)))
		return fail(EACCES,
			    "descriptor %d is open for reading only; open it with O_RDWR, or map it with "
			    "PMEM_MAP_READONLY",
			    fd);
	return 0;
}

static int check_range(const struct target *target, off_t offset, size_t len)
{
	const bool whole_units = target->device_dax;

	if ((uint64_t)offset % target->alignment != 0 || (whole_units && len % target->alignment != 0))
		return fail(EINVAL, "offset %jd, length %zu: %s needs multiples of %" PRIu64 " bytes", (intmax_t)offset,
			    len, target->filesystem, target->alignment);
	if ((uint64_t)offset + len > target->size)
		return fail(ENXIO, "offset %jd and length %zu reach beyond the end of the file at %" PRIu64,
			    (intmax_t)offset, len, target->size);
	return 0;
}

static int check_request(struct request *request, off_t offset, size_t len, unsigned flags)
{
	if (check_arguments(offset, len, flags) < 0)
		return -1;
	/* The type before the rights: a directory cannot be open for writing. */
	if (target_of(request->fd, &request->target) < 0 || check_access(request->fd, flags) < 0 ||
	    check_range(&request->target, offset, len) < 0)
		return -1;
	request->offset = offset;
	request->length = (len + request->target.alignment - 1) / request->target.alignment * request->target.alignment;
	request->flags = flags;
	return 0;
}

/* --- Mapping --------------------------------------------------------------------------- */

static int protection_of(const struct request *request)
{
	return request->flags & PMEM_MAP_READONLY ? PROT_READ : PROT_READ | PROT_WRITE;
}

/* Fault injection is about stores: a mapping for reading has none that could be lost. */
static bool is_working_copy(const struct request *request)
{
	return mode_now() == MODE_FIT && !(request->flags & (PMEM_MAP_READONLY | PMEM_MAP_COPY_ON_WRITE));
}

static bool is_private(const struct request *request)
{
	return (request->flags & PMEM_MAP_COPY_ON_WRITE) || is_working_copy(request);
}

static void *map_as(const struct request *request, int flags)
{
	return arena_map(request->length, protection_of(request), flags, request->fd, request->offset);
}

/* The best mapping that the file allows: MAP_SYNC is the only proof of persistent memory. */
static void *map_best(const struct request *request, bool *map_sync)
{
	void *at;

	*map_sync = false;
	if (is_private(request))
		return map_as(request, MAP_PRIVATE | MAP_NORESERVE);
	if (target_may_be_pm(&request->target) && (request->target.device_dax || file_may_be_dax(request->fd))) {
		at = map_as(request, MAP_SHARED_VALIDATE | MAP_SYNC);
		*map_sync = at != MAP_FAILED;
		if (at != MAP_FAILED || (errno != EOPNOTSUPP && errno != EINVAL))
			return at;
	}
	return map_as(request, MAP_SHARED);
}

static void judge(const struct request *request, bool map_sync, struct verdict *verdict)
{
	if (request->flags & PMEM_MAP_COPY_ON_WRITE)
		*verdict = (struct verdict){.media = MEDIA_VOLATILE, .cpu_work = CPU_FLUSH, .reason = REASON_PRIVATE};
	else
		classify_target(&request->target, map_sync, verdict);
	if (verdict->media == MEDIA_FIT && !is_working_copy(request)) {
		verdict->media = MEDIA_VOLATILE;
		verdict->cpu_work = CPU_FLUSH;
	}
}

static int check_verdict(const struct request *request, const struct verdict *verdict)
{
	const struct examination found = {.fd = request->fd, .target = request->target, .verdict = *verdict};
	char why[EXPLAIN_SIZE];

	if ((request->flags & PMEM_MAP_REQUIRE_PM) && verdict->media != MEDIA_PM) {
		explain(&found, why, sizeof(why));
		return fail(EOPNOTSUPP, "not persistent memory: %s", why);
	}
	if (verdict->device_dax && !cpu.proven && !(request->flags & PMEM_MAP_READONLY))
		return fail(EOPNOTSUPP, "a device-dax, and this processor has no proven flush: "
					"nothing could be made durable");
	return 0;
}

/* MAP_POPULATE would hide a page that cannot be had, so the pages are asked for. */
static int populate(const struct request *request, void *at)
{
	const bool writable = !(request->flags & PMEM_MAP_READONLY);

	if (madvise(at, request->length, writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0)
		return 0;
	if (errno != EINVAL)
		return fail(errno,
			    "populating %zu bytes: a page could not be had (file system full, or an I/O error): %m",
			    request->length);
	/* Before Linux 5.14: read ahead at least. */
	if (madvise(at, request->length, MADV_WILLNEED) < 0)
		return fail(errno, "populating %zu bytes: %m", request->length);
	return 0;
}

/* The shared mapping behind a working copy, as the way to it from there. 0 with the message set. */
static uintptr_t map_behind(const struct request *request, const void *copy)
{
	void *at = mmap(NULL, request->length, PROT_READ | PROT_WRITE, MAP_SHARED, request->fd, request->offset);

	if (at != MAP_FAILED)
		return (uintptr_t)at - (uintptr_t)copy;
	fail(errno, "mapping %zu bytes behind the working copy: %m", request->length);
	return 0;
}

/* What a record refers to: its file, or the mapping behind it. */
static int fill_in(struct mapping *mapping, const struct request *request)
{
	int earlier = 0;

	if (mapping->media == MEDIA_FIT) {
		mapping->behind = map_behind(request, (void *)(uintptr_t)mapping->start);
		return mapping->behind ? 0 : -1;
	}
	if (mapping->media != MEDIA_PAGE)
		return 0;
	mapping->file = file_acquire(request->fd, &request->target.status, &earlier);
	if (!mapping->file)
		return fail(ENOMEM, "no memory to register a mapping");
	if (earlier)
		registry_fail(mapping->file, earlier);
	return 0;
}

static void undo_fill_in(const struct mapping *mapping)
{
	if (mapping->file)
		file_release(mapping->file);
	if (mapping->behind)
		munmap((void *)(mapping->start + mapping->behind), mapping->end - mapping->start);
}

/* Adds a record for what was mapped to the registry. */
static int add_record(const struct request *request, const struct verdict *verdict, void *at)
{
	struct mapping *mapping = registry_new();

	if (!mapping)
		return fail(ENOMEM, "no memory to register a mapping");
	mapping->start = (uintptr_t)at;
	mapping->end = (uintptr_t)at + request->length;
	mapping->cpu_work = verdict->cpu_work;
	mapping->media = verdict->media;
	mapping->device_dax = verdict->device_dax;
	mapping->in_arena = true;
	mapping->unit = request->target.alignment;
	mapping->to_offset = (uintptr_t)request->offset - (uintptr_t)at;
	if (fill_in(mapping, request) < 0) {
		registry_discard(mapping);
		return -1;
	}
	if (registry_add(mapping) < 0) {
		undo_fill_in(mapping);
		registry_discard(mapping);
		return fail(ENOMEM, "no memory to register a mapping");
	}
	return 0;
}

/* Everything that needs the locks. MAP_FAILED with errno and message. */
static void *map_and_register(const struct request *request)
{
	struct verdict verdict;
	bool map_sync;
	void *at;
	int error;

	arena_reap();
	at = map_best(request, &map_sync);
	if (at == MAP_FAILED) {
		fail(errno, "mapping %zu bytes at offset %jd: %m", request->length, (intmax_t)request->offset);
		return MAP_FAILED;
	}
	judge(request, map_sync, &verdict);
	if (check_verdict(request, &verdict) < 0 || add_record(request, &verdict, at) < 0) {
		error = errno;
		arena_unmap((uintptr_t)at, (uintptr_t)at + request->length);
		errno = error;
		return MAP_FAILED;
	}
	suspect_clear((uintptr_t)at, (uintptr_t)at + request->length);
	return at;
}

/* Populating takes its time, and nobody has to wait for it. */
static void *map_checked(const struct request *request)
{
	void *at;
	int error;

	cursors_lock();
	registry_lock();
	at = map_and_register(request);
	registry_unlock();
	cursors_unlock();
	if (at == MAP_FAILED || !(request->flags & PMEM_MAP_POPULATE) || populate(request, at) == 0)
		return at;
	error = errno;
	pmem_unmap(at, request->length);
	errno = error;
	return MAP_FAILED;
}

void *pmem_map_range(int fd, off_t offset, size_t len, unsigned flags)
{
	struct request request = {.fd = fd};
	void *at = MAP_FAILED;
	const int cancel = cancel_forbid();

	if (check_request(&request, offset, len, flags) == 0)
		at = map_checked(&request);
	cancel_allow(cancel);
	return at == MAP_FAILED ? NULL : at;
}

void *pmem_map(int fd, size_t len)
{
	return pmem_map_range(fd, 0, len, 0);
}

/* --- Unmapping ---------------------------------------------------------------------------- */

/*
 * Ranges that some thread has flushed and not fenced are completed through the
 * file's cursor. A file without one is written now, while it is still mapped;
 * not under the lock, which the failure path needs.
 */
static void sync_if_last_chance(uintptr_t start, uintptr_t end)
{
	struct mapping *mapping;
	unsigned sync;

	for (uintptr_t at = registry_next(start, end); at < end; at = registry_next(at, end)) {
		mapping = registry_find(at);
		if (!mapping)
			break;
		at = mapping->end;
		if (mapping->pending > 0 && mapping->file && mapping->file->cursor < 0) {
			sync = ++mapping->syncs_begun;
			if (page_persist(mapping, mapping->start, at) == 0)
				mapping->syncs_done = sync;
		}
	}
}

static int unmap(uintptr_t start, uintptr_t end)
{
	if (registry_remove(start, end) < 0)
		return fail(ENOMEM, "no memory to split a mapping");
	if ((arena_holds(start, end) ? arena_unmap(start, end) : munmap((void *)start, end - start)) < 0)
		return fail(errno, "unmapping %zu bytes at %p: %m", (size_t)(end - start), (void *)start);
	return 0;
}

/* The pages at an address are larger on hugetlbfs and device-dax; what we do not know is the kernel's to refuse. */
static size_t unit_at(uintptr_t address)
{
	const struct mapping *mapping = registry_find(address);

	return mapping && mapping->in_arena ? mapping->unit : page_size();
}

int pmem_unmap(void *addr, size_t len)
{
	const uintptr_t start = (uintptr_t)addr;
	uintptr_t end;
	size_t unit;
	int result, cancel;

	if (len == 0 || range_wraps(start, len) || start % page_size() != 0)
		return fail(EINVAL, "unmapping %zu bytes at %p: empty, not page-aligned, or beyond all addresses", len,
			    addr);
	unit = unit_at(start);
	if (start % unit != 0)
		return fail(EINVAL, "unmapping %zu bytes at %p: its pages have %zu bytes each", len, addr, unit);
	unit = unit_at(start + len - 1);
	end = (start + len + unit - 1) / unit * unit;
	cancel = cancel_forbid();
	sync_if_last_chance(start, end);
	registry_lock();
	result = unmap(start, end);
	registry_unlock();
	cancel_allow(cancel);
	return result;
}
