/* test_failure.c: a failed write-back is told, remembered, and told again until the file is mapped anew */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES = 16 };

struct fixture {
	int fd;
	char *base;
	size_t size;
};

/* What the handler was told. */
static struct {
	unsigned calls;
	struct pmem_failure failure;
	char message[1024];
	void *arg;
} told;

static void note(const struct pmem_failure *failure, void *arg)
{
	told.calls++;
	told.failure = *failure;
	told.arg = arg;
	snprintf(told.message, sizeof(told.message), "%s", failure->message);
}

static int start(void **state)
{
	static struct fixture fixture;

	fixture.size = PAGES * page();
	fixture.fd = test_disk_file(fixture.size);
	fixture.base = pmem_map(fixture.fd, fixture.size);
	if (!fixture.base)
		return -1;
	memset(&told, 0, sizeof(told));
	pmem_on_failure(note, &told);
	msync_reset();
	*state = &fixture;
	return 0;
}

static int finish(void **state)
{
	struct fixture *fixture = *state;

	msync_reset();
	pmem_unmap(fixture->base, fixture->size);
	close(fixture->fd);
	pmem_on_failure(NULL, NULL);
	return 0;
}

/* --- Who is told what ----------------------------------------------------------------------- */

static void the_handler_is_told_everything(void **state)
{
	struct fixture *fixture = *state;

	msync_fail(fixture->base, page(), ENOSPC, 1);
	pmem_persist(fixture->base + 8, 16, 0);
	assert_int_equal(told.calls, 1);
	assert_ptr_equal(told.arg, &told);
	assert_int_equal(told.failure.sz, sizeof(struct pmem_failure));
	assert_int_equal(told.failure.error, ENOSPC);
	assert_true((char *)told.failure.addr <= fixture->base + 8);
	assert_true((char *)told.failure.addr + told.failure.len >= fixture->base + 24);
	assert_non_null(strstr(told.message, "NOT durable"));
	assert_non_null(strstr(told.message, "No space left on device"));
	assert_non_null(strstr(told.message, "pmem-test-")); /* the file */
	assert_string_equal(pmem_errormsg(), told.message);
}

static void try_returns_it_and_calls_nobody(void **state)
{
	struct fixture *fixture = *state;

	msync_fail(fixture->base, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(told.calls, 0);
	assert_non_null(strstr(pmem_errormsg(), "NOT durable"));
}

static void each_void_function_tells(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	msync_fail(fixture->base, page(), EIO, 1);
	pmem_fence();
	assert_int_equal(told.calls, 1);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_drain_pm_stores();
	assert_int_equal(told.calls, 2);
	pmem_persist(fixture->base, 1, 0);
	assert_int_equal(told.calls, 3);
	pmem_flush_cache((void *)page(), 1, 0); /* not mapped: known at once */
	assert_int_equal(told.calls, 4);
	assert_int_equal(told.failure.error, ENOMEM);
	pmem_fence(); /* nothing is left over */
	assert_int_equal(told.calls, 4);
}

static void *flush_and_end(void *at)
{
	pmem_flush_cache(at, 1, 0);
	return NULL;
}

static void a_thread_that_ends_tells_too(void **state)
{
	struct fixture *fixture = *state;
	pthread_t thread;

	msync_fail(fixture->base, page(), EIO, 1);
	assert_int_equal(pthread_create(&thread, NULL, flush_and_end, fixture->base), 0);
	pthread_join(thread, NULL);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.failure.error, EIO);
}

static void *message_of_new_thread(void *unused)
{
	(void)unused;
	return (void *)(uintptr_t)(strcmp(pmem_errormsg(), "") == 0);
}

static void messages_are_of_their_thread(void **state)
{
	pthread_t thread;
	void *empty;

	(void)state;
	assert_null(pmem_map(-1, 1));
	assert_string_not_equal(pmem_errormsg(), "");
	pthread_create(&thread, NULL, message_of_new_thread, NULL);
	pthread_join(thread, &empty);
	assert_non_null(empty);
}

static sigjmp_buf back;

static void jump(const struct pmem_failure *failure, void *arg)
{
	(void)failure;
	(void)arg;
	siglongjmp(back, 1);
}

