/* interpose_names.c: stands in for the C library's functions that take a file's name and do not open it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The user's pool files stay as they are: what a program does to one by name
 * is done to its working copy.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

/* Programs built before glibc 2.33 call these instead of stat() and its like. */
int __xstat(int version, const char *path, struct stat *status);
int __xstat64(int version, const char *path, struct stat64 *status);
int __lxstat(int version, const char *path, struct stat *status);
int __lxstat64(int version, const char *path, struct stat64 *status);
int __fxstatat(int version, int directory, const char *path, struct stat *status, int flags);
int __fxstatat64(int version, int directory, const char *path, struct stat64 *status, int flags);
#pragma GCC visibility pop

#include "effect.h"
#include "next.h"

#include <errno.h>

/* Opened, so that the change is told like that of any descriptor. */
static int truncate_redirected(const char *path, off_t length, const void *site)
{
	static void *found;
	__typeof__(truncate) *const next = next_function(&found, "truncate");
	const struct redirection redirection = redirect(AT_FDCWD, path, true);
	struct effect effect;
	int fd, result;

	if (redirection.pool < 0)
		return next(path, length);
	fd = open(redirection.path, O_WRONLY | O_CLOEXEC);
	effect = effect_begin(fd, site, __builtin_frame_address(0));
	result = next(redirection.path, length);
	effect_changed(&effect, result == 0);
	if (fd >= 0)
		close(fd);
	return result;
}

static void remark_on_removal(const struct redirection *redirection)
{
	if (redirection->pool >= 0)
		record_remark("the program removed a pool file: in the crash images it is still there, or empty");
}

/* A pool that changes its name, or takes the place of another file, is nothing that a trace can say. */
static bool refuses_rename(int from_directory, const char *from, int to_directory, const char *to)
{
	if (redirect(from_directory, from, false).pool < 0 && redirect(to_directory, to, false).pool < 0)
		return false;
	record_remark("the program tried to rename a pool file, or another file over it, and was refused (EXDEV): "
		      "this cannot be recorded");
	if (recording.session)
		atomic_store(&recording.session->overrun, 1);
	errno = EXDEV;
	return true;
}

int stat(const char *path, struct stat *status)
{
	static void *found;
	__typeof__(stat) *const next = next_function(&found, "stat");

	return next(redirect(AT_FDCWD, path, true).path, status);
}

int lstat(const char *path, struct stat *status)
{
	static void *found;
	__typeof__(lstat) *const next = next_function(&found, "lstat");

	return next(redirect(AT_FDCWD, path, false).path, status);
}

int fstatat(int directory, const char *path, struct stat *status, int flags)
{
	static void *found;
	__typeof__(fstatat) *const next = next_function(&found, "fstatat");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, status, flags);
}

int __xstat(int version, const char *path, struct stat *status)
{
	static void *found;
	__typeof__(__xstat) *const next = next_function(&found, "__xstat");

	return next(version, redirect(AT_FDCWD, path, true).path, status);
}

int __lxstat(int version, const char *path, struct stat *status)
{
	static void *found;
	__typeof__(__lxstat) *const next = next_function(&found, "__lxstat");

	return next(version, redirect(AT_FDCWD, path, false).path, status);
}

int __fxstatat(int version, int directory, const char *path, struct stat *status, int flags)
{
	static void *found;
	__typeof__(__fxstatat) *const next = next_function(&found, "__fxstatat");

	return next(version, directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, status, flags);
}

int stat64(const char *path, struct stat64 *status)
{
	static void *found;
	__typeof__(stat64) *const next = next_function(&found, "stat64");

	return next(redirect(AT_FDCWD, path, true).path, status);
}

int lstat64(const char *path, struct stat64 *status)
{
	static void *found;
	__typeof__(lstat64) *const next = next_function(&found, "lstat64");

	return next(redirect(AT_FDCWD, path, false).path, status);
}

int fstatat64(int directory, const char *path, struct stat64 *status, int flags)
{
	static void *found;
	__typeof__(fstatat64) *const next = next_function(&found, "fstatat64");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, status, flags);
}

int __xstat64(int version, const char *path, struct stat64 *status)
{
	static void *found;
	__typeof__(__xstat64) *const next = next_function(&found, "__xstat64");

	return next(version, redirect(AT_FDCWD, path, true).path, status);
}

