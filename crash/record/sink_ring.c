/* sink_ring.c: events go through the session's ring to the command */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	WAIT = 100 * 1000,        /* nanoseconds between two looks at a full ring */
	LOOKS_BEFORE_DOUBT = 500, /* until the command is suspected to be gone */
};

static struct session *session;
static char session_path[PATH_MAX];
static uint64_t read_seen; /* what the command had read when we last looked */

/* Has the command gone without a word? Then its lock on the session file is free, or the file is. */
static bool is_command_gone(void)
{
	const int fd = (int)syscall(SYS_openat, AT_FDCWD, session_path, O_RDONLY | O_CLOEXEC, 0);
	bool gone;

	if (fd < 0)
		return errno == ENOENT;
	gone = flock(fd, LOCK_SH | LOCK_NB) == 0;
	syscall(SYS_close, fd);
	return gone;
}

/* The command reads; until there is room the program waits. */
static bool wait_for_room(uint64_t written, size_t size)
{
	const struct timespec pause = {.tv_nsec = WAIT};
	const int error = errno;

	for (int looks = 1;; looks++) {
		read_seen = atomic_load_explicit(&session->read, memory_order_acquire);
		if (written + size - read_seen <= SESSION_RING)
			break;
		if (looks % LOOKS_BEFORE_DOUBT == 0 && is_command_gone()) {
			recording.on = false;
			errno = error;
			return false;
		}
		syscall(SYS_nanosleep, &pause, NULL);
	}
	errno = error;
	return true;
}

static void *reserve(size_t size)
{
	const uint64_t written = atomic_load_explicit(&session->written, memory_order_relaxed);

	if (written + size - read_seen > SESSION_RING && !wait_for_room(written, size))
		return NULL;
	return session->ring + written % SESSION_RING;
}

static void commit(size_t size)
{
	const uint64_t written = atomic_load_explicit(&session->written, memory_order_relaxed);

	atomic_store_explicit(&session->written, written + size, memory_order_release);
}

static void store(unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t word)
{
	const uint64_t site = (uintptr_t)origin->site;
	struct ring_store *place;

	if (offset >= RING_STORE_END || site >> RING_STORE_POOL || origin->stack != STACK_NONE) {
		tell_payload(TRACE_STORE, flags, origin, pool, offset, &word, sizeof(word));
		return;
	}
	place = reserve(sizeof(*place));
	if (!place)
		return;
	*place = (struct ring_store){
		.head = RING_STORE | flags << 8 | (uint32_t)record_self.number << 16,
		.offset = (uint32_t)offset,
		.place = site | (uint64_t)pool << RING_STORE_POOL,
		.word = word,
	};
	commit(sizeof(*place));
}

const struct record_sink ring_sink = {.reserve = reserve, .commit = commit, .store = store};

void ring_use(struct session *mapped, const char *path)
{
	session = mapped;
	snprintf(session_path, sizeof(session_path), "%s", path);
	read_seen = atomic_load(&session->read);
}
