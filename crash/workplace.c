/* workplace.c: where the copies of the pools lie while a program is tested */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "workplace.h"

#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char prefix[] = "pmem-crash.";
static const char lock_name[] = "lock"; /* held (flock) by whoever works in the folder */

enum {
	COPIES = 4,         /* of each pool: start, work, shadow, image */
	BESIDES = 64 << 20, /* bytes: ring, output, and some air */
};

/* --- Removing folders --------------------------------------------------------------- */

struct linux_dirent64 {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

/* Everything below a directory. Safe in a signal handler. */
static void empty_directory(int directory, int depth)
{
	_Alignas(8) char buffer[4096];
	long length;

	while ((length = syscall(SYS_getdents64, directory, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < length;) {
			const struct linux_dirent64 *entry = (const void *)(buffer + at);
			int inner;

			at += entry->length;
			if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
				continue;
			if (unlinkat(directory, entry->name, 0) == 0 || depth == 0)
				continue;
			inner = openat(directory, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			if (inner < 0)
				continue;
			empty_directory(inner, depth - 1);
			close(inner);
			unlinkat(directory, entry->name, AT_REMOVEDIR);
		}
	}
}

static void remove_folder(const char *path)
{
	const int directory = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (directory < 0)
		return;
	empty_directory(directory, 3);
	close(directory);
	rmdir(path);
}

/* A folder whose lock nobody holds was left behind by a command that was killed. */
static void remove_left_behind(const char *parent)
{
	char path[PATH_MAX], lock[PATH_MAX + 8];
	DIR *directory = opendir(parent);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		struct stat status;
		int fd;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", parent, entry->d_name);
		snprintf(lock, sizeof(lock), "%s/%s", path, lock_name);
		fd = open(lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0)
			continue;
		if (fstat(fd, &status) == 0 && status.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_folder(path);
		close(fd);
	}
	closedir(directory);
}

/* --- When this process is ended ------------------------------------------------------- */

static const int endings[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction before[sizeof(endings) / sizeof(endings[0])];
static char guarded_folder[PATH_MAX / 2];
static volatile pid_t guarded_group;
static pid_t owner;

static void end_by_signal(int signal)
{
	if (getpid() == owner) {
		if (guarded_group > 0)
			kill(-guarded_group, SIGKILL);
		process_kill_running();
		remove_folder(guarded_folder);
	}
	sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	raise(signal);
}

static void catch_endings(const char *folder)
{
	struct sigaction action = {.sa_handler = end_by_signal, .sa_flags = SA_RESTART};

	snprintf(guarded_folder, sizeof(guarded_folder), "%s", folder);
	owner = getpid();
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		sigaction(endings[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(endings[i], &action, NULL);
	}
}

static void release_endings(void)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		sigaction(endings[i], &before[i], NULL);
}

void workplace_guard(int group)
{
	guarded_group = group;
}

/* --- Copies ---------------------------------------------------------------------------- */

static bool copy_range(int from, int to, off_t offset, off_t end)
{
	static char buffer[1 << 18];

	while (offset < end) {
		const size_t wanted = end - offset < (off_t)sizeof(buffer) ? (size_t)(end - offset) : sizeof(buffer);
		const ssize_t length = pread(from, buffer, wanted, offset);

		if (length <= 0)
			return length == 0;
		if (pwrite(to, buffer, (size_t)length, offset) != length) {
			if (errno == 0)
				errno = ENOSPC;
			return false;
		}
		offset += length;
	}
	return true;
}

/* Holes stay holes. */
static bool copy_data(int from, int to, off_t size)
{
	off_t data = 0, hole;

	while (data < size) {
		data = lseek(from, data, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || !copy_range(from, to, data, hole))
			return false;
		data = hole;
	}
	return true;
}

static bool copy_file(const char *from_path, const char *to_path)
{
	const int from = open(from_path, O_RDONLY | O_CLOEXEC);
	const int to = open(to_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat status;
	bool done = from >= 0 && to >= 0 && fstat(from, &status) == 0 && ftruncate(to, status.st_size) == 0 &&
		    fchmod(to, (status.st_mode & 0777) | 0600) == 0 && copy_data(from, to, status.st_size);
	const int error = errno;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	errno = error;
	return done;
}

void workplace_path(const struct workplace *workplace, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", workplace->folder, name);
}

static void start_path(const struct workplace *workplace, uint32_t pool, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "start-%u", pool);
	workplace_path(workplace, name, path);
}

bool workplace_copy(const struct workplace *workplace, uint32_t pool, const char *path)
{
	char from[PATH_MAX];

	start_path(workplace, pool, from);
	return copy_file(from, path);
}

/* --- Opening ----------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static bool fail(char **reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(reason, format, arguments) < 0)
		*reason = NULL;
	va_end(arguments);
	return false;
}

/* Its absolute name, and the bytes that it takes. */
static bool examine_pool(struct start *start, const char *path, uint64_t *bytes, char **reason)
{
	const uint32_t index = start->pool_count;
	struct stat status;
	char *name;

	if (index == IMAGE_POOLS)
		return fail(reason, "more than %d pools", IMAGE_POOLS);
	if (stat(path, &status) < 0)
		return fail(reason, "pool %s: %s%s", path, strerror(errno),
			    errno == ENOENT ? "; it must exist, in the state in which the program finds it" : "");
	if (!S_ISREG(status.st_mode))
		return fail(reason, "pool %s: not a regular file", path);
	name = realpath(path, NULL);
	if (!name || access(name, R_OK) < 0) {
		fail(reason, "pool %s: %s", path, strerror(errno));
		free(name);
		return false;
	}
	for (uint32_t i = 0; i < index; i++) {
		if (strcmp(start->pools[i].name, name) == 0) {
			free(name);
			return fail(reason, "pool %s: named twice", path);
		}
	}
	start->pools[index].name = name;
	start->pools[index].size = (uint64_t)status.st_size;
	start->pool_count++;
	*bytes += (uint64_t)status.st_blocks * 512;
	return true;
}

static bool has_room(const char *parent, uint64_t bytes)
{
	struct statvfs status;

	return access(parent, W_OK | X_OK) == 0 && statvfs(parent, &status) == 0 &&
	       (uint64_t)status.f_bavail * status.f_frsize > bytes;
}

/* In memory if it fits: programs and checks are many times faster there. */
static bool make_folder(struct workplace *workplace, uint64_t bytes, char **reason)
{
	const char *temporary = getenv("TMPDIR");
	const char *parent = "/dev/shm";

	remove_left_behind(parent);
	if (!has_room(parent, bytes)) {
		parent = temporary && temporary[0] ? temporary : "/tmp";
		remove_left_behind(parent);
	}
	if (!has_room(parent, bytes))
		return fail(reason, "no room for %llu MiB of copies in /dev/shm and %s; TMPDIR names another place",
			    (unsigned long long)(bytes >> 20) + 1, parent);
	if (snprintf(workplace->folder, sizeof(workplace->folder), "%s/%sXXXXXX", parent, prefix) >=
	    (int)sizeof(workplace->folder))
		return fail(reason, "%s: this name is too long", parent);
	if (!mkdtemp(workplace->folder)) {
		fail(reason, "a folder in %s: %s", parent, strerror(errno));
		workplace->folder[0] = '\0';
		return false;
	}
	return true;
}

static int take_lock(const struct workplace *workplace)
{
	char path[PATH_MAX];
	int fd;

	workplace_path(workplace, lock_name, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		flock(fd, LOCK_EX);
	return fd;
}

static bool map_start(struct workplace *workplace, uint32_t pool, char **reason)
{
	const uint64_t size = workplace->start.pools[pool].size;
	char path[PATH_MAX];
	void *bytes;
	int fd;

	start_path(workplace, pool, path);
	if (!copy_file(workplace->start.pools[pool].name, path))
		return fail(reason, "pool %s: copying it to %s: %s", workplace->start.pools[pool].name,
			    workplace->folder, strerror(errno));
	if (size == 0)
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	bytes = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (bytes == MAP_FAILED)
		return fail(reason, "pool %s: %s", workplace->start.pools[pool].name, strerror(errno));
	workplace->start.pools[pool].bytes = bytes;
	return true;
}

static bool open_all(struct workplace *workplace, const char *const *pools, uint32_t count, char **reason)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (!examine_pool(&workplace->start, pools[i], &bytes, reason))
			return false;
	}
	if (!make_folder(workplace, COPIES * bytes + BESIDES, reason))
		return false;
	catch_endings(workplace->folder);
	workplace->lock = take_lock(workplace);
	for (uint32_t i = 0; i < count; i++) {
		if (!map_start(workplace, i, reason))
			return false;
	}
	return true;
}

struct workplace *workplace_open(const char *const *pools, uint32_t count, uint32_t unit, char **reason)
{
	struct workplace *workplace = calloc(1, sizeof(*workplace));

	*reason = NULL;
	if (!workplace)
		return NULL;
	workplace->start.unit = unit;
	workplace->lock = -1;
	if (open_all(workplace, pools, count, reason))
		return workplace;
	workplace_close(workplace);
	return NULL;
}

void workplace_close(struct workplace *workplace)
{
	if (workplace->folder[0]) {
		remove_folder(workplace->folder);
		release_endings();
		if (workplace->lock >= 0)
			close(workplace->lock);
	}
	for (uint32_t i = 0; i < workplace->start.pool_count; i++) {
		if (workplace->start.pools[i].bytes)
			munmap((void *)workplace->start.pools[i].bytes, workplace->start.pools[i].size);
		free((char *)workplace->start.pools[i].name);
	}
	free(workplace);
}