static void the_handler_may_jump_away(void **state)
{
	struct fixture *fixture = *state;
	const int fd = test_disk_file(page());
	char *other;

	pmem_on_failure(jump, NULL);
	msync_fail(fixture->base, page(), EIO, 1);
	if (sigsetjmp(back, 0) == 0) {
		pmem_persist(fixture->base, 1, 0);
		fail();
	}
	other = pmem_map(fd, page()); /* no lock is held */
	assert_non_null(other);
	assert_int_equal(pmem_try_persist(other, 1), 0);
	pmem_unmap(other, page());
	close(fd);
}

/* Runs a failing persist with the default handler; what it wrote to stderr and its wait status. */
static int abort_of_child(struct fixture *fixture, char *text, size_t size)
{
	int ends[2], status;
	ssize_t length;

	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		const struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		pmem_on_failure(NULL, NULL);
		msync_fail(fixture->base, page(), ENOSPC, 1);
		pmem_persist(fixture->base, 1, 0);
		_exit(0);
	}
	close(ends[1]);
	length = read(ends[0], text, size - 1);
	text[length > 0 ? length : 0] = '\0';
	close(ends[0]);
	wait(&status);
	return status;
}

static void the_default_prints_a_line_and_aborts(void **state)
{
	char text[2048];
	const int status = abort_of_child(*state, text, sizeof(text));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "libpmem: NOT durable"));
	if (!getenv("PMEM_TEST_EMULATED")) /* the emulator adds a line of its own */
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

/* --- What stays failed ------------------------------------------------------------------------- */

static void the_whole_file_stays_failed(void **state)
{
	struct fixture *fixture = *state;
	char *second = pmem_map_range(fixture->fd, 0, page(), 0);

	msync_fail(fixture->base, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1); /* the kernel would say 0 now */
	assert_int_equal(errno, EIO);
	assert_int_equal(pmem_try_persist(fixture->base + 5 * page(), 1), -1);
	assert_int_equal(pmem_try_persist(second, 1), -1);
	assert_int_equal(msync_calls(), 1);
	assert_non_null(strstr(pmem_errormsg(), "map it anew"));
	pmem_unmap(second, page());
}

static void another_file_is_not_failed(void **state)
{
	struct fixture *fixture = *state;
	const int fd = test_disk_file(page());
	char *other = pmem_map(fd, page());

	msync_fail(fixture->base, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	assert_int_equal(pmem_try_persist(other, 1), 0);
	pmem_unmap(other, page());
	close(fd);
}

static void mapping_anew_clears_it_for_the_new_mapping(void **state)
{
	struct fixture *fixture = *state;
	char *fresh;

	msync_fail(fixture->base, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	fresh = pmem_map(fixture->fd, fixture->size);
	assert_int_equal(pmem_try_persist(fresh, 1), 0);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1); /* its stores may be lost all the same */
	assert_int_equal(pmem_unmap(fixture->base, fixture->size), 0);
	fixture->base = pmem_map(fixture->fd, fixture->size);
	assert_int_equal(pmem_try_persist(fixture->base, 1), 0);
	pmem_unmap(fresh, fixture->size);
}

static void a_foreign_mapping_fails_with_its_file(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, fixture->size, PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);
	char *fresh;

	/* Found on the program's own mapping: stays there, and holds for ours. */
	msync_fail(own, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(own, 1), -1);
	assert_int_equal(pmem_try_persist(own + 3 * page(), 1), -1);
	assert_int_equal(errno, EIO);
	assert_int_equal(pmem_try_persist(fixture->base + page(), 1), -1);
	assert_int_equal(errno, EIO);
	/* A new pmem_map of the file clears it for the program's own. */
	fresh = pmem_map(fixture->fd, fixture->size);
	assert_int_equal(pmem_try_persist(fresh, 1), 0);
	assert_int_equal(pmem_try_persist(own, 1), 0);
	/* So does a register; and found on ours, it holds for the program's. */
	msync_fail(fresh, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(fresh, 1), -1);
	assert_int_equal(pmem_try_persist(own, 1), -1);
	assert_int_equal(pmem_register(own, fixture->size), 0);
	assert_int_equal(pmem_try_persist(own, 1), 0);
	pmem_unmap(own, fixture->size);
	pmem_unmap(fresh, fixture->size);
}

static char *deep;
static unsigned deep_calls;

/* The first msync is the persist's, the second goes deeper. */
static void fail_second_call(void)
{
	deep_calls++;
	if (deep_calls == 2)
		msync_fail(deep, page(), EIO, 1);
}

