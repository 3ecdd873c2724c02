/* interpose_exec.c: stands in for the functions that execute programs, and for those that end this one at once */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is executed is recorded too, even where the program makes a new
 * environment for it.
 */
#pragma GCC visibility push(default)
#define _GNU_SOURCE
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#pragma GCC visibility pop

#include "environment.h"
#include "next.h"
#include "record.h"

/* Calls execute with the environment, or with a completed copy of it. */
static int with_environment(int (*execute)(const void *what, char *const *arguments, char *const *environment),
			    const void *what, char *const *arguments, char *const *environment)
{
	char *completed[environment_entries(environment)];
	struct environment_room room;

	record_settle();
	if (environment_is_whole(environment))
		return execute(what, arguments, environment);
	environment_complete(environment, completed, &room);
	return execute(what, arguments, completed);
}

static int next_execve(const void *path, char *const *arguments, char *const *environment)
{
	static void *found;
	__typeof__(execve) *const next = next_function(&found, "execve");

	return next(path, arguments, environment);
}

static int next_execvpe(const void *file, char *const *arguments, char *const *environment)
{
	static void *found;
	__typeof__(execvpe) *const next = next_function(&found, "execvpe");

	return next(file, arguments, environment);
}

static int next_fexecve(const void *fd, char *const *arguments, char *const *environment)
{
	static void *found;
	__typeof__(fexecve) *const next = next_function(&found, "fexecve");

	return next(*(const int *)fd, arguments, environment);
}

int execve(const char *path, char *const arguments[], char *const environment[])
{
	return with_environment(next_execve, path, arguments, environment);
}

int execv(const char *path, char *const arguments[])
{
	return with_environment(next_execve, path, arguments, environ);
}

int execvpe(const char *file, char *const arguments[], char *const environment[])
{
	return with_environment(next_execvpe, file, arguments, environment);
}

int execvp(const char *file, char *const arguments[])
{
	return with_environment(next_execvpe, file, arguments, environ);
}

int fexecve(int fd, char *const arguments[], char *const environment[])
{
	return with_environment(next_fexecve, &fd, arguments, environment);
}

/* The arguments of a call, the NULL at their end included. */
static size_t count_arguments(va_list list)
{
	size_t count = 2;

	while (va_arg(list, char *))
		count++;
	return count;
}

static void take_arguments(va_list list, char *first, char **arguments)
{
	*arguments++ = first;
	while ((*arguments++ = va_arg(list, char *)))
		;
}

int execl(const char *path, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *arguments[count_arguments(list)];
	va_end(list);
	va_start(list, first);
	take_arguments(list, (char *)first, arguments);
	va_end(list);
	return with_environment(next_execve, path, arguments, environ);
}

int execlp(const char *file, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *arguments[count_arguments(list)];
	va_end(list);
	va_start(list, first);
	take_arguments(list, (char *)first, arguments);
	va_end(list);
	return with_environment(next_execvpe, file, arguments, environ);
}

int execle(const char *path, const char *first, ...)
{
	va_list list;

	va_start(list, first);
	char *arguments[count_arguments(list)];
	va_end(list);
	char *const *environment;
	va_start(list, first);
	take_arguments(list, (char *)first, arguments);
	environment = va_arg(list, char *const *);
	va_end(list);
	return with_environment(next_execve, path, arguments, environment);
}

int posix_spawn(pid_t *restrict child, const char *restrict file, const posix_spawn_file_actions_t *restrict actions,
		const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
		char *const environment[restrict])
{
	static void *found;
	__typeof__(posix_spawn) *const next = next_function(&found, "posix_spawn");
	char *completed[environment_entries(environment)];
	struct environment_room room;

	record_settle();
	if (environment_is_whole(environment))
		return next(child, file, actions, attributes, arguments, environment);
	environment_complete(environment, completed, &room);
	return next(child, file, actions, attributes, arguments, completed);
}

int posix_spawnp(pid_t *restrict child, const char *restrict file, const posix_spawn_file_actions_t *restrict actions,
		 const posix_spawnattr_t *restrict attributes, char *const arguments[restrict],
		 char *const environment[restrict])
{
	static void *found;
	__typeof__(posix_spawnp) *const next = next_function(&found, "posix_spawnp");
	char *completed[environment_entries(environment)];
	struct environment_room room;

	record_settle();
	if (environment_is_whole(environment))
		return next(child, file, actions, attributes, arguments, environment);
	environment_complete(environment, completed, &room);
	return next(child, file, actions, attributes, arguments, completed);
}

/* --- The end without exit(3) -------------------------------------------------------------------- */

__attribute__((noreturn)) static void end_at_once(void **found, const char *name, int status)
{
	void (*const next)(int) = next_function(found, name);

	record_settle();
	next(status);
	__builtin_unreachable();
}

void _exit(int status)
{
	static void *found;

	end_at_once(&found, "_exit", status);
}

void _Exit(int status)
{
	static void *found;

	end_at_once(&found, "_Exit", status);
}
