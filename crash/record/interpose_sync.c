/* interpose_sync.c: stands in for the C library's functions that make files durable */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sync_file_range(2) is not among them: it promises nothing.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>
#pragma GCC visibility pop

#include "effect.h"
#include "next.h"

int fsync(int fd)
{
	static void *found;
	__typeof__(fsync) *const next = next_function(&found, "fsync");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd);

	effect_synced(&effect, result == 0, 0, effect.size);
	return result;
}

int fdatasync(int fd)
{
	static void *found;
	__typeof__(fdatasync) *const next = next_function(&found, "fdatasync");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd);

	effect_synced(&effect, result == 0, 0, effect.size);
	return result;
}

void sync(void)
{
	static void *found;
	__typeof__(sync) *const next = next_function(&found, "sync");
	struct effect effect = effect_begin_everything(__builtin_return_address(0), __builtin_frame_address(0));

	next();
	effect_synced_everything(&effect, true);
}

/* Any file of the file system may be meant by fd: the pools' copies lie elsewhere than the pools. */
int syncfs(int fd)
{
	static void *found;
	__typeof__(syncfs) *const next = next_function(&found, "syncfs");
	struct effect effect = effect_begin_everything(__builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd);

	effect_synced_everything(&effect, result == 0);
	return result;
}

int msync(void *address, size_t length, int flags)
{
	static void *found;
	__typeof__(msync) *const next = next_function(&found, "msync");
	struct effect effect = {0};
	int result;

	if (flags & MS_SYNC)
		effect = effect_begin_mapped(address, length, __builtin_return_address(0), __builtin_frame_address(0));
	result = next(address, length, flags);
	effect_synced_mapped(&effect, result == 0, address, length);
	return result;
}
