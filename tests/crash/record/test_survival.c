/* test_survival.c: the command dies in the middle of recording, and the program goes on */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "session.h"

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
		cmocka_unit_test(a_program_outlives_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
