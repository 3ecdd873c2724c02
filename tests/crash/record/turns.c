/* turns.c: threads that meet in every way that the schedule knows, and in some that it does not: turns WAY POOL */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pmem.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 16384, THREADS = 4, ROUNDS = 25 };

static uint64_t *pool;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spinlock;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static unsigned whose;
static int pipe_ends[2];
static _Atomic uint32_t word;

/* A cache line for each thread, and one for all. */
static void store(unsigned line, uint64_t value)
{
	pool[8 * line] = value;
	pmem_persist(&pool[8 * line], 8, 0);
}

static void by_mutex(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		store(0, pool[0] + 1);
		pthread_mutex_unlock(&mutex);
		store(self + 1, i);
	}
}

static void by_rwlock(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (i % 4 == self % 4) {
			pthread_rwlock_wrlock(&rwlock);
			store(0, pool[0] + 1);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			store(self + 1, pool[0]);
		}
		pthread_rwlock_unlock(&rwlock);
	}
}

static void by_spinlock(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_spin_lock(&spinlock);
		store(0, self);
		pthread_spin_unlock(&spinlock);
	}
}

static void by_condition(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		while (whose != self)
			pthread_cond_wait(&condition, &mutex);
		store(0, pool[0] + 1);
		whose = (whose + 1) % THREADS;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
}

static void by_barrier(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		store(self + 1, i);
		pthread_barrier_wait(&barrier);
	}
}

static void by_semaphore(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		sem_wait(&semaphore);
		store(0, self);
		sem_post(&semaphore);
	}
}

static void store_once(void)
{
	store(0, 1);
	store(0, 2);
}

static void by_once(unsigned self)
{
	pthread_once(&once, store_once);
	store(self + 1, pool[0]);
}

static void by_flushes_alone(unsigned self)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		store(self + 1, i);
}

static void by_sleep(unsigned self)
{
	usleep(1000 * (THREADS - self));
	store(self + 1, 1);
}

/* The schedule knows nothing of these: whoever waits loses the turn. */

static void by_pipe(unsigned self)
{
	char byte = 0;

	if (self == 0 && read(pipe_ends[0], &byte, 1) != 1)
		exit(1);
	store(self + 1, 1);
	if (self == 1 && write(pipe_ends[1], &byte, 1) != 1)
		exit(1);
}

static void by_futex(unsigned self)
{
	if (self == 0)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	store(self + 1, 1);
	if (self == 1) {
		word = 1;
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void by_spinning(unsigned self)
{
	while (self == 0 && !word)
		;
	store(self + 1, 1);
	if (self == 1)
		word = 1;
}

static void by_timeout(unsigned self)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 2000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&mutex);
	while (pthread_cond_timedwait(&condition, &mutex, &until) == 0)
		;
	pthread_mutex_unlock(&mutex);
	store(self + 1, 1);
}

/* Waits for ever; it is cancelled. */
static void by_cancellation(unsigned self)
{
	if (self > 0) {
		store(self + 1, 1);
		return;
	}
	pthread_cleanup_push((void (*)(void *))(uintptr_t)pthread_mutex_unlock, &mutex);
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&condition, &mutex);
	pthread_cleanup_pop(1);
}

static const struct {
	const char *name;
	void (*meet)(unsigned self);
} ways[] = {
	{"barrier", by_barrier},     {"cancellation", by_cancellation},
	{"condition", by_condition}, {"flushes-alone", by_flushes_alone},
	{"futex", by_futex},         {"mutex", by_mutex},
	{"once", by_once},           {"pipe", by_pipe},
	{"rwlock", by_rwlock},       {"semaphore", by_semaphore},
	{"sleep", by_sleep},         {"spinlock", by_spinlock},
	{"spinning", by_spinning},   {"timeout", by_timeout},
};

static void (*meet)(unsigned self);

static void *run(void *argument)
{
	meet((unsigned)(uintptr_t)argument);
	return NULL;
}

static void start(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
	sem_init(&semaphore, 0, 2);
	if (pipe(pipe_ends) < 0)
		exit(1);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	if (meet == by_cancellation)
		pthread_cancel(threads[0]);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("all have ended");
}

int main(int argc, char *argv[])
{
	const int fd = argc == 3 ? open(argv[2], O_RDWR) : -1;

	pool = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && pool != MAP_FAILED; i++) {
		if (strcmp(argv[1], ways[i].name) == 0)
			meet = ways[i].meet;
	}
	if (!meet)
		return 2;
	start();
	return 0;
}
