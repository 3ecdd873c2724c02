/* contents.c: finds stores by comparing pools with their shadow */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"

#include "../difference.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	LARGEST_UNIT = 512,
	RETRIES = 64,

	/*
	 * What comparing whole pools may cost at flushes and fences, in nanoseconds as they are on a usual
	 * machine, not as they are measured: the same program must give the same trace every time.
	 */
	BYTES_PER_NANOSECOND = 24,
	CREDIT_AT_START = 50 * 1000 * 1000,
	CREDIT_PER_EVENT = 40,
	COST_OF_TRACKING = 40 * 1000,
	COST_OF_A_PAGE = 10 * 1000, /* that was stored to: it faults again */
	FIRST_VISITS = 3,           /* of each place are always worth it */
};

static int64_t credit = CREDIT_AT_START;
static uint64_t pages_found; /* by tracking, in the last comparison */

/* The shadow's file may be shorter than the pool has become. */
static void *view(const char *path, int protection, uint64_t size)
{
	const bool writable = protection & PROT_WRITE;
	const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
	struct stat status;
	void *address = MAP_FAILED;

	if (fd < 0)
		return NULL;
	if (!writable ||
	    (fstat(fd, &status) == 0 && ((uint64_t)status.st_size >= size || syscall(SYS_ftruncate, fd, size) == 0)))
		address = (void *)syscall(SYS_mmap, NULL, size, protection, MAP_SHARED, fd, 0L);
	syscall(SYS_close, fd);
	return address == MAP_FAILED ? NULL : address;
}

/* Maps the file at path in place of an older view. */
static bool renew(const char *path, int protection, void **address, uint64_t old_size, uint64_t size)
{
	void *fresh = view(path, protection, size);

	if (!fresh)
		return false;
	if (*address)
		syscall(SYS_munmap, *address, old_size);
	*address = fresh;
	return true;
}

__attribute__((noinline)) static bool renew_views(struct recorded_pool *pool, const struct session_pool *shared,
						  uint64_t inode)
{
	if (!renew(shared->shadow, PROT_READ | PROT_WRITE, (void **)&pool->shadow, pool->viewed, pool->size) ||
	    !renew(shared->work, PROT_READ, (void **)&pool->contents, pool->viewed, pool->size)) {
		atomic_store(&recording.session->overrun, 1);
		recording.on = false;
		return false;
	}
	pool->viewed = pool->size;
	pool->inode = inode;
	return true;
}

/* In a session another process may have made the pool longer, or a new file of it. */
bool contents_view(uint32_t index)
{
	struct recorded_pool *pool = &recording.pools[index];
	struct session_pool *shared;
	uint64_t inode;

	if (!recording.session)
		return true;
	shared = &recording.session->pools[index];
	inode = atomic_load_explicit(&shared->work_inode, memory_order_relaxed);
	pool->size = atomic_load_explicit(&shared->work_size, memory_order_relaxed);
	if ((pool->size <= pool->viewed && pool->inode == inode) || pool->size == 0)
		return true;
	return renew_views(pool, shared, inode);
}

/* A unit that is copied while another thread stores to it may be one that never was: look twice. */
static void copy_as_it_is(unsigned char *to, const unsigned char *from, size_t length)
{
	for (int i = 0; i < RETRIES; i++) {
		memcpy(to, from, length);
		__asm__ volatile("" ::: "memory");
		if (memcmp(to, from, length) == 0)
			return;
	}
}

static void tell_unit(uint32_t index, uint64_t offset, size_t length, const unsigned char *source, unsigned flags,
		      const struct origin *origin)
{
	unsigned char *shadow = recording.pools[index].shadow + offset;
	unsigned char bytes[LARGEST_UNIT];
	size_t from, end;

	copy_as_it_is(bytes, source, length);
	end = difference(bytes, shadow, length, &from);
	tell_payload(TRACE_STORE, flags, origin, index, offset + from, bytes + from, end - from);
	memcpy(shadow + from, bytes + from, end - from);
}

