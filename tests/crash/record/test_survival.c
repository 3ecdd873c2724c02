/* test_survival.c: whoever dies in the middle of recording, the others go on */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "record/recording.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the above. */
#include <cmocka.h>

static _Atomic uint32_t *lock;

static int make_lock(void **state)
{
	(void)state;
	lock = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	recording.lock = lock;
	return lock == MAP_FAILED;
}

static pid_t die_with_lock(void)
{
	const pid_t child = fork();

	if (child == 0) {
		record_self.id = 0;
		record_lock();
		raise(SIGKILL);
	}
	assert_true(child > 0);
	return child;
}

static void the_lock_of_a_dead_process_is_taken_over(void **state)
{
	(void)state;
	assert_int_equal(waitpid(die_with_lock(), NULL, 0) > 0, 1);
	assert_int_not_equal(*lock, 0);
	record_lock();
	record_unlock();
	assert_int_equal(*lock, 0);
}

/* Nobody has waited for the process yet: its number still exists. */
static void the_lock_of_a_zombie_is_taken_over(void **state)
{
	const pid_t child = die_with_lock();
	siginfo_t ended;

	(void)state;
	assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
	record_lock();
	record_unlock();
	waitpid(child, NULL, 0);
}

enum { INCREMENTS = 100000, PROCESSES = 4 };

static void the_lock_excludes(void **state)
{
	volatile unsigned *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		record_self.id = 0;
		for (int j = 0; j < INCREMENTS; j++) {
			record_lock();
			(*counter)++;
			record_unlock();
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++)
		wait(NULL);
	assert_int_equal(*counter, PROCESSES * INCREMENTS);
}

/* --- The command is gone --------------------------------------------------------------- */

static void make_file(const char *path)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0 && ftruncate(fd, 16384) == 0);
	close(fd);
}

/* A session that nobody reads; the program writes more than fits in the ring, and ends. */
static void a_program_outlives_the_command(void **state)
{
	char folder[] = "/dev/shm/test_survival.XXXXXX", *const files[] = {"pool", "work", "shadow", "session"};
	char paths[4][PATH_MAX];
	struct session *session;
	char **environment;
	int status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < 4; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, files[i]);
	for (int i = 0; i < 3; i++)
		make_file(paths[i]);
	session = session_create(paths[3], SESSION_RECORD);
	assert_non_null(session);
	session->unit = 64;
	strcpy(session->pools[0].shadow, paths[2]);
	assert_true(session_add_pool(session, paths[0], paths[1]));
	environment = session_environment(paths[3], RECORDER, NULL);
	if (fork() == 0) {
		execve(ACTS, (char *[]){"acts", "many", paths[0], NULL}, environment);
		_exit(127);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	assert_true(session->written > 0 && session->written <= SESSION_RING);
	free(environment);
	session_unmap(session);
	for (int i = 0; i < 4; i++)
		unlink(paths[i]);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_of_a_dead_process_is_taken_over),
		cmocka_unit_test(the_lock_of_a_zombie_is_taken_over),
		cmocka_unit_test(the_lock_excludes),
		cmocka_unit_test(a_program_outlives_the_command),
	};

	return cmocka_run_group_tests(tests, make_lock, NULL);
}
