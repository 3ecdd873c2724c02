/* judge_callback.c: a judge that calls a unit test's check, in this process */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker keeps its pool equal to the base. A trial lays the units of a state
 * over it, calls the check, and takes both back: what the check wrote is known
 * from the compiler's hooks, or found by comparing everything.
 *
 * The command's own process never calls the check: there, for the control run
 * and for a second look at what failed, a child does.
 */
#define _GNU_SOURCE
#include "judge_callback.h"

#include "capture.h"
#include "record/visit.h"
#include "statics.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	LOOK_INTERVAL = 1024, /* trials after which the pool is compared with the base, whatever the hooks said */
	OUTPUT_KEPT = 4096,   /* bytes of what a check prints */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- The pool ------------------------------------------------------------------------------- */

/* The pool is as large as the test made it: what lies beyond in the base is padding. */
static size_t length_in_pool(const struct callback_judge *judge, uint64_t offset, size_t length)
{
	return offset + length <= judge->size ? length : judge->size - (size_t)offset;
}

static void copy_unit(struct callback_judge *judge, const struct contents *contents, uint64_t offset,
		      const unsigned char *bytes)
{
	const unsigned char *from = bytes ? bytes : contents->base[0] + offset;

	memcpy(judge->pool + offset, from, length_in_pool(judge, offset, contents->start->unit));
}

/* Returns whether there was a difference. */
static bool copy_base(struct callback_judge *judge, const struct contents *contents)
{
	bool differed = false;

	for (size_t at = 0; at < judge->size; at += PAGE) {
		const size_t length = length_in_pool(judge, at, PAGE);

		if (memcmp(judge->pool + at, contents->base[0] + at, length) == 0)
			continue;
		memcpy(judge->pool + at, contents->base[0] + at, length);
		differed = true;
	}
	return differed;
}

static void lay_state(struct callback_judge *judge, const struct contents *contents)
{
	if (judge->whole || contents->all_changed)
		copy_base(judge, contents);
	else
		for (size_t i = 0; i < contents->changed_count; i++)
			copy_unit(judge, contents, contents->changed[i].offset, NULL);
	judge->whole = false;
	for (size_t i = 0; i < contents->unit_count; i++)
		copy_unit(judge, contents, contents->units[i].offset, contents->units[i].bytes);
}

static void take_back_written(struct callback_judge *judge, const struct contents *contents)
{
	const size_t words = (judge->size / VISIT_UNIT + 63) / 64;

	for (size_t word = 0; word < words; word++) {
		for (uint64_t bits = judge->written[word]; bits; bits &= bits - 1) {
			const uint64_t unit = word * 64 + (unsigned)__builtin_ctzll(bits);
			const uint64_t offset = unit * VISIT_UNIT;

			memcpy(judge->pool + offset, contents->base[0] + offset,
			       length_in_pool(judge, offset, VISIT_UNIT));
		}
		judge->written[word] = 0;
	}
}

/* Where the hooks have missed something, they are not trusted any more. */
static void take_back_state(struct callback_judge *judge, const struct contents *contents)
{
	if (!judge->hooks) {
		judge->whole = true;
		return;
	}
	for (size_t i = 0; i < contents->unit_count; i++)
		copy_unit(judge, contents, contents->units[i].offset, NULL);
	take_back_written(judge, contents);
	if (++judge->trials % LOOK_INTERVAL == 0 && copy_base(judge, contents))
		judge->hooks = false;
}

/* --- Calling the check ------------------------------------------------------------------------ */

static int call_check(struct callback_judge *judge, const struct contents *contents)
{
	const struct pmem_crash_promises promises = {
		.count = contents->output_length / sizeof(uint64_t),
		.values = (const uint64_t *)(const void *)contents->output,
	};
	int status;

	visit = (struct visit){
		.pool = judge->pool,
		.size = judge->size,
		.written = judge->written,
		.read = judge->read,
	};
	status = judge->test->check(judge->pool, judge->size, &promises, judge->test->arg);
	visit.pool = NULL;
	return status;
}

static void try_here(struct callback_judge *judge, const struct contents *contents, struct verdict *verdict)
{
	struct capture capture;

	lay_state(judge, contents);
	if (judge->read)
		memset(judge->read, 0, (judge->size / VISIT_UNIT + 63) / 64 * sizeof(judge->read[0]));
	if (CAPTURE(judge->watch, judge->judge.limit, &capture)) {
		verdict->failure = FAILURE_EXIT;
		verdict->status = call_check(judge, contents);
		verdict->passed = verdict->status == 0;
	} else {
		visit.pool = NULL;
		verdict->failure = capture.hung ? FAILURE_HANG : FAILURE_CRASH;
		verdict->status = capture.signal;
		verdict->spoiled = capture.hung; /* it may have been in malloc, whose lock nobody gives back */
	}
	capture_end(judge->watch);
	take_back_state(judge, contents);
	statics_restore(judge->statics);
	verdict->loads[0] = judge->hooks ? (const unsigned char *)judge->read : NULL;
}

