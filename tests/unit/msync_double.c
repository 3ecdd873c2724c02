/* msync_double.c: sees each msync of the library, and fails those that a test chooses */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CALLS_MAX = 65536 };

struct call {
	uintptr_t start, end;
	bool succeeded;
};

static struct call calls[CALLS_MAX];
static unsigned count;

static struct {
	uintptr_t start, end;
	int error;
	unsigned left;
} order;

static struct {
	unsigned calls, before_msync;
	off_t offset; /* of the one that is to fail */
	int error;
	unsigned left;
} starts;

static struct {
	bool ask_kernel;
	uint64_t count;
} dirty = {.count = UINT64_MAX};

static void (*hook)(void);
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int __real_msync(void *addr, size_t len, int flags);
int __wrap_msync(void *addr, size_t len, int flags);
uint64_t __real_file_dirty_pages(const struct file *file, off_t offset, off_t length);
uint64_t __wrap_file_dirty_pages(const struct file *file, off_t offset, off_t length);
int __real_sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags);
int __wrap_sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags);

static void lock(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

/* A test may fork while another of its threads is in here, and holds what the child then has to do without. */
static void after_fork_in_child(void)
{
	pthread_mutex_init(&mutex, NULL);
}

__attribute__((constructor)) static void start(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

void msync_reset(void)
{
	lock();
	count = 0;
	order.left = 0;
	memset(&starts, 0, sizeof(starts));
	dirty_pages_are(UINT64_MAX);
	hook = NULL;
	unlock();
}

unsigned msync_calls(void)
{
	return count;
}

static bool overlaps(uintptr_t start, uintptr_t end, uintptr_t other_start, uintptr_t other_end)
{
	return start < other_end && other_start < end;
}

bool msync_touched(const void *addr, size_t len)
{
	const uintptr_t start = (uintptr_t)addr;

	for (unsigned i = 0; i < count; i++) {
		if (overlaps(calls[i].start, calls[i].end, start, start + len))
			return true;
	}
	return false;
}

/* Steps over the range from one call's end to the next; calls may lie in any order. */
bool msync_covered(const void *addr, size_t len)
{
	const uintptr_t end = (uintptr_t)addr + len;
	uintptr_t at = (uintptr_t)addr, before;

	do {
		before = at;
		for (unsigned i = 0; i < count; i++) {
			if (calls[i].succeeded && calls[i].start <= at && at < calls[i].end)
				at = calls[i].end;
		}
	} while (at < end && at > before);
	return at >= end;
}

void msync_fail(const void *addr, size_t len, int error, unsigned how_many)
{
	lock();
	order.start = (uintptr_t)addr;
	order.end = (uintptr_t)addr + len;
	order.error = error;
	order.left = how_many;
	unlock();
}

void msync_before(void (*call)(void))
{
	hook = call;
}

/* The error to fail this call with, 0 for none; takes note of it. */
static struct call *take(uintptr_t start, uintptr_t end, int *error)
{
	struct call *call;

	lock();
	if (count == CALLS_MAX)
		abort();
	call = &calls[count++];
	*call = (struct call){.start = start, .end = end};
	*error = 0;
	if (order.left > 0 && overlaps(start, end, order.start, order.end)) {
		order.left--;
		*error = order.error;
	}
	unlock();
	return call;
}

int __wrap_msync(void *addr, size_t len, int flags)
{
	struct call *call;
	int error, result;

	if (!(flags & MS_SYNC))
		return __real_msync(addr, len, flags);
	if (hook)
		hook();
	call = take((uintptr_t)addr, (uintptr_t)addr + len, &error);
	if (error) {
		errno = error;
		return -1;
	}
	result = __real_msync(addr, len, flags);
	call->succeeded = result == 0;
	return result;
}

unsigned write_starts(void)
{
	return starts.calls;
}

unsigned write_starts_before_msync(void)
{
	return starts.before_msync;
}

void write_start_fail(off_t offset, int error, unsigned how_many)
{
	pthread_mutex_lock(&mutex);
	starts.offset = offset;
	starts.error = error;
	starts.left = how_many;
	pthread_mutex_unlock(&mutex);
}

/* Notes a start; the error to fail it with, 0 for none. */
static int take_start(off64_t offset)
{
	int error = 0;

	pthread_mutex_lock(&mutex);
	starts.calls++;
	starts.before_msync += count == 0;
	if (starts.left > 0 && offset == starts.offset) {
		starts.left--;
		error = starts.error;
	}
	pthread_mutex_unlock(&mutex);
	return error;
}

int __wrap_sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
	const int error = flags == SYNC_FILE_RANGE_WRITE ? take_start(offset) : 0;

	if (error == 0)
		return __real_sync_file_range(fd, offset, length, flags);
	errno = error;
	return -1;
}

void dirty_pages_are(uint64_t pages)
{
	dirty.ask_kernel = false;
	dirty.count = pages;
}

void dirty_pages_are_as_the_kernel_says(void)
{
	dirty.ask_kernel = true;
}

uint64_t __wrap_file_dirty_pages(const struct file *file, off_t offset, off_t length)
{
	return dirty.ask_kernel ? __real_file_dirty_pages(file, offset, length) : dirty.count;
}
