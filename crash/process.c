/* process.c: runs a command to its end or to a limit, and keeps what it said */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- What it said -------------------------------------------------------------------- */

static void said_add(struct said *said, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++, said->total++) {
		if (said->total < sizeof(said->first))
			said->first[said->total] = bytes[i];
		else
			said->last[said->total % sizeof(said->last)] = bytes[i];
	}
}

char *said_text(const struct said *said)
{
	const size_t beginning = said->total < sizeof(said->first) ? said->total : sizeof(said->first);
	const size_t rest = said->total - beginning;
	const size_t end = rest < sizeof(said->last) ? rest : sizeof(said->last);
	char *text = malloc(beginning + end + 64);
	size_t at = beginning;

	if (!text)
		return NULL;
	memcpy(text, said->first, beginning);
	if (rest > end)
		at += (size_t)sprintf(text + at, "\n[%zu bytes are left out here]\n", rest - end);
	for (size_t i = said->total - end; i < said->total; i++)
		text[at++] = said->last[i % sizeof(said->last)];
	for (size_t i = 0; i < at; i++) {
		if (text[i] == '\0')
			text[i] = ' ';
	}
	text[at] = '\0';
	return text;
}

/* False at the end of what can be read. */
static bool said_read(struct said *said, int fd)
{
	char bytes[4096];
	const ssize_t length = read(fd, bytes, sizeof(bytes));

	if (length > 0)
		said_add(said, bytes, (size_t)length);
	return length > 0 || (length < 0 && errno == EINTR);
}

/* --- When this process has to end ------------------------------------------------------ */

/* The process that is running, 0 for none. */
static volatile pid_t running;

void process_kill_running(void)
{
	if (running > 0)
		kill(-running, SIGKILL);
}

static void end_together(int signal)
{
	process_kill_running();
	_exit(128 + signal);
}

void process_end_together(void)
{
	const struct sigaction action = {.sa_handler = end_together};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

/* --- Its life ------------------------------------------------------------------------ */

static int start(const struct process *process, int output, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int error;

	sigemptyset(&none);
	sigfillset(&defaults);
	if ((error = posix_spawn_file_actions_init(&files)) != 0)
		return error;
	if ((error = posix_spawnattr_init(&attributes)) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return error;
	}
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, process->input, O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(pid, process->argv[0], &files, &attributes, process->argv, process->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Milliseconds to sleep at most: to the deadline, and no longer than poll can. */
static int patience(double left, bool woken_by_end)
{
	if (!woken_by_end)
		return 1;
	return left > 1 ? 1000 : (int)(left * 1000) + 1;
}

/* Until it has ended: true; or until the deadline. */
static bool wait_for(pid_t pid, int pipe, double deadline, struct said *said)
{
	struct pollfd wait[2] = {
		{.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN}, /* -1 before Linux 5.3 */
		{.fd = pipe, .events = POLLIN},
	};
	bool ended = false;

	for (double left = deadline - now(); left > 0 && !ended; left = deadline - now()) {
		poll(wait, 2, patience(left, wait[0].fd >= 0));
		if (wait[1].revents && !said_read(said, pipe))
			wait[1].fd = -1;
		ended = has_ended(pid);
	}
	if (wait[0].fd >= 0)
		close(wait[0].fd);
	return ended;
}

/*
 * Children that are not of this process group were left behind by the process:
 * they have come here since their parents are dead.
 */
static bool kill_orphans(void)
{
	char path[64];
	FILE *children;
	bool any = false;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)syscall(SYS_gettid));
	children = fopen(path, "re");
	if (!children)
		return false;
	while (fscanf(children, "%d", &pid) == 1) {
		if (getpgid(pid) == getpgrp())
			continue;
		kill(pid, SIGKILL);
		any = waitpid(pid, NULL, 0) == pid || any;
	}
	fclose(children);
	return any;
}

/* The process itself is dead, and its number is its own until somebody has waited for it. */
static int bury(pid_t pid)
{
	siginfo_t info = {0};
	int status = 0;

	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	/* Is anything else a child now? Asking is cheap, and nearly always there is nothing. */
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD)
		return status;
	while (kill_orphans())
		;
	return status;
}

struct process_end process_run(const struct process *process, struct said *said)
{
	const double started = now();
	struct process_end end = {0};
	int pipe[2];
	pid_t pid;

	said->total = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return (struct process_end){.error = errno};
	fcntl(pipe[1], F_SETFL, 0); /* the process expects to wait when it writes much */
	end.error = start(process, pipe[1], &pid);
	close(pipe[1]);
	if (end.error == 0) {
		running = pid;
		end.hung = !wait_for(pid, pipe[0], started + process->limit, said);
		end.seconds = now() - started;
		end.status = bury(pid);
		running = 0;
		while (said_read(said, pipe[0]))
			;
	}
	close(pipe[0]);
	return end;
}
