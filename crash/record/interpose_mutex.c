/* interpose_mutex.c: stands in for the pthread functions of locks */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each is a locked instruction, and so a fence for what the thread has flushed;
 * but not while the process has a single thread, where the C library leaves out
 * the lock prefix. Where threads take turns, whoever finds a lock taken is put
 * aside until it is unlocked.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <pthread.h>
#pragma GCC visibility pop

#include "next.h"
#include "record.h"
#include "schedule.h"
#include "threads.h"

#include <errno.h>
#include <time.h>

#define SITE __builtin_return_address(0)

/* A function that takes a lock or says EBUSY; one that waits. */
typedef int (*try_function)(void *lock);

/* The try functions of mutexes say EBUSY where this says EDEADLK, and ETIMEDOUT for a lock that is taken. */
static int try_mutex(void *mutex)
{
	static void *found;
	__typeof__(pthread_mutex_timedlock) *const next = next_function(&found, "pthread_mutex_timedlock");
	const int error = next(mutex, &(struct timespec){0});

	return error == ETIMEDOUT ? EBUSY : error;
}

static int try_read(void *lock)
{
	static void *found;
	__typeof__(pthread_rwlock_tryrdlock) *const next = next_function(&found, "pthread_rwlock_tryrdlock");

	return next(lock);
}

static int try_write(void *lock)
{
	static void *found;
	__typeof__(pthread_rwlock_trywrlock) *const next = next_function(&found, "pthread_rwlock_trywrlock");

	return next(lock);
}

static int try_spin(void *lock)
{
	static void *found;
	__typeof__(pthread_spin_trylock) *const next = next_function(&found, "pthread_spin_trylock");

	return next(lock);
}

static int take(void *lock, try_function try, uint64_t deadline)
{
	int error;

	schedule_point();
	while ((error = try(lock)) == EBUSY) {
		if (!schedule_wait(lock, deadline))
			return ETIMEDOUT;
	}
	return error;
}

int threads_lock_mutex(pthread_mutex_t *mutex)
{
	static void *found;
	__typeof__(pthread_mutex_lock) *const next = next_function(&found, "pthread_mutex_lock");

	return schedule_takes_part() ? take(mutex, try_mutex, SCHEDULE_NO_DEADLINE) : next(mutex);
}

int threads_unlock_mutex(pthread_mutex_t *mutex)
{
	static void *found;
	__typeof__(pthread_mutex_unlock) *const next = next_function(&found, "pthread_mutex_unlock");
	const int error = next(mutex);

	schedule_wake(mutex, true);
	return error;
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	const int error = threads_lock_mutex(mutex);

	threads_locked(SITE);
	return error;
}

int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
	static void *found;
	__typeof__(pthread_mutex_trylock) *const next = next_function(&found, "pthread_mutex_trylock");
	int error;

	schedule_point();
	error = next(mutex);
	threads_locked(SITE);
	return error;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	int error;

	threads_locked(SITE);
	error = threads_unlock_mutex(mutex);
	schedule_point();
	return error;
}

int pthread_mutex_timedlock(pthread_mutex_t *lock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_mutex_timedlock) *const next = next_function(&found, "pthread_mutex_timedlock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_mutex, threads_deadline(CLOCK_REALTIME, until));
	else
		error = next(lock, until);
	threads_locked(SITE);
	return error;
}

int pthread_mutex_clocklock(pthread_mutex_t *lock, clockid_t clock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_mutex_clocklock) *const next = next_function(&found, "pthread_mutex_clocklock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_mutex, threads_deadline(clock, until));
	else
		error = next(lock, clock, until);
	threads_locked(SITE);
	return error;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
	static void *found;
	__typeof__(pthread_rwlock_rdlock) *const next = next_function(&found, "pthread_rwlock_rdlock");
	const int error = schedule_takes_part() ? take((void *)lock, try_read, SCHEDULE_NO_DEADLINE) : next(lock);

	threads_locked(SITE);
	return error;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
	static void *found;
	__typeof__(pthread_rwlock_wrlock) *const next = next_function(&found, "pthread_rwlock_wrlock");
	const int error = schedule_takes_part() ? take((void *)lock, try_write, SCHEDULE_NO_DEADLINE) : next(lock);

	threads_locked(SITE);
	return error;
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_rwlock_timedrdlock) *const next = next_function(&found, "pthread_rwlock_timedrdlock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_read, threads_deadline(CLOCK_REALTIME, until));
	else
		error = next(lock, until);
	threads_locked(SITE);
	return error;
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_rwlock_timedwrlock) *const next = next_function(&found, "pthread_rwlock_timedwrlock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_write, threads_deadline(CLOCK_REALTIME, until));
	else
		error = next(lock, until);
	threads_locked(SITE);
	return error;
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_rwlock_clockrdlock) *const next = next_function(&found, "pthread_rwlock_clockrdlock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_read, threads_deadline(clock, until));
	else
		error = next(lock, clock, until);
	threads_locked(SITE);
	return error;
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_rwlock_clockwrlock) *const next = next_function(&found, "pthread_rwlock_clockwrlock");
	int error;

	if (schedule_takes_part())
		error = take(lock, try_write, threads_deadline(clock, until));
	else
		error = next(lock, clock, until);
	threads_locked(SITE);
	return error;
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
	static void *found;
	__typeof__(pthread_rwlock_unlock) *const next = next_function(&found, "pthread_rwlock_unlock");
	int error;

	threads_locked(SITE);
	error = next(lock);
	schedule_wake((void *)lock, true);
	schedule_point();
	return error;
}

int pthread_spin_lock(pthread_spinlock_t *lock)
{
	static void *found;
	__typeof__(pthread_spin_lock) *const next = next_function(&found, "pthread_spin_lock");
	const int error = schedule_takes_part() ? take((void *)lock, try_spin, SCHEDULE_NO_DEADLINE) : next(lock);

	threads_locked(SITE);
	return error;
}

/* A plain store on x86: no fence. */
int pthread_spin_unlock(pthread_spinlock_t *lock)
{
	static void *found;
	__typeof__(pthread_spin_unlock) *const next = next_function(&found, "pthread_spin_unlock");
	const int error = next(lock);

	schedule_wake((void *)lock, true);
	schedule_point();
	return error;
}