static void what_deep_persist_was_told_is_remembered(void **state)
{
	struct fixture *fixture = *state;

	deep = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);
	deep_calls = 0;
	msync_before(fail_second_call);
	assert_int_equal(pmem_deep_persist(deep, 1), -1);
	assert_int_equal(errno, EIO);
	msync_before(NULL);
	assert_int_equal(pmem_try_persist(deep, 1), -1);
	assert_int_equal(pmem_try_persist(fixture->base, 1), -1);
	assert_int_equal(pmem_register(deep, page()), 0);
	pmem_unmap(deep, page());
}

static void a_flushed_range_fails_after_its_unmap(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	msync_fail(fixture->base + page(), page(), EIO, 1);
	assert_int_equal(pmem_try_persistv(&(struct iovec){fixture->base + 4 * page(), 1}, 1), 0);
	pmem_flush_cache(fixture->base, 1, 0);
	pmem_flush_cache(fixture->base + page(), 1, 0);
	pmem_flush_cache(fixture->base + 6 * page(), 1, 0);
	pmem_fence(); /* pages 0 and 1 are one run and fail; page 6 is of the same file and fails with it */
	assert_int_equal(told.calls, 1);
	assert_int_equal(pmem_unmap(fixture->base, fixture->size), 0);
	pmem_fence();
	assert_int_equal(told.calls, 1);
	fixture->base = pmem_map(fixture->fd, fixture->size);
}

/* --- Signals and other threads -------------------------------------------------------------------- */

static void eintr_is_tried_again(void **state)
{
	struct fixture *fixture = *state;

	msync_fail(fixture->base, page(), EINTR, 3);
	assert_int_equal(pmem_try_persist(fixture->base, 1), 0);
	assert_int_equal(msync_calls(), 4);
	assert_true(msync_covered(fixture->base, page()));
	assert_int_equal(pmem_try_persist(fixture->base, 1), 0);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void signals_during_msync_do_no_harm(void **state)
{
	struct fixture *fixture = *state;
	const struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = count_alarm}; /* no SA_RESTART */

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 2000 && (i < 50 || alarms < 20); i++) {
		memset(fixture->base, i, fixture->size);
		assert_int_equal(pmem_try_persist(fixture->base, fixture->size), 0);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_true(alarms > 0);
}

static char *volatile_memory;

/* The interrupted code may be in the middle of its list of ranges. */
static void persist_in_handler(int signal)
{
	(void)signal;
	pmem_persist(volatile_memory, 64, 0);
	pmem_flush_cache(volatile_memory, 64, 0);
	pmem_fence();
	alarms++;
}

static void a_signal_handler_may_persist_persistent_memory(void **state)
{
	struct fixture *fixture = *state;
	const struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	const struct sigaction action = {.sa_handler = persist_in_handler, .sa_flags = SA_RESTART};
	const int fd = memfd_create("test", MFD_CLOEXEC);

	assert_int_equal(ftruncate(fd, (off_t)page()), 0);
	volatile_memory = pmem_map(fd, page());
	alarms = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned i = 0; i < 20000 && (i < 500 || alarms < 50); i++) {
		for (size_t at = 0; at < PAGES; at += 2)
			pmem_flush_cache(fixture->base + at * page(), 1, 0);
		pmem_fence();
		msync_reset();
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_DFL);
	assert_true(alarms > 0);
	assert_int_equal(told.calls, 0);
	pmem_unmap(volatile_memory, page());
	close(fd);
}

/* --- The error cursor -------------------------------------------------------------------------------- */

static void posix_locks_survive_map_and_unmap(void **state)
{
	const int fd = test_disk_file(page()); /* only the page cache needs a cursor */
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *base;
	int status;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	for (int i = 0; i < 3; i++) {
		base = pmem_map(fd, page());
		assert_int_equal(pmem_unmap(base, page()), 0);
		base = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_int_equal(pmem_register(base, page()), 0);
		assert_int_equal(pmem_unmap(base, page()), 0);
	}
	if (fork() == 0) {
		lock.l_type = F_WRLCK;
		_exit(fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_WRLCK ? 0 : 1);
	}
	wait(&status);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
}

static void descriptors_do_not_pile_up(void **state)
{
	const int before = open_descriptors();

	(void)state;
	for (int i = 0; i < 300; i++) {
		const int fd = test_disk_file(page());
		char *base = pmem_map(fd, page());

		close(fd);
		assert_non_null(base);
		if (i % 2)
			pmem_unmap(base, page());
		else
			munmap(base, page()); /* the next pmem_map finds out */
	}
	assert_in_range(open_descriptors(), before, before + 1);
}

