/* threads.h: what the interposers of the pthread functions have in common */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_THREADS_H
#define PMEM_CRASH_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Locks and unlocks without being events. */
int threads_lock_mutex(pthread_mutex_t *mutex);
int threads_unlock_mutex(pthread_mutex_t *mutex);

/* The function that is interposed executes a locked instruction: a fence, once the process has more than one thread. */
void threads_locked(const void *site);

/* A point in time of some clock as a deadline of the schedule. */
uint64_t threads_deadline(clockid_t clock, const struct timespec *until);

#endif
