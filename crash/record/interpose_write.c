/* interpose_write.c: stands in for the C library's functions that write to files and change their size */
/* SPDX-License-Identifier: BSD-3-Clause */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>
#pragma GCC visibility pop

#include "effect.h"
#include "next.h"

/* An offset of -1 stands for the descriptor's position. */
static void effect_wrote_v2(struct effect *effect, off_t offset, ssize_t length, int flags)
{
	if (offset == -1)
		effect_wrote(effect, NULL, length);
	else
		effect_wrote_at(effect, offset, length, flags & (RWF_DSYNC | RWF_SYNC));
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	static void *found;
	__typeof__(write) *const next = next_function(&found, "write");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, bytes, length);

	effect_wrote(&effect, bytes, result);
	return result;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	static void *found;
	__typeof__(writev) *const next = next_function(&found, "writev");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, parts, count);

	effect_wrote(&effect, NULL, result);
	return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	static void *found;
	__typeof__(pwrite) *const next = next_function(&found, "pwrite");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, bytes, length, offset);

	effect_wrote_at(&effect, offset, result, false);
	return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	static void *found;
	__typeof__(pwrite64) *const next = next_function(&found, "pwrite64");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, bytes, length, offset);

	effect_wrote_at(&effect, offset, result, false);
	return result;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	static void *found;
	__typeof__(pwritev) *const next = next_function(&found, "pwritev");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, parts, count, offset);

	effect_wrote_at(&effect, offset, result, false);
	return result;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	static void *found;
	__typeof__(pwritev64) *const next = next_function(&found, "pwritev64");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, parts, count, offset);

	effect_wrote_at(&effect, offset, result, false);
	return result;
}

ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	static void *found;
	__typeof__(pwritev2) *const next = next_function(&found, "pwritev2");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, parts, count, offset, flags);

	effect_wrote_v2(&effect, offset, result, flags);
	return result;
}

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
	static void *found;
	__typeof__(pwritev64v2) *const next = next_function(&found, "pwritev64v2");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const ssize_t result = next(fd, parts, count, offset, flags);

	effect_wrote_v2(&effect, offset, result, flags);
	return result;
}

int ftruncate(int fd, off_t length)
{
	static void *found;
	__typeof__(ftruncate) *const next = next_function(&found, "ftruncate");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, length);

	effect_changed(&effect, result == 0);
	return result;
}

int ftruncate64(int fd, off64_t length)
{
	static void *found;
	__typeof__(ftruncate64) *const next = next_function(&found, "ftruncate64");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, length);

	effect_changed(&effect, result == 0);
	return result;
}

int fallocate(int fd, int mode, off_t offset, off_t length)
{
	static void *found;
	__typeof__(fallocate) *const next = next_function(&found, "fallocate");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, mode, offset, length);

	effect_changed(&effect, result == 0);
	return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	static void *found;
	__typeof__(fallocate64) *const next = next_function(&found, "fallocate64");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, mode, offset, length);

	effect_changed(&effect, result == 0);
	return result;
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	static void *found;
	__typeof__(posix_fallocate) *const next = next_function(&found, "posix_fallocate");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, offset, length);

	effect_changed(&effect, result == 0);
	return result;
}

int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
	static void *found;
	__typeof__(posix_fallocate64) *const next = next_function(&found, "posix_fallocate64");
	struct effect effect = effect_begin(fd, __builtin_return_address(0), __builtin_frame_address(0));
	const int result = next(fd, offset, length);

	effect_changed(&effect, result == 0);
	return result;
}

/*
 * What comes from another descriptor may have to be waited for, and perhaps
 * from a thread of this program: no lock is held meanwhile, and what was done
 * to the file is found afterwards.
 */
static void changed_meanwhile(int fd, const void *site, const void *frame, ssize_t result)
{
	struct effect effect;

	if (result <= 0)
		return;
	effect = effect_begin(fd, site, frame);
	effect_changed(&effect, true);
}

ssize_t sendfile(int to, int from, off_t *offset, size_t length)
{
	static void *found;
	__typeof__(sendfile) *const next = next_function(&found, "sendfile");
	const ssize_t result = next(to, from, offset, length);

	changed_meanwhile(to, __builtin_return_address(0), __builtin_frame_address(0), result);
	return result;
}

ssize_t sendfile64(int to, int from, off64_t *offset, size_t length)
{
	static void *found;
	__typeof__(sendfile64) *const next = next_function(&found, "sendfile64");
	const ssize_t result = next(to, from, offset, length);

	changed_meanwhile(to, __builtin_return_address(0), __builtin_frame_address(0), result);
	return result;
}

ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags)
{
	static void *found;
	__typeof__(copy_file_range) *const next = next_function(&found, "copy_file_range");
	const ssize_t result = next(from, from_offset, to, to_offset, length, flags);

	changed_meanwhile(to, __builtin_return_address(0), __builtin_frame_address(0), result);
	return result;
}

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length, unsigned flags)
{
	static void *found;
	__typeof__(splice) *const next = next_function(&found, "splice");
	const ssize_t result = next(from, from_offset, to, to_offset, length, flags);

	changed_meanwhile(to, __builtin_return_address(0), __builtin_frame_address(0), result);
	return result;
}