/* gcc turns this into a few vector instructions; a call of memcmp would cost more. */
static inline bool line_differs(const unsigned char *left, const unsigned char *right)
{
	uint64_t a[8], b[8], differ = 0;

	memcpy(a, left, sizeof(a));
	memcpy(b, right, sizeof(b));
	for (int i = 0; i < 8; i++)
		differ |= a[i] ^ b[i];
	return differ != 0;
}

static bool differs(const unsigned char *left, const unsigned char *right, size_t length)
{
	return length == 64 ? line_differs(left, right) : memcmp(left, right, length) != 0;
}

static void tell_units(uint32_t index, uint64_t offset, uint64_t end, const unsigned char *source, unsigned flags,
		       const struct origin *origin)
{
	const struct recorded_pool *pool = &recording.pools[index];

	for (uint64_t at = offset; at < end; at += recording.unit) {
		const size_t length = end - at < recording.unit ? end - at : recording.unit;
		const unsigned char *now = source + (at - offset);

		if (differs(now, pool->shadow + at, length))
			tell_unit(index, at, length, now, flags, origin);
	}
}

void contents_tell(uint32_t index, uint64_t offset, uint64_t length, const unsigned char *source, unsigned flags,
		   const struct origin *origin)
{
	struct recorded_pool *pool = &recording.pools[index];
	const uint64_t unit = recording.unit, first = offset / unit * unit;
	uint64_t end, at = first;

	if (!contents_view(index) || first >= pool->size || length == 0)
		return;
	end = length > pool->size - offset ? pool->size : (offset + length + unit - 1) / unit * unit;
	if (end > pool->size)
		end = pool->size;
	source -= offset - first;
	while (at < end) {
		uint64_t stop = (at / PAGE + 1) * PAGE;

		if (stop > end)
			stop = end;
		if (stop - at <= 4 * unit || memcmp(source + (at - first), pool->shadow + at, stop - at) != 0)
			tell_units(index, at, stop, source + (at - first), flags, origin);
		at = stop;
	}
}

unsigned contents_flags(void)
{
	return recording.instrumented ? STORE_OBSERVED | STORE_UNSEEN : STORE_OBSERVED;
}

/*
 * What of [offset, end) the file has data for. To look at a hole would fill it;
 * those that are made on purpose are told where they are made.
 */
static void tell_data(uint32_t index, uint64_t offset, uint64_t end, const struct origin *origin)
{
	const struct recorded_pool *pool = &recording.pools[index];
	const char *path = recording.session ? recording.session->pools[index].work : NULL;
	const int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0) : -1;
	off_t data = (off_t)offset, hole;

	if (fd < 0) {
		contents_tell(index, offset, end - offset, pool->contents + offset, contents_flags(), origin);
		return;
	}
	while ((data = lseek(fd, data, SEEK_DATA)) >= 0 && (uint64_t)data < end &&
	       (hole = lseek(fd, data, SEEK_HOLE)) > data) {
		const uint64_t stop = (uint64_t)hole < end ? (uint64_t)hole : end;

		contents_tell(index, (uint64_t)data, stop - (uint64_t)data, pool->contents + data, contents_flags(),
			      origin);
		data = hole;
	}
	syscall(SYS_close, fd);
}

/* Pages of one mapping that were stored to. */
struct written {
	const struct origin *origin;
	uint32_t pool;
	const unsigned char *mapping;
	uint64_t offset; /* of the mapping */
};

static void tell_written(const void *start, size_t length, void *argument)
{
	const struct written *written = argument;
	const uint64_t offset = written->offset + (uint64_t)((const unsigned char *)start - written->mapping);

	/* All that was never looked at: also pages that are not there, and none has faulted for our sake. */
	if (length >= TRACKING_PAYS) {
		tell_data(written->pool, offset, offset + length, written->origin);
		return;
	}
	pages_found += length / PAGE;
	contents_tell(written->pool, offset, length, recording.pools[written->pool].contents + offset, contents_flags(),
		      written->origin);
}

static bool tell_mapping(const void *address, size_t length, uint64_t offset, void *argument)
{
	struct written *written = argument;

	written->mapping = address;
	written->offset = offset;
	return tracking_written(address, length, tell_written, written);
}

static bool is_large(const struct recorded_pool *pool)
{
	return pool->size >= TRACKING_PAYS;
}

