/* acts_ends.c: acts that write to the standard output, start processes and threads, or end in their own way */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "acts.h"

#include <pmem.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <wchar.h>

/* --- Standard output ------------------------------------------------------------------------ */

void output_by_stdio(void)
{
	map_pool();
	put(0, "a");
	printf("%d\n", 1);
	puts("two");
	fflush(stdout);
	put(64, "b");
	putchar('3');
	fputs("rest\n", stdout);
}

void output_at_once(void)
{
	map_pool();
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("a");
	put(0, "a");
	printf("b");
}

void output_in_lines(void)
{
	map_pool();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("a\nb");
	put(0, "a");
	printf("c\n");
}

void output_of_wide_characters(void)
{
	map_pool();
	wprintf(L"wide\n");
	put(0, "a");
	pmem_persist(pool, 2, 0);
}

void output_without_the_library(void)
{
	map_pool();
	must(syscall(SYS_write, STDOUT_FILENO, "hidden", 6) == 6, "write");
	put(0, "a");
	say("seen");
}

void output_to_a_copy(void)
{
	const int copy = dup(STDOUT_FILENO);

	must(write(copy, "a", 1) == 1, "write");
	must(dprintf(copy, "%s", "b") == 1, "dprintf");
	must(fclose(stdout) == 0, "fclose");
	must(write(copy, "c", 1) == 1, "write");
}

void output_elsewhere(void)
{
	printf("first");
	must(freopen("/dev/null", "w", stdout) != NULL, "freopen");
	printf("nobody reads this");
}

void output_lost_by_exit(void)
{
	printf("lost");
	_exit(0);
}

void output_lost_by_abort(void)
{
	map_pool();
	put(0, "a");
	printf("lost");
	abort();
}

/* --- Ends ------------------------------------------------------------------------------------ */

void crash(void)
{
	map_pool();
	put(0, "a");
	pmem_persist(pool, 2, 0);
	put(64, "b");
	raise(SIGSEGV);
}

void killed(void)
{
	map_pool();
	put(0, "a");
	say("now\n");
	put(64, "b");
	kill(getpid(), SIGKILL);
}

/* For ever; the file named second tells where it is recorded. */
void waits(void)
{
	FILE *told = fopen(second_name, "w");

	must(told && fprintf(told, "%s\n", getenv("PMEM_CRASH_SESSION")) > 0 && fclose(told) == 0, second_name);
	for (;;)
		pause();
}

/* More events than the ring has room for. */
void many(void)
{
	map_pool();
	for (unsigned i = 0; i < 200000; i++) {
		pool[64 * (i % 200)]++;
		pmem_persist(pool + 64 * (i % 200), 1, 0);
	}
	say("done\n");
}

void fails(void)
{
	map_pool();
	exit(5);
}

/* --- Processes ------------------------------------------------------------------------------- */

static void wait_for_child(void)
{
	int status;

	must(wait(&status) > 0 && status == 0, "child");
}

void forked(void)
{
	map_pool();
	put(0, "a");
	pmem_persist(pool, 2, 0);
	if (fork() == 0) {
		put(64, "child");
		pmem_persist(pool + 64, 6, 0);
		puts("child");
		exit(0);
	}
	wait_for_child();
	put(128, "b");
	pmem_persist(pool + 128, 2, 0);
	puts("parent");
}

void killed_child(void)
{
	map_pool();
	if (fork() == 0) {
		put(0, "child");
		pmem_persist(pool, 6, 0);
		raise(SIGKILL);
	}
	wait(NULL);
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
}

/* In an environment of its own, and in none. */
void executed(void)
{
	char *const arguments[] = {(char *)own_path, "persist", (char *)name, NULL};

	open_pool();
	execve(own_path, arguments, (char *[]){"A=b", NULL});
	must(false, own_path);
}

void executed_by_shell(void)
{
	char command[8192];

	fflush(stdout);
	snprintf(command, sizeof(command), "%s persist %s && echo done", own_path, name);
	must(system(command) == 0, "system");
}

void spawned(void)
{
	char *const arguments[] = {(char *)own_path, "persist", (char *)name, NULL};
	pid_t child;

	must(posix_spawn(&child, own_path, NULL, NULL, arguments, (char *[]){NULL}) == 0, "posix_spawn");
	wait_for_child();
}

void executed_after_vfork(void)
{
	char *const arguments[] = {(char *)own_path, "persist", (char *)name, NULL};

	map_pool();
	if (vfork() == 0) {
		execv(own_path, arguments);
		_exit(1);
	}
	wait_for_child();
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
}

/* --- Threads and signals ----------------------------------------------------------------------- */

static void *persist_b(void *unused)
{
	(void)unused;
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
	return NULL;
}

void second_thread(void)
{
	pthread_t thread;

	map_pool();
	put(0, "a");
	pmem_flush_cache(pool, 2, 0);
	must(pthread_create(&thread, NULL, persist_b, NULL) == 0, "pthread_create");
	must(pthread_join(thread, NULL) == 0, "pthread_join");
	put(128, "c");
	pmem_persist(pool + 128, 2, 0);
}

static void *flush_under_mutex(void *argument)
{
	put(0, "a");
	pmem_flush_cache(pool, 2, 0);
	pthread_mutex_lock(argument);
	put(64, "b");
	pthread_mutex_unlock(argument);
	return NULL;
}

/* A locked instruction is a fence, in a process with threads. */
void mutex_is_a_fence(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	map_pool();
	must(pthread_create(&thread, NULL, flush_under_mutex, &mutex) == 0, "pthread_create");
	must(pthread_join(thread, NULL) == 0, "pthread_join");
}

void mutex_of_one_thread(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	map_pool();
	flush_under_mutex(&mutex);
}

static void persist_in_handler(int signal)
{
	(void)signal;
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
}

void signal_handler(void)
{
	map_pool();
	signal(SIGUSR1, persist_in_handler);
	put(0, "a");
	raise(SIGUSR1);
	pmem_persist(pool, 2, 0);
}
