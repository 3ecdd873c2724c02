/* interpose_waiting.c: stands in for condition variables, semaphores and barriers */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where threads take turns, a thread that waits is put aside, and whoever
 * signals lets it look again. A condition variable may wake for no reason, which
 * is what happens where nobody can run: so a signal from outside is found too.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#pragma GCC visibility pop

#include "next.h"
#include "record.h"
#include "schedule.h"
#include "threads.h"

#include <errno.h>

#define SITE __builtin_return_address(0)

/* --- Condition variables ----------------------------------------------------------------- */

/* Nobody else has the turn between the unlocking and the waiting: no signal is missed. */
static int wait_in_turn(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t deadline)
{
	int error = threads_unlock_mutex(mutex);
	bool in_time;

	if (error)
		return error;
	in_time = schedule_wait(condition, deadline);
	error = threads_lock_mutex(mutex);
	pthread_testcancel();
	if (error)
		return error;
	return in_time ? 0 : ETIMEDOUT;
}

int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
	static void *found;
	__typeof__(pthread_cond_wait) *const next = next_function(&found, "pthread_cond_wait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_in_turn(condition, mutex, SCHEDULE_NO_DEADLINE) : next(condition, mutex);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
			   const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_cond_clockwait) *const next = next_function(&found, "pthread_cond_clockwait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_in_turn(condition, mutex, threads_deadline(clock, until))
				     : next(condition, mutex, clock, until);
}

/* The clock of a condition variable is one of two; a wrong guess wakes it early or at the next look. */
static clockid_t clock_of(const struct timespec *until)
{
	struct timespec real;

	clock_gettime(CLOCK_REALTIME, &real);
	return until->tv_sec < real.tv_sec / 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until)
{
	static void *found;
	__typeof__(pthread_cond_timedwait) *const next = next_function(&found, "pthread_cond_timedwait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_in_turn(condition, mutex, threads_deadline(clock_of(until), until))
				     : next(condition, mutex, until);
}

int pthread_cond_signal(pthread_cond_t *condition)
{
	static void *found;
	__typeof__(pthread_cond_signal) *const next = next_function(&found, "pthread_cond_signal");
	int error = 0;

	threads_locked(SITE);
	if (!schedule_wake(condition, false))
		error = next(condition);
	schedule_point();
	return error;
}

int pthread_cond_broadcast(pthread_cond_t *condition)
{
	static void *found;
	__typeof__(pthread_cond_broadcast) *const next = next_function(&found, "pthread_cond_broadcast");
	int error;

	threads_locked(SITE);
	schedule_wake(condition, true);
	error = next(condition);
	schedule_point();
	return error;
}

/* --- Semaphores ------------------------------------------------------------------------------ */

static int wait_for_semaphore(sem_t *semaphore, uint64_t deadline)
{
	schedule_point();
	while (sem_trywait(semaphore) < 0) {
		if (errno != EAGAIN)
			return -1;
		if (schedule_wait(semaphore, deadline))
			continue;
		errno = ETIMEDOUT;
		return -1;
	}
	return 0;
}

int sem_wait(sem_t *semaphore)
{
	static void *found;
	__typeof__(sem_wait) *const next = next_function(&found, "sem_wait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_for_semaphore(semaphore, SCHEDULE_NO_DEADLINE) : next(semaphore);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
	static void *found;
	__typeof__(sem_timedwait) *const next = next_function(&found, "sem_timedwait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_for_semaphore(semaphore, threads_deadline(CLOCK_REALTIME, until))
				     : next(semaphore, until);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
	static void *found;
	__typeof__(sem_clockwait) *const next = next_function(&found, "sem_clockwait");

	threads_locked(SITE);
	return schedule_takes_part() ? wait_for_semaphore(semaphore, threads_deadline(clock, until))
				     : next(semaphore, clock, until);
}

int sem_post(sem_t *semaphore)
{
	static void *found;
	__typeof__(sem_post) *const next = next_function(&found, "sem_post");
	int result;

	threads_locked(SITE);
	result = next(semaphore);
	schedule_wake(semaphore, true);
	schedule_point();
	return result;
}

/* --- Barriers ---------------------------------------------------------------------------------- */

enum { BARRIERS = 256 };

/* Those of this process alone. Changed by whoever has the turn. */
static struct barrier {
	pthread_barrier_t *object; /* NULL: free */
	unsigned count, arrived, round;
} barriers[BARRIERS];

static struct barrier *find_barrier(const pthread_barrier_t *object)
{
	for (int i = 0; i < BARRIERS; i++) {
		if (barriers[i].object == object)
			return &barriers[i];
	}
	return NULL;
}

int pthread_barrier_init(pthread_barrier_t *object, const pthread_barrierattr_t *attributes, unsigned count)
{
	static void *found;
	__typeof__(pthread_barrier_init) *const next = next_function(&found, "pthread_barrier_init");
	const int error = next(object, attributes, count);
	struct barrier *barrier = find_barrier(object);
	int shared = PTHREAD_PROCESS_PRIVATE;

	if (error || !schedule_takes_part())
		return error;
	if (attributes)
		pthread_barrierattr_getpshared(attributes, &shared);
	if (!barrier)
		barrier = find_barrier(NULL);
	if (barrier && shared == PTHREAD_PROCESS_PRIVATE)
		*barrier = (struct barrier){.object = object, .count = count};
	return 0;
}

int pthread_barrier_destroy(pthread_barrier_t *object)
{
	static void *found;
	__typeof__(pthread_barrier_destroy) *const next = next_function(&found, "pthread_barrier_destroy");
	struct barrier *barrier = find_barrier(object);

	if (barrier)
		*barrier = (struct barrier){0};
	return next(object);
}

static int arrive(struct barrier *barrier)
{
	const unsigned round = barrier->round;

	if (++barrier->arrived == barrier->count) {
		barrier->arrived = 0;
		barrier->round++;
		schedule_wake(barrier->object, true);
		schedule_point();
		return PTHREAD_BARRIER_SERIAL_THREAD;
	}
	while (barrier->round == round)
		schedule_wait(barrier->object, SCHEDULE_NO_DEADLINE);
	return 0;
}

int pthread_barrier_wait(pthread_barrier_t *object)
{
	static void *found;
	__typeof__(pthread_barrier_wait) *const next = next_function(&found, "pthread_barrier_wait");
	struct barrier *barrier = schedule_takes_part() ? find_barrier(object) : NULL;
	int result;

	threads_locked(SITE);
	if (barrier)
		return arrive(barrier);
	schedule_leave();
	result = next(object);
	schedule_return();
	return result;
}
