/* output.c: what the program writes to its standard output */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes that go through write(2) and its like are seen by the interposers.
 * The C library's own streams do not call them by name: stdout is replaced,
 * before anything of the program runs, by a stream that does. What is written
 * in yet another way (a stream in wide orientation, a program without the
 * recorder, system calls of one's own) is found in the file later and told
 * then: late is on the safe side, a promise is never told before it was made.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PIECE = 4096 };

void output_tell(const void *bytes, size_t length, const struct origin *origin)
{
	tell_payload(TRACE_OUTPUT, 0, origin, 0, 0, bytes, length);
	atomic_fetch_add(&recording.session->output_told, length);
}

void output_catch_up(const struct origin *origin)
{
	const int error = errno;
	char piece[PIECE];
	ssize_t length;
	int fd;

	fd = (int)syscall(SYS_openat, AT_FDCWD, recording.session->output, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((length = syscall(SYS_pread64, fd, piece, sizeof(piece), recording.session->output_told)) > 0)
		output_tell(piece, (size_t)length, origin);
	syscall(SYS_close, fd);
	errno = error;
}

/* The stream's functions: as a stream on descriptor 1 would do, through the interposed names. */

static ssize_t stream_write(void *unused, const char *bytes, size_t length)
{
	size_t done = 0;

	(void)unused;
	while (done < length) {
		const ssize_t written = write(STDOUT_FILENO, bytes + done, length - done);

		if (written < 0)
			break;
		done += (size_t)written;
	}
	return (ssize_t)done;
}

static int stream_seek(void *unused, off64_t *position, int whence)
{
	const off64_t reached = lseek64(STDOUT_FILENO, *position, whence);

	(void)unused;
	if (reached < 0)
		return -1;
	*position = reached;
	return 0;
}

static int stream_close(void *unused)
{
	(void)unused;
	return close(STDOUT_FILENO);
}

/*
 * A stream of fopencookie() knows no wide characters: it borrows what it needs
 * for them from one that does.
 */
static void allow_wide_orientation(FILE *stream)
{
	FILE *lender = fopen("/dev/null", "we");

	if (!lender)
		return;
	stream->_wide_data = lender->_wide_data;
	stream->_mode = 0;
	close(lender->_fileno);
	lender->_fileno = STDOUT_FILENO;
}

void output_replace_stream(void)
{
	const cookie_io_functions_t functions = {
		.write = stream_write,
		.seek = stream_seek,
		.close = stream_close,
	};
	struct stat status;
	FILE *stream;

	if (fstat(STDOUT_FILENO, &status) < 0 || !S_ISREG(status.st_mode))
		return;
	stream = fopencookie(NULL, "w", functions);
	if (!stream)
		return;
	stream->_fileno = STDOUT_FILENO;
	setvbuf(stream, NULL, _IOFBF, (size_t)status.st_blksize);
	allow_wide_orientation(stream);
	stdout = stream;
}
