/* launch.c: runs a program under the recorder */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "launch.h"

#include "collect.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ERRORS_KEPT = 64 << 10, /* bytes of what went to standard error */
	INTERVAL = 1,           /* milliseconds between two looks at the ring */
};

/* All that one run needs, and that is removed after it. */
struct run {
	struct workplace *workplace;
	const struct launch *launch;
	struct launched *launched;
	struct session *session;
	char **environment;
	char session_path[PATH_MAX], output_path[PATH_MAX], errors_path[PATH_MAX];
	int lock; /* a descriptor of the session file; see session.h */
	pid_t pid;
	char **reason;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct run *run, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(run->reason, format, arguments) < 0)
		*run->reason = NULL;
	va_end(arguments);
	return false;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- Before ------------------------------------------------------------------------------ */

static bool set_pool(struct run *run, uint32_t pool)
{
	const char *name = run->workplace->start.pools[pool].name;
	struct session_pool *shared = &run->session->pools[pool];
	char work[PATH_MAX], file[32];

	snprintf(file, sizeof(file), "work-%u", pool);
	workplace_path(run->workplace, file, work);
	snprintf(file, sizeof(file), "shadow-%u", pool);
	workplace_path(run->workplace, file, shared->shadow);
	if (!workplace_copy(run->workplace, pool, work) || !workplace_copy(run->workplace, pool, shared->shadow))
		return fail(run, "copying %s to %s: %s", name, run->workplace->folder, strerror(errno));
	if (!session_add_pool(run->session, name, work))
		return fail(run, "pool %s: %s", name, strerror(errno));
	return true;
}

static bool prepare(struct run *run)
{
	workplace_path(run->workplace, "session", run->session_path);
	workplace_path(run->workplace, "output", run->output_path);
	workplace_path(run->workplace, "errors", run->errors_path);
	run->session = session_create(run->session_path, SESSION_RECORD);
	if (!run->session)
		return fail(run, "%s: %s", run->session_path, strerror(errno));
	run->lock = open(run->session_path, O_RDWR | O_CLOEXEC);
	if (run->lock < 0 || flock(run->lock, LOCK_EX) < 0)
		return fail(run, "%s: %s", run->session_path, strerror(errno));
	run->session->unit = run->workplace->start.unit;
	run->session->seed = run->launch->seed;
	snprintf(run->session->output, sizeof(run->session->output), "%s", run->output_path);
	for (uint32_t i = 0; i < run->workplace->start.pool_count; i++) {
		if (!set_pool(run, i))
			return false;
	}
	run->environment = session_environment(run->session_path, run->launch->recorder, run->launch->variables);
	return run->environment || fail(run, "no memory");
}

/* --- The program's process -------------------------------------------------------------------- */

static bool redirect_stream(const char *path, int flags, int stream)
{
	const int fd = open(path, flags, 0600);

	return fd >= 0 && (fd == stream || (dup2(fd, stream) == stream && close(fd) == 0));
}

/* What is shared with the command's own process must be put right; then the program takes over, or errno is told. */
static void become_program(const struct run *run, int report)
{
	const char *input = run->launch->input ? run->launch->input : "/dev/null";
	sigset_t none;
	int error;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int signal = 1; signal < NSIG; signal++) {
		if (signal != SIGKILL && signal != SIGSTOP)
			sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	personality((unsigned long)personality(0xffffffff) | ADDR_NO_RANDOMIZE);
	if (redirect_stream(input, O_RDONLY, STDIN_FILENO) &&
	    redirect_stream(run->output_path, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO) &&
	    redirect_stream(run->errors_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, STDERR_FILENO))
		execve(run->launch->program, run->launch->arguments, run->environment);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

static bool start(struct run *run)
{
	int report[2], error = 0;

	if (pipe2(report, O_CLOEXEC) < 0)
		return fail(run, "pipe: %s", strerror(errno));
	run->pid = fork();
	if (run->pid == 0)
		become_program(run, report[1]);
	error = errno;
	close(report[1]);
	if (run->pid < 0) {
		close(report[0]);
		return fail(run, "fork: %s", strerror(error));
	}
	setpgid(run->pid, run->pid);
	workplace_guard(run->pid);
	if (read(report[0], &error, sizeof(error)) == sizeof(error)) {
		close(report[0]);
		waitpid(run->pid, NULL, 0);
		workplace_guard(0);
		return fail(run, "%s could not be started: %s", run->launch->program, strerror(error));
	}
	close(report[0]);
	return true;
}

/* --- While it runs ------------------------------------------------------------------------------ */

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

/* Until the program has ended, the ring is emptied; its process stays a zombie. */
static bool follow(struct run *run)
{
	const double started = now();
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, run->pid, 0), .events = POLLIN};
	bool followed = true;

	while (!has_ended(run->pid)) {
		poll(&end, 1, INTERVAL);
		if (followed && !collect_ring(run->session, &run->launched->trace))
			followed = false;
		run->launched->run_seconds = now() - started;
		if (run->launch->seconds > 0 && run->launched->run_seconds > run->launch->seconds)
			run->launched->timed_out = true;
		if (!followed || run->launched->timed_out)
			kill(-run->pid, SIGKILL);
	}
	if (end.fd >= 0)
		close(end.fd);
	return followed;
}

