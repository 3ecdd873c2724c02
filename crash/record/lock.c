/* lock.c: the writers' lock: one for all threads of all processes of the program */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words hold thread ids, so that whoever waits in vain can see that the other
 * is no more: a program under test may be killed anywhere. Nothing that the lock
 * protects is ever left half done: events are published with one store, and the
 * shadow follows them.
 *
 * Most programs store from one thread, and two locked instructions an event
 * are to be spared there. So the first thread owns the lock: it says that
 * it is inside and looks whether it is the owner still, without a barrier in
 * between. The first other thread, which has taken the lock as all others do,
 * ends that for good: membarrier(2) sees to it that the owner's store is seen
 * here, or the end of its ownership there.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	CONTENDED = 1u << 31,
	SPINS = 100,
	PATIENCE = 20 * 1000 * 1000, /* nanoseconds until a waiter looks whether the other lives */
};

/* No thread's ids, in the place of the owner's. */
enum { OWNER_NONE = 0, OWNER_ENDS = UINT32_MAX - 1, OWNER_NEVER = UINT32_MAX };

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

/* Waits until the word may have changed. True: the thread that it names is dead. */
static bool wait_in_vain(_Atomic uint32_t *word, uint32_t seen)
{
	const struct timespec patience = {.tv_nsec = PATIENCE};

	if (syscall(SYS_futex, word, FUTEX_WAIT, seen, &patience, NULL, 0) == 0 || errno != ETIMEDOUT)
		return false;
	return is_dead(seen & ~CONTENDED);
}

static void take_slowly(_Atomic uint32_t *holder, uint32_t self)
{
	uint32_t seen;

	for (int i = 0; i < SPINS; i++) {
		seen = 0;
		if (atomic_compare_exchange_weak(holder, &seen, self))
			return;
	}
	for (;;) {
		seen = 0;
		/* Others may wait as well: whoever took the slow way lets go the slow way. */
		if (atomic_compare_exchange_strong(holder, &seen, self | CONTENDED))
			return;
		if (!(seen & CONTENDED) && !atomic_compare_exchange_strong(holder, &seen, seen | CONTENDED))
			continue;
		seen |= CONTENDED;
		if (wait_in_vain(holder, seen))
			atomic_compare_exchange_strong(holder, &seen, 0);
	}
}

/* --- The owner ----------------------------------------------------------------------------- */

/* The owner's id, if it is a thread of this process: the kernel clears it in a child, which has our memory. */
static _Atomic uint32_t nobody;
static _Atomic uint32_t *own = &nobody;

static bool have_own(void)
{
	void *page;

	if (own != &nobody)
		return true;
	page = (void *)syscall(SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (page == MAP_FAILED)
		return false;
	if (syscall(SYS_madvise, page, 4096L, MADV_WIPEONFORK) < 0) {
		syscall(SYS_munmap, page, 4096L);
		return false;
	}
	own = page;
	return true;
}

static void become_owner(struct writers_lock *lock, uint32_t self)
{
	if (!have_own() || syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0) < 0) {
		atomic_store(&lock->owner, OWNER_NEVER);
		return;
	}
	atomic_store(own, self);
	atomic_store(&lock->owner, self);
}

/* The caller holds the lock. Others may have died here: all of it can be done again. */
static void end_ownership(struct writers_lock *lock)
{
	const struct timespec pause = {.tv_nsec = PATIENCE};
	uint32_t inside;

	atomic_store(&lock->owner, OWNER_ENDS);
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0) < 0)
		syscall(SYS_nanosleep, &pause, NULL); /* forbidden here: no store stays that long in its processor */
	while ((inside = atomic_load(&lock->inside))) {
		if (wait_in_vain(&lock->inside, inside))
			atomic_compare_exchange_strong(&lock->inside, &inside, 0);
	}
	atomic_store(&lock->owner, OWNER_NEVER);
}

static bool enter_as_owner(struct writers_lock *lock, uint32_t self)
{
	if (atomic_load_explicit(own, memory_order_relaxed) != self)
		return false;
	atomic_store_explicit(&lock->inside, self, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst); /* for the compiler; membarrier is the processor's */
	if (atomic_load_explicit(&lock->owner, memory_order_acquire) == self) {
		record_self.is_owner = true;
		return true;
	}
	atomic_store_explicit(&lock->inside, 0, memory_order_release);
	atomic_store_explicit(own, OWNER_NONE, memory_order_relaxed);
	return false;
}

/* --- The lock -------------------------------------------------------------------------------- */

static void take(struct writers_lock *lock, uint32_t self)
{
	const int error = errno;
	uint32_t owner = 0;

	if (!atomic_compare_exchange_strong_explicit(&lock->holder, &owner, self, memory_order_acquire,
						     memory_order_relaxed))
		take_slowly(&lock->holder, self);
	owner = atomic_load_explicit(&lock->owner, memory_order_acquire);
	if (owner == OWNER_NONE)
		become_owner(lock, self);
	else if (owner != OWNER_NEVER)
		end_ownership(lock);
	errno = error;
}

void record_lock(void)
{
	const uint32_t self = record_thread_id();

	if (!enter_as_owner(recording.lock, self))
		take(recording.lock, self);
}

void record_unlock(void)
{
	struct writers_lock *lock = recording.lock;

	if (record_self.is_owner) {
		record_self.is_owner = false;
		atomic_store_explicit(&lock->inside, 0, memory_order_release);
	} else if (atomic_exchange_explicit(&lock->holder, 0, memory_order_release) & CONTENDED) {
		syscall(SYS_futex, &lock->holder, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

void record_lock_restart(struct writers_lock *lock)
{
	const uint32_t self = record_thread_id();
	uint32_t seen = self;

	atomic_compare_exchange_strong(&lock->holder, &seen, 0);
	seen = self;
	atomic_compare_exchange_strong(&lock->inside, &seen, 0);
	seen = self;
	atomic_compare_exchange_strong(&lock->owner, &seen, OWNER_NONE);
}
