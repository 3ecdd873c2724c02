/* opened.c: opening a pool under one of its names */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "opened.h"

#include <errno.h>
#include <sys/stat.h>

/* Once for each process. */
static void count_process(void)
{
	if (recording.counted)
		return;
	recording.counted = true;
	if (atomic_fetch_add(&recording.session->processes, 1) > 0)
		atomic_store(&recording.session->untracked, 1);
	if (recording.instrumented)
		atomic_fetch_add(&recording.session->instrumented, 1);
}

struct opening opening_begin(const struct redirection *redirection, const void *site, const void *frame)
{
	struct opening opening = {.pool = redirection->pool, .site = site, .frame = frame};

	if (opening.pool < 0 || !record_enter())
		return opening;
	opening.entered = true;
	record_lock();
	pending_tell(&record_self);
	return opening;
}

/* A pool that the program had removed and makes anew begins empty. */
static void note_new_file(struct opening *opening, const struct stat *status)
{
	const uint32_t index = (uint32_t)opening->pool;
	struct session_pool *shared = &recording.session->pools[index];
	const bool is_new = status->st_ino != atomic_load(&shared->work_inode);
	struct origin origin = {0};

	if (opening->entered)
		origin = stack_origin_of_call(opening->site, opening->frame);
	if (opening->entered && is_new)
		contents_resized(index, 0, &origin);
	if (is_new) {
		atomic_store(&shared->work_device, status->st_dev);
		atomic_store(&shared->work_inode, status->st_ino);
	}
	if (opening->entered)
		contents_resized(index, (uint64_t)status->st_size, &origin);
}

void opening_end(struct opening *opening, int fd)
{
	const int error = errno;
	struct stat status;

	if (opening->pool >= 0 && fd >= 0) {
		count_process();
		atomic_store(&recording.session->pools[opening->pool].opened, 1);
		if (fstat(fd, &status) == 0)
			note_new_file(opening, &status);
	}
	if (opening->entered) {
		record_unlock();
		record_leave();
	}
	errno = error;
}