/* Whatever the program started and did not wait for is killed while its group's number cannot be anybody else's. */
static void bury(struct run *run)
{
	kill(-run->pid, SIGKILL);
	waitpid(run->pid, &run->launched->status, 0);
	workplace_guard(0);
}

/* --- After --------------------------------------------------------------------------------------- */

static char *read_file(const char *path, off_t most, size_t *length)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size, from;
	char *text;
	ssize_t got;

	*length = 0;
	if (fd < 0)
		return calloc(1, 1);
	size = lseek(fd, 0, SEEK_END);
	from = most && size > most ? size - most : 0;
	text = malloc((size_t)(size - from) + 1);
	got = text ? pread(fd, text, (size_t)(size - from), from) : -1;
	close(fd);
	if (!text)
		return NULL;
	*length = got > 0 ? (size_t)got : 0;
	text[*length] = '\0';
	return text;
}

/* The last remark, where the recorder had to give up. */
static char *why_overrun(const struct trace *trace)
{
	const struct trace_event *event = NULL, *last = NULL;

	while ((event = trace_next(trace, event))) {
		if (event->kind == TRACE_REMARK)
			last = event;
	}
	return last ? strndup((const char *)last->payload, last->length)
		    : strdup("the recorder could not follow what was done to a pool");
}

static const char *unopened(const struct run *run)
{
	for (uint32_t i = 0; i < run->session->pool_count; i++) {
		if (!run->session->pools[i].opened)
			return run->workplace->start.pools[i].name;
	}
	return NULL;
}

static bool take_results(struct run *run)
{
	struct launched *launched = run->launched;
	const uint32_t processes = run->session->processes;
	size_t length;

	launched->opened = processes > 0;
	launched->unopened = unopened(run);
	launched->instrumented = processes > 0 && run->session->instrumented == processes;
	launched->output = read_file(run->output_path, 0, &launched->output_length);
	launched->errors = read_file(run->errors_path, ERRORS_KEPT, &length);
	if (!launched->output || !launched->errors ||
	    !collect_rest(run->session, &launched->trace, launched->output, launched->output_length))
		return fail(run, "no memory for what the program did");
	if (run->session->overrun)
		launched->overrun = why_overrun(&launched->trace);
	return true;
}

static void clean(struct run *run)
{
	if (run->session) {
		for (uint32_t i = 0; i < run->session->pool_count; i++) {
			unlink(run->session->pools[i].work);
			unlink(run->session->pools[i].shadow);
		}
		session_unmap(run->session);
	}
	if (run->lock >= 0)
		close(run->lock);
	unlink(run->session_path);
	unlink(run->output_path);
	unlink(run->errors_path);
	free(run->environment);
}

bool launch_run(struct workplace *workplace, const struct launch *launch, struct launched *launched, char **reason)
{
	struct run run = {
		.workplace = workplace,
		.launch = launch,
		.launched = launched,
		.lock = -1,
		.reason = reason,
	};
	bool done = false, followed;

	*launched = (struct launched){0};
	*reason = NULL;
	if (prepare(&run) && start(&run)) {
		followed = follow(&run);
		bury(&run);
		followed = collect_ring(run.session, &launched->trace) && followed;
		done = followed ? take_results(&run)
				: fail(&run,
				       "the program did more than a trace of %zu events can hold; test a shorter "
				       "run of it",
				       launched->trace.events);
	}
	clean(&run);
	if (!done)
		launched_free(launched);
	return done;
}

void launched_free(struct launched *launched)
{
	trace_free(&launched->trace);
	free(launched->output);
	free(launched->errors);
	free(launched->overrun);
	*launched = (struct launched){0};
}
