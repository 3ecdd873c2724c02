/* test_lock.c: the writers' lock excludes, whoever owns it, forks or dies */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "record/recording.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants the above. */
#include <cmocka.h>

/* What all processes of a test share. */
static struct shared {
	struct writers_lock lock;
	volatile unsigned counter; /* under the lock */
	_Atomic bool go;
} * shared;

static int make_shared(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	recording.lock = &shared->lock;
	return shared == MAP_FAILED;
}

static int remove_shared(void **state)
{
	(void)state;
	return munmap(shared, sizeof(*shared));
}

/* As the recorder does it in a child. */
static pid_t fork_recorded(void)
{
	const pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		record_self.id = 0;
	return child;
}

static void count(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		record_lock();
		shared->counter++;
		record_unlock();
	}
}

static void wait_for_children(void)
{
	int status;

	while (wait(&status) > 0)
		assert_int_equal(status, 0);
}

/* --- Death ------------------------------------------------------------------------------- */

static void die_as_holder(void)
{
	record_lock();
	raise(SIGKILL);
}

static void die_as_owner(void)
{
	count(1);
	record_lock();
	raise(SIGKILL);
}

/* reap: its number exists as long as nobody has waited for it. */
static void is_taken_over(void (*die)(void), bool reap)
{
	const pid_t child = fork_recorded();
	siginfo_t ended;

	if (child == 0)
		die();
	assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | (reap ? 0 : WNOWAIT)), 0);
	assert_true(shared->lock.holder == (uint32_t)child || shared->lock.inside == (uint32_t)child);
	count(1);
	assert_int_equal(shared->lock.holder, 0);
	assert_int_equal(shared->lock.inside, 0);
	waitpid(child, NULL, 0);
}

static void the_lock_of_a_dead_process_is_taken_over(void **state)
{
	(void)state;
	is_taken_over(die_as_holder, true);
}

static void the_lock_of_a_zombie_is_taken_over(void **state)
{
	(void)state;
	is_taken_over(die_as_holder, false);
}

static void the_lock_of_a_dead_owner_is_taken_over(void **state)
{
	(void)state;
	is_taken_over(die_as_owner, true);
}

static void a_program_that_is_executed_inside_starts_outside(void **state)
{
	(void)state;
	count(1);
	record_lock();
	record_self.is_owner = false; /* as in the new program */
	record_lock_restart(&shared->lock);
	assert_int_equal(shared->lock.inside, 0);
	assert_int_equal(shared->lock.owner, 0); /* what was registered for it is gone */
	count(1);
	assert_int_equal(shared->lock.holder, 0);
}

/* --- Exclusion ---------------------------------------------------------------------------- */

enum { PROCESSES = 4, INCREMENTS = 100 * 1000, ROUNDS = 300, FEW = 2000 };

static void processes_exclude_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		if (fork_recorded() != 0)
			continue;
		count(INCREMENTS);
		_exit(0);
	}
	wait_for_children();
	assert_int_equal(shared->counter, PROCESSES * INCREMENTS);
}

static void only_the_first_is_owner(void **state)
{
	(void)state;
	count(2);
	assert_int_equal(shared->lock.owner, record_self.id);
	if (fork_recorded() == 0) {
		count(1);
		_exit(shared->lock.owner == record_self.id);
	}
	wait_for_children();
	assert_int_not_equal(shared->lock.owner, record_self.id);
	count(1);
	assert_int_equal(shared->counter, 4);
}

static void *come_later(void *unused)
{
	while (!shared->go)
		;
	count(FEW);
	return unused;
}

/* The owner is in the middle of it when the other comes. */
static void another_thread_ends_ownership(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		pthread_t other;

		memset(shared, 0, sizeof(*shared));
		assert_int_equal(pthread_create(&other, NULL, come_later, NULL), 0);
		count(FEW / 2);
		shared->go = true;
		count(FEW / 2);
		assert_int_equal(pthread_join(other, NULL), 0);
		assert_int_equal(shared->counter, 2 * FEW);
	}
}

/* A child that no handler of pthread_atfork() was told of takes itself for its parent. */
static void a_child_is_not_the_owner_by_its_parents_number(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		memset(shared, 0, sizeof(*shared));
		count(2);
		if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) {
			shared->go = true;
			count(FEW);
			syscall(SYS_exit_group, 0);
		}
		while (!shared->go)
			;
		count(FEW);
		wait_for_children();
		assert_int_equal(shared->counter, 2 * FEW + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_lock_of_a_dead_process_is_taken_over, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(the_lock_of_a_zombie_is_taken_over, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(the_lock_of_a_dead_owner_is_taken_over, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(a_program_that_is_executed_inside_starts_outside, make_shared,
						remove_shared),
		cmocka_unit_test_setup_teardown(processes_exclude_each_other, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(only_the_first_is_owner, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(another_thread_ends_ownership, make_shared, remove_shared),
		cmocka_unit_test_setup_teardown(a_child_is_not_the_owner_by_its_parents_number, make_shared,
						remove_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
