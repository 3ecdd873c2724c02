/* file.c: the files under page-cache mappings, and an error cursor of our own for each */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "file.h"

#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	BUCKETS = 512,
	CURSOR_SHARE = 4,                     /* cursors take at most a quarter of the program's descriptors */
	CURSOR_FLAGS = O_RDONLY | O_NONBLOCK, /* an unusual pair: part of how we know ours again */
};

/* cachestat(2), which the C library has no names for. */
#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

struct cachestat_range {
	uint64_t offset, length; /* bytes */
};

struct cachestat {
	uint64_t cached, dirty, writeback, evicted, recently_evicted; /* pages */
};

/* Beyond every page: asks for errors and waits for no write-back. */
static const off64_t BEYOND_ALL_PAGES = INT64_MAX & ~(off64_t)0xffff;

static struct file *buckets[BUCKETS];
static unsigned cursors; /* open ones, those of unmapped files included */
static unsigned parked;  /* files without mappings whose cursor could not be closed */

static pthread_mutex_t cursor_mutex = PTHREAD_MUTEX_INITIALIZER;

void cursors_lock(void)
{
	pthread_mutex_lock(&cursor_mutex);
}

void cursors_unlock(void)
{
	pthread_mutex_unlock(&cursor_mutex);
}

static struct file **bucket_of(dev_t device, ino_t inode)
{
	return &buckets[(device * 31 + inode) % BUCKETS];
}

static bool within_share(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && cursors < limit.rlim_cur / CURSOR_SHARE;
}

/* A program may close descriptors that it does not know (closefrom), and the number may be another file's now. */
static bool cursor_is_ours(const struct file *file)
{
	struct stat status;
	const int flags = fcntl(file->cursor, F_GETFL);

	return flags >= 0 && (flags & (O_ACCMODE | O_NONBLOCK | O_APPEND)) == CURSOR_FLAGS &&
	       fstat(file->cursor, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode;
}

static void forget_cursor(struct file *file)
{
	file->cursor = -1;
	cursors--;
}

/*
 * Closing any descriptor of a file drops all the POSIX locks that the process
 * holds on it, and the program may rely on one. An open-file-description lock
 * conflicts with every POSIX lock, our own process's too: where it would, the
 * descriptor stays open for now.
 */
static bool close_is_harmless(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

static bool close_cursor(struct file *file)
{
	if (file->cursor < 0)
		return true;
	if (cursor_is_ours(file)) {
		if (!close_is_harmless(file->cursor))
			return false;
		close(file->cursor);
	}
	forget_cursor(file);
	return true;
}

static void remove_file(struct file *file)
{
	struct file **at = bucket_of(file->device, file->inode);

	while (*at != file)
		at = &(*at)->next;
	*at = file->next;
	free(file);
}

/* Cursors that could not be closed when their file was unmapped: perhaps now. */
static void close_parked(void)
{
	struct file *file, *next;

	for (unsigned i = 0; parked > 0 && i < BUCKETS; i++) {
		for (file = buckets[i]; file; file = next) {
			next = file->next;
			if (file->mappings == 0 && close_cursor(file)) {
				remove_file(file);
				parked--;
			}
		}
	}
}

static struct file *find_file(dev_t device, ino_t inode)
{
	struct file *file = *bucket_of(device, inode);

	while (file && (file->device != device || file->inode != inode))
		file = file->next;
	return file;
}

/* The file with its first mapping, or one more. */
static struct file *find_or_add(dev_t device, ino_t inode, int *earlier)
{
	struct file **bucket = bucket_of(device, inode);
	struct file *file = find_file(device, inode);

	*earlier = file ? file_check(file) : 0;
	if (file && file->mappings == 0)
		parked--;
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			return NULL;
		file->device = device;
		file->inode = inode;
		file->cursor = -1;
		file->next = *bucket;
		*bucket = file;
	}
	file->mappings++;
	return file;
}

struct file *file_acquire(int fd, const struct stat *status, int *earlier)
{
	struct file *file = find_or_add(status->st_dev, status->st_ino, earlier);

	close_parked();
	if (!file || file->cursor >= 0 || !within_share())
		return file;
	file->cursor = proc_reopen(fd, CURSOR_FLAGS | O_CLOEXEC);
	if (file->cursor >= 0)
		cursors++;
	return file;
}

struct file *file_acquire_unopened(dev_t device, ino_t inode, int *earlier)
{
	return find_or_add(device, inode, earlier);
}

void file_release(struct file *file)
{
	if (--file->mappings > 0)
		return;
	if (close_cursor(file))
		remove_file(file);
	else
		parked++;
}

/* These say that there is no answer, not that the file is bad. */
static bool is_no_verdict(int error)
{
	return error == ENOSYS || error == EINVAL || error == EBADF || error == ESPIPE || error == EPERM;
}

int file_check(struct file *file)
{
	int result;

	if (file->cursor < 0 || !cursor_is_ours(file))
		return 0;
	do {
		result = sync_file_range(file->cursor, BEYOND_ALL_PAGES, 1, SYNC_FILE_RANGE_WAIT_BEFORE);
	} while (result < 0 && errno == EINTR);
	return result < 0 && !is_no_verdict(errno) ? errno : 0;
}

int file_start_writing(const struct file *file, off_t offset, off_t length)
{
	if (file->cursor < 0 || !cursor_is_ours(file))
		return 0;
	if (sync_file_range(file->cursor, offset, length, SYNC_FILE_RANGE_WRITE) == 0)
		return 0;
	return errno == EINTR || is_no_verdict(errno) ? 0 : errno;
}

uint64_t file_dirty_pages(const struct file *file, off_t offset, off_t length)
{
	const struct cachestat_range range = {.offset = (uint64_t)offset, .length = (uint64_t)length};
	struct cachestat pages;

	if (file->cursor < 0 || !cursor_is_ours(file) || syscall(SYS_cachestat, file->cursor, &range, &pages, 0) != 0)
		return UINT64_MAX;
	return pages.dirty + pages.writeback;
}

int file_sync_all(struct file *file)
{
	int result;

	if (file->cursor < 0 || !cursor_is_ours(file))
		return EBADF;
	do {
		result = fdatasync(file->cursor);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? errno : 0;
}

void file_check_all(void (*failed)(const struct file *file, int error))
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (struct file *file = buckets[i]; file; file = file->next) {
			const int error = file_check(file);

			if (error)
				failed(file, error);
		}
	}
}

/* The number stays the same; the child has none of the parent's POSIX locks to lose. */
static void reopen_cursor(struct file *file)
{
	const int fresh = proc_reopen(file->cursor, CURSOR_FLAGS | O_CLOEXEC);

	if (fresh < 0 || dup3(fresh, file->cursor, O_CLOEXEC) < 0) {
		close(file->cursor);
		forget_cursor(file);
	}
	if (fresh >= 0)
		close(fresh);
}

void file_after_fork(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (struct file *file = buckets[i]; file; file = file->next) {
			if (file->cursor >= 0 && cursor_is_ours(file))
				reopen_cursor(file);
		}
	}
}
