/* capture.c: calling somebody's function and surviving its crash, abort or hang */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "capture.h"

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
	STACK = 64 << 10, /* bytes; for a handler after the stack has overflowed */
	LOOKS = 4,        /* in the time that a call has */
};

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGALRM};

enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

struct watch {
	pthread_t caller, watcher;
	stack_t stack, stack_before;
	struct sigaction before[SIGNALS];
	sigjmp_buf back;
	struct capture *capture;
	_Atomic unsigned long calls; /* odd while one is going on */
	sem_t stop;
	double limit;
};

/* Handlers know nothing else. One watch a process. */
static struct watch *present;

static void handle(int signal)
{
	struct watch *watch = present;

	/* Not of the call that is watched: as it would have been. */
	if (!watch || !(atomic_load(&watch->calls) & 1) || !pthread_equal(pthread_self(), watch->caller)) {
		struct sigaction fatal = {.sa_handler = SIG_DFL};

		sigaction(signal, &fatal, NULL);
		raise(signal);
		return;
	}
	watch->capture->signal = signal;
	watch->capture->hung = signal == SIGALRM;
	siglongjmp(watch->back, 1);
}

void capture_nothing(void)
{
	const struct sigaction fatal = {.sa_handler = SIG_DFL};

	for (unsigned i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &fatal, NULL);
}

/* True if the watch is to stop. */
static bool wait_for_stop(struct watch *watch, double seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	seconds += (double)until.tv_nsec * 1e-9;
	until.tv_sec += (time_t)seconds;
	until.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
	return sem_timedwait(&watch->stop, &until) == 0;
}

/* A call that is still the same after `limit` seconds of looking gets a signal. */
static void *look(void *arg)
{
	struct watch *watch = arg;
	unsigned long seen = 0;
	unsigned looks = 0;

	while (!wait_for_stop(watch, isinf(watch->limit) ? 1 : watch->limit / LOOKS)) {
		const unsigned long calls = atomic_load(&watch->calls);

		looks = calls == seen && (calls & 1) ? looks + 1 : 0;
		seen = calls;
		if (looks < LOOKS || isinf(watch->limit))
			continue;
		pthread_kill(watch->caller, SIGALRM);
		looks = 0;
	}
	return NULL;
}

static bool set_handlers(struct watch *watch)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK | SA_NODEFER};

	watch->stack.ss_sp = malloc(STACK);
	watch->stack.ss_size = STACK;
	if (!watch->stack.ss_sp || sigaltstack(&watch->stack, &watch->stack_before) < 0)
		return false;
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &action, &watch->before[i]);
	return true;
}

struct watch *watch_start(void)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->caller = pthread_self();
	watch->limit = INFINITY;
	sem_init(&watch->stop, 0, 0);
	present = watch;
	if (set_handlers(watch) && pthread_create(&watch->watcher, NULL, look, watch) == 0)
		return watch;
	present = NULL;
	free(watch->stack.ss_sp);
	free(watch);
	return NULL;
}

void watch_stop(struct watch *watch)
{
	if (!watch)
		return;
	sem_post(&watch->stop);
	pthread_join(watch->watcher, NULL);
	for (unsigned i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &watch->before[i], NULL);
	sigaltstack(&watch->stack_before, NULL);
	present = NULL;
	free(watch->stack.ss_sp);
	free(watch);
}

sigjmp_buf *capture_begin(struct watch *watch, double limit, struct capture *capture)
{
	*capture = (struct capture){0};
	watch->limit = limit;
	watch->capture = capture;
	atomic_fetch_add(&watch->calls, 1);
	return &watch->back;
}

void capture_end(struct watch *watch)
{
	atomic_fetch_add(&watch->calls, 1);
}
