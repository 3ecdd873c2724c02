/* interpose_open.c: stands in for the C library's functions that open files: a pool's name leads to its working copy */
/* SPDX-License-Identifier: BSD-3-Clause */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

/* What programs built with _FORTIFY_SOURCE call. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);
#pragma GCC visibility pop

#include "next.h"
#include "opened.h"

/* On the working copies O_DIRECT is refused or changes nothing that is judged. */
static int open_redirected(int directory, const char *path, int flags, mode_t mode, const void *site)
{
	static void *found;
	__typeof__(openat) *const next = next_function(&found, "openat");
	const struct redirection redirection = redirect(directory, path, !(flags & O_NOFOLLOW));
	struct opening opening;
	int fd;

	if (redirection.pool < 0)
		return next(directory, path, flags, mode);
	opening = opening_begin(&redirection, site, __builtin_frame_address(0));
	fd = next(directory, redirection.path, flags & ~O_DIRECT, mode);
	opening_end(&opening, fd);
	return fd;
}

static bool takes_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (takes_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_redirected(AT_FDCWD, path, flags, mode, __builtin_return_address(0));
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (takes_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_redirected(AT_FDCWD, path, flags, mode, __builtin_return_address(0));
}

int openat(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (takes_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_redirected(directory, path, flags, mode, __builtin_return_address(0));
}

int openat64(int directory, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list arguments;

	va_start(arguments, flags);
	if (takes_mode(flags))
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return open_redirected(directory, path, flags, mode, __builtin_return_address(0));
}

int __open_2(const char *path, int flags)
{
	return open_redirected(AT_FDCWD, path, flags, 0, __builtin_return_address(0));
}

int __open64_2(const char *path, int flags)
{
	return open_redirected(AT_FDCWD, path, flags, 0, __builtin_return_address(0));
}

int __openat_2(int directory, const char *path, int flags)
{
	return open_redirected(directory, path, flags, 0, __builtin_return_address(0));
}

int __openat64_2(int directory, const char *path, int flags)
{
	return open_redirected(directory, path, flags, 0, __builtin_return_address(0));
}

int creat(const char *path, mode_t mode)
{
	return open_redirected(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, __builtin_return_address(0));
}

int creat64(const char *path, mode_t mode)
{
	return open_redirected(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, __builtin_return_address(0));
}

static FILE *open_stream(void **found, const char *name, const char *path, const char *mode, FILE *stream,
			 const void *site)
{
	__typeof__(freopen) *const reopen = stream ? next_function(found, name) : NULL;
	__typeof__(fopen) *const open_new = stream ? NULL : next_function(found, name);
	const struct redirection redirection = redirect(AT_FDCWD, path, true);
	struct opening opening = opening_begin(&redirection, site, __builtin_frame_address(0));
	FILE *result;

	/* What the stream writes is not seen. */
	if (redirection.pool >= 0)
		atomic_store(&recording.session->untracked, 1);
	result = stream ? reopen(redirection.path, mode, stream) : open_new(redirection.path, mode);
	opening_end(&opening, result ? fileno(result) : -1);
	return result;
}

FILE *fopen(const char *path, const char *mode)
{
	static void *found;

	return open_stream(&found, "fopen", path, mode, NULL, __builtin_return_address(0));
}

FILE *fopen64(const char *path, const char *mode)
{
	static void *found;

	return open_stream(&found, "fopen64", path, mode, NULL, __builtin_return_address(0));
}

FILE *freopen(const char *path, const char *mode, FILE *stream)
{
	static void *found;

	return open_stream(&found, "freopen", path, mode, stream, __builtin_return_address(0));
}

FILE *freopen64(const char *path, const char *mode, FILE *stream)
{
	static void *found;

	return open_stream(&found, "freopen64", path, mode, stream, __builtin_return_address(0));
}
