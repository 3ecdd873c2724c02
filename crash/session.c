/* session.c: makes what the command and the recorder share */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the file, and of what is mapped: the ring twice, so that events need not be split. */
static size_t file_size(uint32_t mode)
{
	return mode & SESSION_RECORD ? sizeof(struct session) : offsetof(struct session, ring);
}

static size_t mapped_size(uint32_t mode)
{
	return file_size(mode) + (mode & SESSION_RECORD ? SESSION_RING : 0);
}

static struct session *map_file(int fd, uint32_t mode)
{
	unsigned char *at =
		mmap(NULL, mapped_size(mode), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;
	const size_t size = file_size(mode), ring = offsetof(struct session, ring);

	if (at == MAP_FAILED)
		return MAP_FAILED;
	if (mmap(at, size, protection, flags, fd, 0) != MAP_FAILED &&
	    (size == ring || mmap(at + size, SESSION_RING, protection, flags, fd, (off_t)ring) != MAP_FAILED))
		return (struct session *)at;
	munmap(at, mapped_size(mode));
	return MAP_FAILED;
}

struct session *session_create(const char *path, uint32_t mode)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct session *session = MAP_FAILED;
	int error;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)file_size(mode)) == 0)
		session = map_file(fd, mode);
	error = errno;
	close(fd);
	if (session == MAP_FAILED) {
		unlink(path);
		errno = error;
		return NULL;
	}
	if (mode & SESSION_RECORD)
		memset(session->ring, 0, sizeof(session->ring));
	session->mode = mode;
	session->version = SESSION_VERSION;
	return session;
}

void session_unmap(struct session *session)
{
	munmap(session, mapped_size(session->mode));
}

bool session_add_pool(struct session *session, const char *name, const char *work)
{
	struct session_pool *pool = &session->pools[session->pool_count];
	struct stat original, copy;

	if (session->pool_count == SESSION_POOLS || strlen(name) >= sizeof(pool->name) ||
	    strlen(work) >= sizeof(pool->work)) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (stat(name, &original) < 0 || stat(work, &copy) < 0)
		return false;
	strcpy(pool->name, name);
	strcpy(pool->work, work);
	pool->size = (uint64_t)copy.st_size;
	pool->device = original.st_dev;
	pool->inode = original.st_ino;
	pool->work_device = copy.st_dev;
	pool->work_inode = copy.st_ino;
	pool->work_size = (uint64_t)copy.st_size;
	session->pool_count++;
	return true;
}

/* NAME=VALUE entries of one environment, and room for their text. */
struct environment {
	char **entries;
	size_t count;
	char *text;
};

static bool is_called(const char *entry, const char *name_and_value)
{
	const size_t length = (size_t)(strchr(name_and_value, '=') - name_and_value) + 1;

	return strncmp(entry, name_and_value, length) == 0;
}

/* In place of an entry of the same name, or as a new one. */
static void set(struct environment *environment, const char *entry)
{
	size_t i = 0;

	while (i < environment->count && !is_called(environment->entries[i], entry))
		i++;
	environment->entries[i] = environment->text;
	environment->text = stpcpy(environment->text, entry) + 1;
	if (i == environment->count)
		environment->count++;
}

char **session_environment(const char *path, const char *recorder, const char *const *more)
{
	const char *preloaded = getenv("LD_PRELOAD");
	const bool others = preloaded && preloaded[0];
	char preload[2 * PATH_MAX + 64], session[PATH_MAX + 64];
	size_t count = 0, added = 3, bytes = sizeof(preload) + sizeof(session) + 64;
	struct environment environment = {0};

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s%s%s", recorder ? recorder : "", others ? ":" : "",
		 others ? preloaded : "");
	snprintf(session, sizeof(session), SESSION_VARIABLE "=%s", path ? path : "");
	while (environ && environ[count])
		bytes += strlen(environ[count++]) + 1;
	for (size_t i = 0; more && more[i]; i++, added++)
		bytes += strlen(more[i]) + 1;
	environment.entries = calloc(1, (count + added + 1) * sizeof(char *) + bytes);
	if (!environment.entries)
		return NULL;
	environment.text = (char *)(environment.entries + count + added + 1);
	for (size_t i = 0; i < count; i++)
		set(&environment, environ[i]);
	if (path) {
		set(&environment, preload);
		set(&environment, session);
	}
	set(&environment, "PMEM_IS_PMEM_FORCE=1");
	for (size_t i = 0; more && more[i]; i++)
		set(&environment, more[i]);
	return environment.entries;
}
