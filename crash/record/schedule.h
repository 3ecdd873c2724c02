/* schedule.h: threads that run one at a time, in an order that a seed decides */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * With a seed, one thread of a process has the turn and the others wait for it.
 * A thread can lose the turn where it does something that another could
 * notice: at recorded flushes, fences, syncs and output, and in the pthread
 * functions. Whom it goes to, and how often, is drawn from the seed.
 *
 * Waiting is simulated: a thread that finds a mutex taken is put aside until
 * somebody unlocks it, and so on for condition variables, joins, barriers,
 * semaphores. Therefore the same seed gives the same order of events, as long as
 * threads meet in these functions and in nothing else. What is not reproduced:
 *
 * - threads that wait in other ways. One that sleeps in the kernel, or computes
 *   for long, while others could run, loses its turn after some milliseconds,
 *   so that nothing deadlocks; from then on the clock has its part in the order;
 * - sleeps and timeouts: they follow the clock;
 * - several processes: each has its own turn;
 * - stores that race with each other: they happen while their thread has the
 *   turn, and only changes of turn decide between them.
 *
 * All functions do nothing without a seed, and in threads that pthread_create()
 * has not made. None of them may be called with the recorder's lock held.
 */
#ifndef PMEM_CRASH_SCHEDULE_H
#define PMEM_CRASH_SCHEDULE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

extern bool schedule_active;

/* The calling thread is the first. */
void schedule_start(uint64_t seed);

/* After fork, in the child: its one thread has the turn. */
void schedule_restart(void);

/* The turn may go to another thread, and come back. */
void schedule_point(void);

/* Is the calling thread one that takes turns? */
bool schedule_takes_part(void);

/* Of clock_gettime(CLOCK_MONOTONIC), in nanoseconds. */
uint64_t schedule_now(void);

enum { SCHEDULE_NO_DEADLINE = 0 };

/*
 * The calling thread cannot go on before something happens to the object at
 * key. Returns true when that may have happened (or not: look again), false if
 * the deadline has passed.
 */
bool schedule_wait(const void *key, uint64_t deadline);

/* Something has happened to the object: who waits for it can look again; all, or one. Returns whether any did. */
bool schedule_wake(const void *key, bool all);

/* Around a call that may wait for what is not known here. */
void schedule_leave(void);
void schedule_return(void);

/*
 * A new thread: a place is taken before it is created, its handle noted after,
 * and it begins when it has the turn. -1: there is no place, it takes no part.
 */
int schedule_place(void);
void schedule_created(int place, pthread_t handle);
void schedule_not_created(int place);
void schedule_begin(int place);

/* The calling thread has ended. */
void schedule_end(void);

/* What a thread that joins this one waits for; NULL: it has ended, or takes no part. */
const void *schedule_thread_key(pthread_t handle);

#endif
