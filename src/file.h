/* file.h: the files under page-cache mappings, and an error cursor of our own for each */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel reports a failed write-back once per open file description. The
 * program's own fsync, or a forked child's, may take the report that belongs
 * to our msync. So each file is opened a second time when it is mapped, and
 * that description is asked after each msync. Where it cannot be opened (rights
 * dropped, no /proc, no descriptors left) mappings work without it.
 *
 * Functions want the registry's lock, where they do not say otherwise.
 */
#ifndef PMEM_FILE_H
#define PMEM_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct file {
	dev_t device;
	ino_t inode;
	_Atomic int cursor; /* our own description of the file, -1 for none */
	unsigned mappings;  /* records that refer to this file */
	struct file *next;  /* in its bucket */
};

/*
 * The file that fd is open on (O_PATH is enough), with one more mapping; fd
 * stays the caller's. NULL if there is no memory.
 *
 * *earlier is 0, or an error that happened before: it concerns the mappings
 * that the file has already, and not the new one. Both locks are held.
 */
struct file *file_acquire(int fd, const struct stat *status, int *earlier);

/* A file that could not be opened: an identity without a cursor. */
struct file *file_acquire_unopened(dev_t device, ino_t inode, int *earlier);

/* One mapping less. The last one closes the cursor, unless that would drop locks of the program's. */
void file_release(struct file *file);

/* A write-back error of the file since the last look, 0 if none. Wants the cursors' lock alone. */
int file_check(struct file *file);

/*
 * Starts to write a range of the file back, and waits for nothing. 0, or the
 * errno value with which the start failed: the kernel need not tell that error
 * to anybody else. Needs no lock, but a record that refers to the file.
 */
int file_start_writing(const struct file *file, off_t offset, off_t length);

/*
 * How many pages of a range the page cache holds that are not written back, or
 * are just being. UINT64_MAX where the kernel (before Linux 6.5) does not tell.
 * Needs no lock, but a record that refers to the file.
 */
uint64_t file_dirty_pages(const struct file *file, off_t offset, off_t length);

/*
 * Makes the whole file durable through the cursor. 0 or an errno value; EBADF
 * without one. Wants the cursors' lock alone.
 */
int file_sync_all(struct file *file);

/* file_check() of every file; calls failed for those that have an error. Both locks are held. */
void file_check_all(void (*failed)(const struct file *file, int error));

/* In a forked child: opens every cursor anew, so that parent and child do not eat each other's errors. */
void file_after_fork(void);

/*
 * Held from a look at a cursor until what was found is marked: another thread
 * must not find the cursor emptied and the mapping not yet marked. Taken before
 * the registry's lock where both are.
 */
void cursors_lock(void);
void cursors_unlock(void);

#endif