/* A daemon closes what it does not know, and opens files of its own under the same numbers. */
static void a_program_that_closes_our_descriptor(void **state)
{
	struct fixture *fixture = *state;
	int others[32];

	for (int fd = fixture->fd + 1; fd < fixture->fd + 64; fd++)
		close(fd);
	for (int i = 0; i < 32; i++)
		others[i] = test_disk_file(page());
	assert_int_equal(pmem_try_persist(fixture->base, 1), 0);
	assert_int_equal(pmem_unmap(fixture->base, fixture->size), 0);
	for (int i = 0; i < 32; i++) {
		assert_int_not_equal(fcntl(others[i], F_GETFL), -1); /* still open */
		close(others[i]);
	}
	fixture->base = pmem_map(fixture->fd, fixture->size);
	assert_non_null(fixture->base);
}

/* The library then has no description of the file of its own. */
static char *map_without_descriptors(int fd, size_t size)
{
	struct rlimit limit, none;
	char *base;

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	base = pmem_map(fd, size);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_non_null(base);
	return base;
}

static void mapping_works_without_descriptors(void **state)
{
	const int fd = test_disk_file(page());
	char *base = map_without_descriptors(fd, page());

	(void)state;
	assert_int_equal(pmem_try_persist(base, 1), 0);
	pmem_flush_cache(base, 1, 0);
	assert_int_equal(pmem_unmap(base, page()), 0); /* written now: the fence could not any more */
	assert_true(msync_covered(base, page()));
	pmem_fence();
	assert_int_equal(told.calls, 0);
	close(fd);
}

/* What was made durable at an earlier unmap says nothing of a range that was flushed after it. */
static void a_bare_munmap_without_descriptors_is_told(void **state)
{
	const int fd = test_disk_file(4 * page());
	char *base = map_without_descriptors(fd, 4 * page());

	(void)state;
	pmem_flush_cache(base, 1, 0);
	assert_int_equal(pmem_unmap(base, page()), 0);
	pmem_fence();
	assert_int_equal(told.calls, 0);
	pmem_flush_cache(base + 2 * page(), 1, 0);
	assert_int_equal(munmap(base + 2 * page(), page()), 0);
	pmem_fence();
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.failure.error, ENOMEM);
	pmem_unmap(base, 4 * page());
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_handler_is_told_everything, start, finish),
		cmocka_unit_test_setup_teardown(try_returns_it_and_calls_nobody, start, finish),
		cmocka_unit_test_setup_teardown(each_void_function_tells, start, finish),
		cmocka_unit_test_setup_teardown(a_thread_that_ends_tells_too, start, finish),
		cmocka_unit_test_setup_teardown(messages_are_of_their_thread, start, finish),
		cmocka_unit_test_setup_teardown(the_handler_may_jump_away, start, finish),
		cmocka_unit_test_setup_teardown(the_default_prints_a_line_and_aborts, start, finish),
		cmocka_unit_test_setup_teardown(the_whole_file_stays_failed, start, finish),
		cmocka_unit_test_setup_teardown(another_file_is_not_failed, start, finish),
		cmocka_unit_test_setup_teardown(mapping_anew_clears_it_for_the_new_mapping, start, finish),
		cmocka_unit_test_setup_teardown(a_foreign_mapping_fails_with_its_file, start, finish),
		cmocka_unit_test_setup_teardown(what_deep_persist_was_told_is_remembered, start, finish),
		cmocka_unit_test_setup_teardown(a_flushed_range_fails_after_its_unmap, start, finish),
		cmocka_unit_test_setup_teardown(eintr_is_tried_again, start, finish),
		cmocka_unit_test_setup_teardown(signals_during_msync_do_no_harm, start, finish),
		cmocka_unit_test_setup_teardown(a_signal_handler_may_persist_persistent_memory, start, finish),
		cmocka_unit_test_setup_teardown(posix_locks_survive_map_and_unmap, start, finish),
		cmocka_unit_test_setup_teardown(descriptors_do_not_pile_up, start, finish),
		cmocka_unit_test_setup_teardown(a_program_that_closes_our_descriptor, start, finish),
		cmocka_unit_test_setup_teardown(mapping_works_without_descriptors, start, finish),
		cmocka_unit_test_setup_teardown(a_bare_munmap_without_descriptors_is_told, start, finish),
	};

	return cmocka_run_group_tests_name("failure", tests, NULL, NULL);
}