int __lxstat64(int version, const char *path, struct stat64 *status)
{
	static void *found;
	__typeof__(__lxstat64) *const next = next_function(&found, "__lxstat64");

	return next(version, redirect(AT_FDCWD, path, false).path, status);
}

int __fxstatat64(int version, int directory, const char *path, struct stat64 *status, int flags)
{
	static void *found;
	__typeof__(__fxstatat64) *const next = next_function(&found, "__fxstatat64");

	return next(version, directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, status, flags);
}

int statx(int directory, const char *restrict path, int flags, unsigned mask, struct statx *restrict status)
{
	static void *found;
	__typeof__(statx) *const next = next_function(&found, "statx");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, flags, mask, status);
}

int access(const char *path, int mode)
{
	static void *found;
	__typeof__(access) *const next = next_function(&found, "access");

	return next(redirect(AT_FDCWD, path, true).path, mode);
}

int faccessat(int directory, const char *path, int mode, int flags)
{
	static void *found;
	__typeof__(faccessat) *const next = next_function(&found, "faccessat");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, mode, flags);
}

int chmod(const char *path, mode_t mode)
{
	static void *found;
	__typeof__(chmod) *const next = next_function(&found, "chmod");

	return next(redirect(AT_FDCWD, path, true).path, mode);
}

int fchmodat(int directory, const char *path, mode_t mode, int flags)
{
	static void *found;
	__typeof__(fchmodat) *const next = next_function(&found, "fchmodat");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, mode, flags);
}

int chown(const char *path, uid_t owner, gid_t group)
{
	static void *found;
	__typeof__(chown) *const next = next_function(&found, "chown");

	return next(redirect(AT_FDCWD, path, true).path, owner, group);
}

int utime(const char *path, const struct utimbuf *times)
{
	static void *found;
	__typeof__(utime) *const next = next_function(&found, "utime");

	return next(redirect(AT_FDCWD, path, true).path, times);
}

int utimes(const char *path, const struct timeval times[2])
{
	static void *found;
	__typeof__(utimes) *const next = next_function(&found, "utimes");

	return next(redirect(AT_FDCWD, path, true).path, times);
}

int utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
	static void *found;
	__typeof__(utimensat) *const next = next_function(&found, "utimensat");

	return next(directory, redirect(directory, path, !(flags & AT_SYMLINK_NOFOLLOW)).path, times, flags);
}

int truncate(const char *path, off_t length)
{
	return truncate_redirected(path, length, __builtin_return_address(0));
}

int truncate64(const char *path, off64_t length)
{
	return truncate_redirected(path, length, __builtin_return_address(0));
}

int unlink(const char *path)
{
	static void *found;
	__typeof__(unlink) *const next = next_function(&found, "unlink");
	const struct redirection redirection = redirect(AT_FDCWD, path, false);

	remark_on_removal(&redirection);
	return next(redirection.path);
}

int unlinkat(int directory, const char *path, int flags)
{
	static void *found;
	__typeof__(unlinkat) *const next = next_function(&found, "unlinkat");
	const struct redirection redirection = redirect(directory, path, false);

	remark_on_removal(&redirection);
	return next(directory, redirection.path, flags);
}

int remove(const char *path)
{
	static void *found;
	__typeof__(remove) *const next = next_function(&found, "remove");
	const struct redirection redirection = redirect(AT_FDCWD, path, false);

	remark_on_removal(&redirection);
	return next(redirection.path);
}

int rename(const char *from, const char *to)
{
	static void *found;
	__typeof__(rename) *const next = next_function(&found, "rename");

	if (refuses_rename(AT_FDCWD, from, AT_FDCWD, to))
		return -1;
	return next(from, to);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	static void *found;
	__typeof__(renameat) *const next = next_function(&found, "renameat");

	if (refuses_rename(from_directory, from, to_directory, to))
		return -1;
	return next(from_directory, from, to_directory, to);
}

int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags)
{
	static void *found;
	__typeof__(renameat2) *const next = next_function(&found, "renameat2");

	if (refuses_rename(from_directory, from, to_directory, to))
		return -1;
	return next(from_directory, from, to_directory, to, flags);
}