/* --- In a process of its own ------------------------------------------------------------------------ */

/* What the child tells; in memory that it shares with its parent. */
struct answer {
	bool returned;
	int status;
};

static void answer_and_exit(struct callback_judge *judge, const struct contents *contents, struct answer *answer,
			    int output)
{
	capture_nothing(); /* a test's own handlers would make something else of a crash */
	judge->whole = true;
	lay_state(judge, contents);
	if (output >= 0) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
	}
	answer->status = call_check(judge, contents);
	answer->returned = true;
	fflush(NULL);
	_exit(0);
}

/* Returns false if the child had to be ended. */
static bool wait_for(pid_t child, double limit, int *status)
{
	const int handle = (int)syscall(SYS_pidfd_open, child, 0);
	struct pollfd ended = {.fd = handle, .events = POLLIN};
	const double deadline = now() + limit;
	int ready = -1;

	while (handle >= 0 && ready < 0) {
		const double left = deadline - now();

		ready = poll(&ended, 1, isinf(left) ? -1 : left > 0 ? (int)(left * 1e3) + 1 : 0);
	}
	if (handle >= 0)
		close(handle);
	if (ready == 0)
		kill(child, SIGKILL);
	waitpid(child, status, 0);
	return ready != 0;
}

static char *read_back(int file)
{
	const off_t length = lseek(file, 0, SEEK_END);
	const size_t kept = length > OUTPUT_KEPT ? OUTPUT_KEPT : (size_t)length;
	char *text = length >= 0 ? calloc(1, kept + 1) : NULL;

	if (text && pread(file, text, kept, 0) < 0)
		text[0] = '\0';
	return text;
}

static void try_in_child(struct callback_judge *judge, const struct contents *contents, bool keep_output,
			 struct verdict *verdict)
{
	struct answer *answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const int output = keep_output ? memfd_create("check", MFD_CLOEXEC) : open("/dev/null", O_WRONLY | O_CLOEXEC);
	const double started = now();
	bool ended;
	int status = 0;
	pid_t child;

	verdict->could_not_start = true;
	fflush(NULL);
	child = answer == MAP_FAILED ? -1 : fork();
	if (child == 0)
		answer_and_exit(judge, contents, answer, output);
	if (child > 0) {
		ended = wait_for(child, judge->judge.limit, &status);
		verdict->could_not_start = false;
		verdict->failure = !ended ? FAILURE_HANG : WIFSIGNALED(status) ? FAILURE_CRASH : FAILURE_EXIT;
		verdict->status = WIFSIGNALED(status) ? WTERMSIG(status)
				  : answer->returned  ? answer->status
						      : WEXITSTATUS(status);
		verdict->passed = ended && WIFEXITED(status) && answer->returned && answer->status == 0;
		verdict->seconds = now() - started;
		verdict->output = keep_output && output >= 0 ? read_back(output) : NULL;
	}
	if (output >= 0)
		close(output);
	if (answer != MAP_FAILED)
		munmap(answer, sizeof(*answer));
}

/* --- The judge --------------------------------------------------------------------------------------- */

/* What a check prints ten thousand times a second nobody reads. */
static void silence(void)
{
	const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fflush(NULL);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
	close(nowhere);
}

static bool begin(struct judge *base, unsigned worker)
{
	struct callback_judge *judge = (struct callback_judge *)base;

	judge->in_worker = worker > 0;
	judge->whole = true;
	if (!judge->in_worker || judge->isolated)
		return true;
	silence();
	judge->watch = watch_start();
	judge->statics = statics_save();
	return judge->watch && judge->statics;
}

static void try_state(struct judge *base, const struct contents *contents, bool keep_output, struct verdict *verdict)
{
	struct callback_judge *judge = (struct callback_judge *)base;

	*verdict = (struct verdict){0};
	if (judge->in_worker && !judge->isolated)
		try_here(judge, contents, verdict);
	else
		try_in_child(judge, contents, keep_output, verdict);
}

static void end(struct judge *base)
{
	struct callback_judge *judge = (struct callback_judge *)base;

	statics_free(judge->statics);
	watch_stop(judge->watch);
	judge->statics = NULL;
	judge->watch = NULL;
}

bool callback_judge_make(struct callback_judge *judge, const struct pmem_crash_test *test, unsigned char *pool,
			 bool hooks)
{
	const size_t words = (test->pool_size / VISIT_UNIT + 64) / 64;

	*judge = (struct callback_judge){
		.judge = {.begin = begin,
			  .try = try_state,
			  .end = end,
			  .limit = INFINITY,
			  .tells_loads = hooks && !(test->flags & PMEM_CRASH_ISOLATED)},
		.test = test,
		.pool = pool,
		.size = test->pool_size,
		.isolated = test->flags & PMEM_CRASH_ISOLATED,
		.hooks = hooks,
		.written = calloc(words, sizeof(uint64_t)),
		.read = calloc(words, sizeof(uint64_t)),
	};
	return judge->written && judge->read;
}

void callback_judge_free(struct callback_judge *judge)
{
	free(judge->written);
	free(judge->read);
}