static bool is_untracked(void)
{
	return recording.session && atomic_load_explicit(&recording.session->untracked, memory_order_relaxed);
}

static void tell_pool(uint32_t index, const struct origin *origin)
{
	const struct recorded_pool *pool = &recording.pools[index];
	struct written written = {.origin = origin, .pool = index};
	const int error = errno;

	if (!contents_view(index))
		return;
	if (!is_large(pool))
		contents_tell(index, 0, pool->size, pool->contents, contents_flags(), origin);
	else if (is_untracked() || !mapping_each_tracked(index, tell_mapping, &written))
		tell_data(index, 0, pool->size, origin);
	errno = error;
}

void contents_tell_all(const struct origin *origin)
{
	for (uint32_t i = 0; i < recording.pool_count; i++)
		tell_pool(i, origin);
}

static bool pass(const void *address, size_t length, uint64_t offset, void *unused)
{
	(void)address, (void)length, (void)offset, (void)unused;
	return true;
}

static int64_t cost_of_all(void)
{
	int64_t cost = 0;

	for (uint32_t i = 0; i < recording.pool_count; i++) {
		const struct recorded_pool *pool = &recording.pools[i];

		if (is_large(pool) && !is_untracked() && mapping_each_tracked(i, pass, NULL))
			cost += COST_OF_TRACKING;
		else
			cost += (int64_t)(pool->size / BYTES_PER_NANOSECOND);
	}
	return cost;
}

void contents_tell_all_sometimes(const struct origin *origin)
{
	if (recording.instrumented)
		return;
	credit += CREDIT_PER_EVENT;
	if (origin->visits > FIRST_VISITS) {
		const int64_t cost = cost_of_all();

		if (credit < cost)
			return;
		credit -= cost;
	}
	pages_found = 0;
	contents_tell_all(origin);
	credit -= (int64_t)pages_found * COST_OF_A_PAGE;
}

/* Most stores that hooks announce are of 8 bytes: no calls of the C library for these. */
static void tell_changed_word(uint32_t index, uint64_t offset, const unsigned char *source, unsigned flags,
			      const struct origin *origin)
{
	unsigned char *shadow = recording.pools[index].shadow + offset;
	uint64_t word, told;

	memcpy(&word, source, sizeof(word));
	memcpy(&told, shadow, sizeof(told));
	if (word == told)
		return;
	tell_word(flags, origin, index, offset, word);
	memcpy(shadow, &word, sizeof(word));
}

static void tell_bytes(uint32_t index, uint64_t offset, uint64_t length, const unsigned char *source, unsigned flags,
		       const struct origin *origin)
{
	unsigned char *shadow = recording.pools[index].shadow + offset, bytes[PAGE];

	for (uint64_t done = 0; done < length; done += sizeof(bytes)) {
		const size_t piece = length - done < sizeof(bytes) ? length - done : sizeof(bytes);

		copy_as_it_is(bytes, source + done, piece);
		if (memcmp(bytes, shadow + done, piece) == 0)
			continue;
		tell_payload(TRACE_STORE, flags, origin, index, offset + done, bytes, piece);
		memcpy(shadow + done, bytes, piece);
	}
}

void contents_tell_store(uint32_t index, uint64_t offset, uint64_t length, const unsigned char *source, unsigned flags,
			 const struct origin *origin)
{
	const struct recorded_pool *pool = &recording.pools[index];

	if (!contents_view(index) || offset >= pool->size)
		return;
	if (length > pool->size - offset)
		length = pool->size - offset;
	if (length == sizeof(uint64_t))
		tell_changed_word(index, offset, source, flags, origin);
	else
		tell_bytes(index, offset, length, source, flags, origin);
}

void contents_resized(uint32_t index, uint64_t size, const struct origin *origin)
{
	struct recorded_pool *pool = &recording.pools[index];

	if (!contents_view(index) || pool->size == size)
		return;
	tell(TRACE_SIZE, origin, index, size, 0);
	if (size < pool->size)
		memset(pool->shadow + size, 0, pool->size - size);
	atomic_store(&recording.session->pools[index].work_size, size);
	contents_view(index);
}
