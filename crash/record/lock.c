/* lock.c: the writers' lock: one for all threads of all processes of the program */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The word is the holder's thread id, so that whoever waits in vain can see that
 * the holder is no more: a program under test may be killed anywhere. Nothing
 * that the lock protects is ever left half done: events are published with one
 * store, and the shadow follows them.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	CONTENDED = 1u << 31,
	SPINS = 100,
	PATIENCE = 20 * 1000 * 1000, /* nanoseconds until a waiter looks whether the holder lives */
};

uint32_t record_thread_id(void)
{
	if (!record_self.id)
		record_self.id = (uint32_t)syscall(SYS_gettid);
	return record_self.id;
}

char record_thread_state(uint32_t id)
{
	char path[64], text[512];
	const char *end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", id);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return errno == ENOENT ? 'X' : '?';
	length = syscall(SYS_read, fd, text, sizeof(text) - 1);
	syscall(SYS_close, fd);
	text[length > 0 ? length : 0] = '\0';
	end = strrchr(text, ')');
	if (!end || end[1] == '\0')
		return 'X';
	return end[2];
}

static bool is_dead(uint32_t holder)
{
	const char state = record_thread_state(holder);

	return state == 'X' || state == 'Z';
}

/* Waits until the word may have changed, and frees it where its holder has died. */
static void wait_for(_Atomic uint32_t *lock, uint32_t seen)
{
	const struct timespec patience = {.tv_nsec = PATIENCE};
	uint32_t expected = seen;

	if (syscall(SYS_futex, lock, FUTEX_WAIT, seen, &patience, NULL, 0) == 0 || errno != ETIMEDOUT)
		return;
	if (is_dead(seen & ~CONTENDED))
		atomic_compare_exchange_strong(lock, &expected, 0);
}

static void lock_slowly(_Atomic uint32_t *lock, uint32_t self)
{
	const int error = errno;
	uint32_t seen;

	for (int i = 0; i < SPINS; i++) {
		seen = 0;
		if (atomic_compare_exchange_weak(lock, &seen, self))
			return;
	}
	for (;;) {
		seen = 0;
		/* Others may wait as well: whoever took the slow way lets go the slow way. */
		if (atomic_compare_exchange_strong(lock, &seen, self | CONTENDED))
			break;
		if (!(seen & CONTENDED) && !atomic_compare_exchange_strong(lock, &seen, seen | CONTENDED))
			continue;
		wait_for(lock, seen | CONTENDED);
	}
	errno = error;
}

void record_lock(void)
{
	const uint32_t self = record_thread_id();
	uint32_t seen = 0;

	if (!atomic_compare_exchange_strong_explicit(recording.lock, &seen, self, memory_order_acquire,
						     memory_order_relaxed))
		lock_slowly(recording.lock, self);
}

void record_unlock(void)
{
	if (atomic_exchange_explicit(recording.lock, 0, memory_order_release) & CONTENDED)
		syscall(SYS_futex, recording.lock, FUTEX_WAKE, 1, NULL, NULL, 0);
}
