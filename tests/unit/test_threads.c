/* test_threads.c: threads that race, are cancelled, and fork */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	PAGES = 64,
	PERSISTERS = 3,
	ROUNDS = 200,
	HANG_SECONDS = 60,
};

/* --- Cancellation ------------------------------------------------------------------------ */

static sem_t in_msync, go_on;

/* A place where a thread can be cancelled, in the midst of what the library does. */
static void wait_in_msync(void)
{
	msync_before(NULL);
	sem_post(&in_msync);
	sem_wait(&go_on);
}

static void *flush_and_fence(void *at)
{
	pmem_flush_cache(at, 1, 0);
	pmem_fence();
	pthread_testcancel();
	return NULL;
}

static void *persist(void *at)
{
	pmem_persist(at, 1, 0);
	pthread_testcancel();
	return NULL;
}

static void cancel_in_msync(void *(*run)(void *at), char *at)
{
	pthread_t thread;
	void *result;

	msync_reset();
	msync_before(wait_in_msync);
	assert_int_equal(pthread_create(&thread, NULL, run, at), 0);
	sem_wait(&in_msync);
	assert_int_equal(pthread_cancel(thread), 0);
	sem_post(&go_on);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
}

static void a_thread_cancelled_in_its_fence_loses_nothing(void **state)
{
	const int fd = test_disk_file(4 * page());
	char *base = pmem_map(fd, 4 * page());

	(void)state;
	cancel_in_msync(flush_and_fence, base + page());
	assert_true(msync_covered(base + page(), page()));
	pmem_unmap(base, 4 * page());
	close(fd);
}

/* Without a descriptor for the error cursor, msync is called with a lock held. */
static void a_thread_cancelled_in_msync_leaves_no_lock_behind(void **state)
{
	const int fd = test_disk_file(page());
	struct rlimit limit, none;
	char *base;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	base = pmem_map(fd, page());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cancel_in_msync(persist, base);
	alarm(HANG_SECONDS);
	assert_int_equal(pmem_try_persist(base, 1), 0);
	alarm(0);
	pmem_unmap(base, page());
	close(fd);
}

/* --- Two threads, one report --------------------------------------------------------------- */

static pthread_t first_thread;
static sem_t second_done;

/* Keeps the first thread in its msync until the second has an answer, or is seen to wait for the first's. */
static void delay_first_thread(void)
{
	struct timespec limit;

	if (!pthread_equal(pthread_self(), first_thread))
		return;
	sem_post(&in_msync);
	clock_gettime(CLOCK_REALTIME, &limit);
	limit.tv_nsec += 300 * 1000 * 1000;
	limit.tv_sec += limit.tv_nsec / 1000000000;
	limit.tv_nsec %= 1000000000;
	sem_timedwait(&second_done, &limit);
}

static void *persist_second(void *at)
{
	int *result = malloc(sizeof(*result));

	sem_wait(&in_msync);
	*result = pmem_try_persist(at, 1);
	sem_post(&second_done);
	return result;
}

/* The kernel tells one of them of an error, and says 0 to the other, whose data may be what was lost. */
static void a_failure_on_its_way_holds_for_all_threads(void **state)
{
	const int fd = test_disk_file(2 * page());
	char *own = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pthread_t second;
	void *result;

	(void)state;
	msync_reset();
	msync_fail(own, page(), EIO, 1);
	first_thread = pthread_self();
	msync_before(delay_first_thread);
	assert_int_equal(pthread_create(&second, NULL, persist_second, own + page()), 0);
	assert_int_equal(pmem_try_persist(own, 1), -1);
	assert_int_equal(pthread_join(second, &result), 0);
	assert_int_equal(*(int *)result, -1);
	free(result);
	msync_reset();
	assert_int_equal(pmem_register(own, 2 * page()), 0);
	pmem_unmap(own, 2 * page());
	close(fd);
}

/* --- Everything at once ---------------------------------------------------------------------- */

static char *shared;
static char *foreign;
static _Atomic int failures;

static void *persist_own_pages(void *arg)
{
	const size_t number = (size_t)(uintptr_t)arg;

	for (size_t i = 0; i < ROUNDS; i++) {
		char *at = shared + (number + i % (PAGES / PERSISTERS) * PERSISTERS) * page();

		*at = (char)i;
		pmem_flush_cache(at, 1, 0);
		pmem_fence();
		foreign[number] = (char)i;
		if (pmem_try_persist(at, 1) < 0 || pmem_try_persist(foreign + number, 1) < 0)
			failures++;
	}
	return NULL;
}

static void *map_and_unmap(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		const int fd = test_file(3 * page());
		char *base = pmem_map(fd, 3 * page());
		char *own = mmap(NULL, 3 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (!base || pmem_register(own, 3 * page()) < 0 || pmem_unmap(base + page(), page()) < 0 ||
		    pmem_try_persist(base + 2 * page(), 1) < 0 || pmem_try_persist(own, 3 * page()) < 0 ||
		    pmem_unmap(own, 3 * page()) < 0)
			failures++;
		if (i % 2)
			munmap(base, 3 * page());
		else
			pmem_unmap(base, 3 * page());
		close(fd);
	}
	return NULL;
}

static void persist_in_a_child(void)
{
	const pid_t child = fork();
	int status;

	if (child == 0)
		_exit(pmem_try_persist(shared, 1) == 0 && pmem_try_persist(foreign, 1) == 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void threads_forks_and_mappings_do_not_disturb_each_other(void **state)
{
	const int fd = test_disk_file(PAGES * page()), foreign_fd = test_disk_file(page());
	pthread_t threads[PERSISTERS + 1];

	(void)state;
	msync_reset();
	failures = 0;
	shared = pmem_map(fd, PAGES * page());
	foreign = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, foreign_fd, 0);
	alarm(HANG_SECONDS);
	for (size_t i = 0; i < PERSISTERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, persist_own_pages, (void *)i), 0);
	assert_int_equal(pthread_create(&threads[PERSISTERS], NULL, map_and_unmap, NULL), 0);
	for (int i = 0; i < 20; i++)
		persist_in_a_child();
	for (size_t i = 0; i <= PERSISTERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	alarm(0);
	assert_int_equal(failures, 0);
	munmap(foreign, page());
	pmem_unmap(shared, PAGES * page());
	close(fd);
	close(foreign_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_cancelled_in_its_fence_loses_nothing),
		cmocka_unit_test(a_thread_cancelled_in_msync_leaves_no_lock_behind),
		cmocka_unit_test(a_failure_on_its_way_holds_for_all_threads),
		cmocka_unit_test(threads_forks_and_mappings_do_not_disturb_each_other),
	};

	sem_init(&in_msync, 0, 0);
	sem_init(&go_on, 0, 0);
	sem_init(&second_done, 0, 0);
	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
