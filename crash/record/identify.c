/* identify.c: which file is meant by a descriptor or a name */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pool is known by its device and inode: relative names, links and other
 * mounts all lead to it. The program's own files are told apart with one
 * system call.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t output_device, output_inode;

void identify_output(void)
{
	struct stat status;

	if (syscall(SYS_newfstatat, AT_FDCWD, recording.session->output, &status, 0) == 0) {
		output_device = status.st_dev;
		output_inode = status.st_ino;
	}
}

static bool is_work(const struct session_pool *pool, const struct stat *status)
{
	return status->st_ino == atomic_load_explicit(&pool->work_inode, memory_order_relaxed) &&
	       status->st_dev == atomic_load_explicit(&pool->work_device, memory_order_relaxed);
}

int identify(int fd, uint64_t *size)
{
	const int error = errno;
	struct stat status;

	if (!recording.session || fd < 0 || syscall(SYS_newfstatat, fd, "", &status, AT_EMPTY_PATH) < 0) {
		errno = error;
		return IDENTITY_OTHER;
	}
	*size = (uint64_t)status.st_size;
	for (uint32_t i = 0; i < recording.session->pool_count; i++) {
		if (is_work(&recording.session->pools[i], &status))
			return (int)i;
	}
	return status.st_ino == output_inode && status.st_dev == output_device ? IDENTITY_OUTPUT : IDENTITY_OTHER;
}

struct redirection redirect(int directory, const char *path, bool follow_links)
{
	struct redirection result = {.path = path, .pool = IDENTITY_OTHER};
	const int error = errno;
	struct stat status;

	if (!recording.session || !path)
		return result;
	if (syscall(SYS_newfstatat, directory, path, &status, follow_links ? 0 : AT_SYMLINK_NOFOLLOW) < 0) {
		errno = error;
		return result;
	}
	for (uint32_t i = 0; i < recording.session->pool_count; i++) {
		const struct session_pool *pool = &recording.session->pools[i];

		if (status.st_ino == pool->inode && status.st_dev == pool->device)
			return (struct redirection){.path = pool->work, .pool = (int)i};
		if (is_work(pool, &status))
			result.pool = (int)i;
	}
	return result;
}
