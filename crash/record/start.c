/* start.c: begins the recording when the program starts, before anything of it runs */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The object is linked with -z initfirst: not even the C++ library has looked at
 * stdout when it is replaced here. The C library's own variables (environ) may
 * not be set yet; the loader passes the environment.
 */
#define _GNU_SOURCE
#include "environment.h"
#include "recording.h"
#include "schedule.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *variable(char **environment, const char *name)
{
	const size_t length = strlen(name);

	for (; environment && *environment; environment++) {
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	}
	return NULL;
}

static void *map_file(void *address, size_t length, int fd, size_t offset)
{
	const int flags = MAP_SHARED | MAP_POPULATE | (address ? MAP_FIXED : 0);

	return (void *)syscall(SYS_mmap, address, length, PROT_READ | PROT_WRITE, flags, fd, offset);
}

/* The header alone where nothing is recorded; else the ring behind it, and once more, so that events need not be split. */
static struct session *map_session(int fd, bool with_ring)
{
	const size_t header = offsetof(struct session, ring);
	unsigned char *at;

	if (!with_ring)
		return map_file(NULL, header, fd, 0);
	at = (void *)syscall(SYS_mmap, NULL, header + 2 * (size_t)SESSION_RING, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
	if (at == MAP_FAILED)
		return MAP_FAILED;
	if (map_file(at, header + SESSION_RING, fd, 0) == MAP_FAILED ||
	    map_file(at + header + SESSION_RING, SESSION_RING, fd, header) == MAP_FAILED)
		return MAP_FAILED;
	return (void *)at;
}

/* For programs that this one executes; see environment.h. */
static void keep_for_children(const char *path)
{
	Dl_info own;

	if (dladdr((void *)(uintptr_t)keep_for_children, &own))
		environment_keep(path, own.dli_fname);
}

static struct session *open_session(const char *path)
{
	const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	struct session *session = MAP_FAILED;
	uint32_t begin[2];

	if (fd < 0)
		return NULL;
	if (syscall(SYS_pread64, fd, begin, sizeof(begin), 0L) == sizeof(begin) && begin[0] == SESSION_VERSION)
		session = map_session(fd, begin[1] & SESSION_RECORD);
	syscall(SYS_close, fd);
	return session == MAP_FAILED ? NULL : session;
}

static void map_load_maps(struct session *session)
{
	for (uint32_t i = 0; i < session->pool_count; i++) {
		const size_t length = (session->pools[i].size / SESSION_LOADS_UNIT + 8) / 8;
		const int fd = (int)syscall(SYS_openat, AT_FDCWD, session->pools[i].loads, O_RDWR | O_CLOEXEC, 0);
		void *map = fd < 0 ? MAP_FAILED : map_file(NULL, length, fd, 0);

		if (map != MAP_FAILED)
			recording.loads[i] = map;
		if (fd >= 0)
			syscall(SYS_close, fd);
	}
}

/* A forked child is a process of its own in the trace, which shares shadow and ring. */
static void before_fork(void)
{
	if (recording.on && !record_self.inside)
		record_lock();
}

static void after_fork_in_parent(void)
{
	if (recording.on && !record_self.inside)
		record_unlock();
}

static void after_fork_in_child(void)
{
	record_self.id = 0;
	record_self.epoch = 0;
	record_self.unfenced = false;
	record_self.inside = false;
	record_self.is_owner = false;
	recording.counted = false;
	stack_forget();
	atomic_store(&recording.session->untracked, 1);
	tracking_forget();
	mapping_forget_tracking();
	schedule_restart();
}

__attribute__((constructor)) static void start(int argc, char **argv, char **environment)
{
	const char *path = variable(environment, SESSION_VARIABLE);
	struct session *session = path ? open_session(path) : NULL;
	uint64_t size;

	(void)argc;
	(void)argv;
	if (!session)
		return;
	recording.session = session;
	keep_for_children(path);
	recording.unit = session->unit;
	recording.pool_count = session->pool_count;
	recording.lock = &session->lock;
	if (session->mode & SESSION_LOADS)
		map_load_maps(session);
	recording.follows = session->mode & (SESSION_RECORD | SESSION_LOADS);
	if (!(session->mode & SESSION_RECORD))
		return;
	record_lock_restart(&session->lock);
	recording.sink = &ring_sink;
	recording.epoch = 1;
	ring_use(session, path);
	identify_output();
	if (identify(STDOUT_FILENO, &size) == IDENTITY_OUTPUT)
		output_replace_stream();
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
	recording.on = true;
	if (session->seed)
		schedule_start(session->seed);
}

/* exit(3); what is printed or stored later is told as it comes. */
__attribute__((destructor)) static void settle_at_exit(void)
{
	record_settle();
}
