/* proc.c: the only reader of /proc */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PMEM_TEST_BUILD
/* A test's own files, in the place of those that are about the machine and not about the process. */
static const char *machine_root(void)
{
	const char *root = getenv("PMEM_TEST_PROC");

	return root ? root : "/proc";
}
#else
static const char *machine_root(void)
{
	return "/proc";
}
#endif

/* Lines of a file, without stdio: the library must not allocate here. */
struct line_reader {
	int fd;
	size_t from, to;
	char buffer[PATH_MAX + 256];
};

static bool reader_open(struct line_reader *reader, const char *path)
{
	reader->fd = open(path, O_RDONLY | O_CLOEXEC);
	reader->from = reader->to = 0;
	return reader->fd >= 0;
}

/* Closes without disturbing the errno that the caller reports. */
static void reader_close(struct line_reader *reader)
{
	const int error = errno;

	close(reader->fd);
	errno = error;
}

static ssize_t reader_fill(struct line_reader *reader)
{
	ssize_t got;

	memmove(reader->buffer, reader->buffer + reader->from, reader->to - reader->from);
	reader->to -= reader->from;
	reader->from = 0;
	do {
		got = read(reader->fd, reader->buffer + reader->to, sizeof(reader->buffer) - 1 - reader->to);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		reader->to += (size_t)got;
	return got;
}

/* The next line without its newline, NULL at the end or on an error (errno set). A longer one is cut. */
static char *reader_next(struct line_reader *reader)
{
	char *line, *newline;
	ssize_t got;

	for (;;) {
		line = reader->buffer + reader->from;
		newline = memchr(line, '\n', reader->to - reader->from);
		if (newline)
			break;
		errno = 0;
		got = reader_fill(reader);
		if (got > 0)
			continue;
		if (reader->to == reader->from || got < 0)
			return NULL;
		line = reader->buffer + reader->from;
		newline = reader->buffer + reader->to;
		reader->to++;
		break;
	}
	*newline = '\0';
	reader->from = (size_t)(newline + 1 - reader->buffer);
	return line;
}

/* "\040" and its like, as the kernel writes blanks and newlines in paths. */
static void unescape(char *path)
{
	char *to = path;

	for (const char *from = path; *from; to++) {
		if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "7f1c000-7f1d000 rw-s 00000000 00:1c 1234   /path" */
static bool parse_vma(const char *line, struct vma *vma)
{
	unsigned long start, end, offset, inode;
	char permissions[5];
	int path_at = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &start, &end, permissions, &offset, &vma->major, &vma->minor,
		   &inode, &path_at) != 7)
		return false;
	vma->start = start;
	vma->end = end;
	vma->readable = permissions[0] == 'r';
	vma->shared = permissions[3] == 's';
	vma->map_sync = false;
	vma->offset = (off_t)offset;
	vma->inode = inode;
	strncpy(vma->path, line + path_at, sizeof(vma->path) - 1);
	vma->path[sizeof(vma->path) - 1] = '\0';
	unescape(vma->path);
	return true;
}

/* smaps has "VmFlags: rd wr sh ... sf ..." after each mapping's line. */
static void read_flags(struct line_reader *reader, struct vma *vma)
{
	const char *line;

	while ((line = reader_next(reader))) {
		if (strncmp(line, "VmFlags:", 8) == 0) {
			vma->map_sync = strstr(line, " sf") != NULL;
			return;
		}
	}
}

int proc_each_vma(uintptr_t start, uintptr_t end, enum vma_detail detail, int (*each)(const struct vma *vma, void *arg),
		  void *arg)
{
	struct line_reader reader;
	struct vma vma;
	const char *line;
	int result = 0;

	if (!reader_open(&reader, detail == VMA_FLAGS ? "/proc/self/smaps" : "/proc/self/maps"))
		return -1;
	while (result == 0 && (line = reader_next(&reader))) {
		if (!parse_vma(line, &vma) || vma.end <= start)
			continue;
		if (vma.start >= end)
			break;
		if (detail == VMA_FLAGS)
			read_flags(&reader, &vma);
		result = each(&vma, arg);
	}
	if (result == 0 && !line && errno)
		result = -1;
	reader_close(&reader);
	return result;
}

/*
 * What mountinfo says of the file system on a device, from its type on:
 * "36 35 98:0 /root /mount options optional... - ext4 /dev/sda options". NULL if
 * it is not mounted anywhere. The line is the reader's, to be closed by the caller.
 */
static const char *find_mount(struct line_reader *reader, unsigned major, unsigned minor)
{
	unsigned line_major, line_minor;
	const char *line, *type;

	while ((line = reader_next(reader))) {
		type = strstr(line, " - ");
		if (type && sscanf(line, "%*d %*d %u:%u", &line_major, &line_minor) == 2 && line_major == major &&
		    line_minor == minor)
			return type + 3;
	}
	return NULL;
}

static bool open_mounts(struct line_reader *reader)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/self/mountinfo", machine_root());
	return reader_open(reader, path);
}

bool proc_filesystem(unsigned major, unsigned minor, char *name, size_t size)
{
	struct line_reader reader;
	const char *type;

	if (!open_mounts(&reader))
		return false;
	type = find_mount(&reader, major, minor);
	if (type)
		snprintf(name, size, "%.*s", (int)strcspn(type, " "), type);
	reader_close(&reader);
	return type != NULL;
}

/* Copies the value of "option" or "option=value" from a list with commas. */
static bool find_option(const char *list, const char *option, char *value, size_t size)
{
	const size_t length = strlen(option);

	for (; *list; list += *list == ',') {
		const size_t item = strcspn(list, ",");

		if (item >= length && strncmp(list, option, length) == 0 && (item == length || list[length] == '=')) {
			const size_t skip = item == length ? length : length + 1;

			snprintf(value, size, "%.*s", (int)(item - skip), list + skip);
			return true;
		}
		list += item;
	}
	return false;
}

bool proc_mount_option(unsigned major, unsigned minor, const char *option, char *value, size_t size)
{
	struct line_reader reader;
	const char *type, *options;
	bool found = false;

	if (!open_mounts(&reader))
		return false;
	type = find_mount(&reader, major, minor);
	options = type ? strrchr(type, ' ') : NULL;
	if (options)
		found = find_option(options + 1, option, value, size);
	reader_close(&reader);
	return found;
}

/* The file is there if the kernel was built with memory-failure handling; 0 in it asks for a panic. */
bool proc_memory_failure_recovery(bool *known)
{
	char path[PATH_MAX], text[4] = "";
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%s/sys/vm/memory_failure_recovery", machine_root());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	*known = fd >= 0 || errno == ENOENT;
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	*known = length > 0;
	return length > 0 && text[0] == '1';
}

static void descriptor_link(int fd, char *link, size_t size)
{
	snprintf(link, size, "/proc/self/fd/%d", fd);
}

void proc_descriptor_path(int fd, char *path, size_t size)
{
	char link[32];
	ssize_t length;

	descriptor_link(fd, link, sizeof(link));
	length = readlink(link, path, size - 1);
	path[length < 0 ? 0 : length] = '\0';
}

int proc_reopen(int fd, int flags)
{
	char link[32];

	descriptor_link(fd, link, sizeof(link));
	return open(link, flags);
}
