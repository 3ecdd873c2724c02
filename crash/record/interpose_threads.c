/* interpose_threads.c: stands in for the pthread functions by which threads begin, end and wait for each other */
/* SPDX-License-Identifier: BSD-3-Clause */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#pragma GCC visibility pop

#include "next.h"
#include "record.h"
#include "schedule.h"
#include "threads.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SITE __builtin_return_address(0)

static _Atomic bool several_threads;

void threads_locked(const void *site)
{
	if (atomic_load_explicit(&several_threads, memory_order_relaxed))
		record_locked_instruction(site);
}

uint64_t threads_deadline(clockid_t clock, const struct timespec *until)
{
	const uint64_t wanted = (uint64_t)until->tv_sec * 1000000000u + (uint64_t)until->tv_nsec;
	struct timespec now;
	uint64_t past;

	clock_gettime(clock, &now);
	past = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	return schedule_now() + (wanted > past ? wanted - past : 0) + 1;
}

/* --- Beginning and end ------------------------------------------------------------------ */

/* What a new thread needs to know. malloc is the program's: a page of the system's own. */
struct birth {
	void *(*function)(void *argument);
	void *argument;
	int place;
};

static pthread_key_t end_key;
static pthread_once_t end_key_once = PTHREAD_ONCE_INIT;

/* Called as long as other destructors may still run after it; the value counts. */
static void end(void *rounds)
{
	if ((uintptr_t)rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(end_key, (void *)((uintptr_t)rounds + 1));
	else
		schedule_end();
}

static void make_end_key(void)
{
	pthread_key_create(&end_key, end);
}

static void *begin(void *argument)
{
	const struct birth birth = *(struct birth *)argument;

	syscall(SYS_munmap, argument, sizeof(birth));
	pthread_setspecific(end_key, (void *)1);
	schedule_begin(birth.place);
	return birth.function(birth.argument);
}

static void next_once(pthread_once_t *once, void (*function)(void))
{
	static void *found;
	__typeof__(pthread_once) *const next = next_function(&found, "pthread_once");

	next(once, function);
}

int pthread_create(pthread_t *handle, const pthread_attr_t *attributes, void *(*function)(void *), void *argument)
{
	static void *found;
	__typeof__(pthread_create) *const next = next_function(&found, "pthread_create");
	struct birth *birth;
	int error, place;

	atomic_store(&several_threads, true);
	threads_locked(SITE);
	if (!schedule_takes_part())
		return next(handle, attributes, function, argument);
	next_once(&end_key_once, make_end_key);
	birth = (void *)syscall(SYS_mmap, NULL, sizeof(*birth), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				0L);
	if (birth == MAP_FAILED)
		return EAGAIN;
	place = schedule_place();
	*birth = (struct birth){.function = function, .argument = argument, .place = place};
	error = next(handle, attributes, begin, birth);
	if (error == 0) {
		schedule_created(place, *handle);
		schedule_point();
	} else {
		schedule_not_created(place);
		syscall(SYS_munmap, birth, sizeof(*birth));
	}
	return error;
}

int pthread_join(pthread_t handle, void **result)
{
	static void *found;
	__typeof__(pthread_join) *const next = next_function(&found, "pthread_join");
	const void *key;

	threads_locked(SITE);
	schedule_point();
	while (schedule_takes_part() && (key = schedule_thread_key(handle)))
		schedule_wait(key, SCHEDULE_NO_DEADLINE);
	/* One that takes turns has passed it on for good, and ends now. */
	return next(handle, result);
}

/* --- Once ------------------------------------------------------------------------------------ */

enum { MOST_ONCE = 64 };

/* Those whose function is running. Changed by whoever has the turn. */
static pthread_once_t *running[MOST_ONCE];

static pthread_once_t **running_entry(pthread_once_t *once)
{
	for (int i = 0; i < MOST_ONCE; i++) {
		if (running[i] == once)
			return &running[i];
	}
	return NULL;
}

int pthread_once(pthread_once_t *once, void (*function)(void))
{
	pthread_once_t **entry;

	threads_locked(SITE);
	if (!schedule_takes_part()) {
		next_once(once, function);
		return 0;
	}
	while (running_entry(once))
		schedule_wait(once, SCHEDULE_NO_DEADLINE);
	entry = running_entry(NULL);
	if (entry)
		*entry = once;
	next_once(once, function);
	if (entry)
		*entry = NULL;
	schedule_wake(once, true);
	return 0;
}

/* --- Giving way ------------------------------------------------------------------------------- */

int sched_yield(void)
{
	static void *found;
	__typeof__(sched_yield) *const next = next_function(&found, "sched_yield");

	schedule_point();
	return next();
}

/* Sleeps until the deadline while others have the turn. */
static void sleep_until(uint64_t deadline)
{
	schedule_point();
	while (schedule_wait(&several_threads, deadline))
		;
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	static void *found;
	__typeof__(clock_nanosleep) *const next = next_function(&found, "clock_nanosleep");
	const bool valid = time->tv_nsec >= 0 && time->tv_nsec < 1000000000 && time->tv_sec >= 0;

	if (!schedule_takes_part() || !valid)
		return next(clock, flags, time, left);
	if (flags & TIMER_ABSTIME)
		sleep_until(threads_deadline(clock, time));
	else
		sleep_until(schedule_now() + (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec + 1);
	return 0;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	const int error = clock_nanosleep(CLOCK_REALTIME, 0, time, left);

	if (error)
		errno = error;
	return error ? -1 : 0;
}

int usleep(useconds_t microseconds)
{
	return nanosleep(
		&(struct timespec){.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000},
		NULL);
}

unsigned sleep(unsigned seconds)
{
	struct timespec left = {0};

	return nanosleep(&(struct timespec){.tv_sec = seconds}, &left) < 0 ? (unsigned)left.tv_sec + (left.tv_nsec > 0)
									   : 0;
}
