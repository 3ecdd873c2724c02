/* interpose_map.c: stands in for the C library's functions that map and unmap files */
/* SPDX-License-Identifier: BSD-3-Clause */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/mman.h>
#pragma GCC visibility pop

#include "next.h"
#include "recording.h"

#include <errno.h>

static size_t whole_pages(size_t length)
{
	return (length + 4095) & ~(size_t)4095;
}

/* Mappings change under the lock, so that no event falls between a mapping and its being known. */
static bool begin(void)
{
	if (!recording.follows || record_self.inside)
		return false;
	record_self.inside = true;
	record_lock();
	return true;
}

static void end(void)
{
	record_unlock();
	record_leave();
}

/*
 * A pool counts as persistent memory wherever it lies: MAP_SYNC is granted.
 */
static int grant_sync(int flags)
{
	if ((flags & MAP_TYPE) != MAP_SHARED_VALIDATE)
		return flags;
	return (flags & ~(MAP_TYPE | MAP_SYNC)) | MAP_SHARED;
}

static void *map(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	static void *found;
	__typeof__(mmap) *const next = next_function(&found, "mmap");
	uint64_t size;
	void *result;
	int pool;

	if (!begin())
		return next(address, length, protection, flags, fd, offset);
	pool = flags & MAP_ANONYMOUS ? IDENTITY_OTHER : identify(fd, &size);
	if (pool >= 0)
		flags = grant_sync(flags);
	result = next(address, length, protection, flags, fd, offset);
	if (result != MAP_FAILED && pool >= 0 && (flags & MAP_TYPE) == MAP_SHARED)
		mapping_add(result, whole_pages(length), (uint32_t)pool, (uint64_t)offset);
	else if (result != MAP_FAILED && record_may_touch(result, length))
		mapping_remove(result, whole_pages(length));
	end();
	return result;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	return map(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset)
{
	return map(address, length, protection, flags, fd, offset);
}

int munmap(void *address, size_t length)
{
	static void *found;
	__typeof__(munmap) *const next = next_function(&found, "munmap");
	int result;

	if (!record_may_touch(address, length) || !begin())
		return next(address, length);
	pending_tell(&record_self);
	result = next(address, length);
	if (result == 0)
		mapping_remove(address, whole_pages(length));
	end();
	return result;
}

void *mremap(void *address, size_t old_length, size_t new_length, int flags, ...)
{
	static void *found;
	__typeof__(mremap) *const next = next_function(&found, "mremap");
	struct mapped_part part;
	void *wanted = NULL, *result;
	va_list arguments;

	va_start(arguments, flags);
	if (flags & MREMAP_FIXED)
		wanted = va_arg(arguments, void *);
	va_end(arguments);
	if (!begin())
		return next(address, old_length, new_length, flags, wanted);
	pending_tell(&record_self);
	result = next(address, old_length, new_length, flags, wanted);
	if (result != MAP_FAILED) {
		const bool was_pool = mapping_find(address, 1, &part);

		/* An old length of 0 makes a second mapping of the same pages. */
		if (old_length)
			mapping_remove(address, whole_pages(old_length));
		mapping_remove(result, whole_pages(new_length));
		if (was_pool)
			mapping_add(result, whole_pages(new_length), part.pool, part.offset);
	}
	end();
	return result;
}
