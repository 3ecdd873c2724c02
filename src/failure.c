/* failure.c: what went wrong, in words, and whom to tell */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "failure.h"

#include "cancel.h"

#include <errno.h>
#include <pmem.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 1024 };

/* This thread's last failure. Made at the first one, so that threads that never fail pay a pointer. */
struct last_failure {
	uintptr_t start, end;
	int error;
	char message[MESSAGE_SIZE];
};

static _Thread_local struct last_failure *last __attribute__((tls_model("initial-exec")));

static pthread_key_t last_key;
static bool have_last_key;

static struct {
	pthread_mutex_t lock;
	void (*call)(const struct pmem_failure *failure, void *arg);
	void *arg;
} handler = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void (*_Atomic observe)(const char *message);

static void forget_last(void *at)
{
	free(at);
	last = NULL;
}

static void lock_handler(void)
{
	pthread_mutex_lock(&handler.lock);
}

static void unlock_handler(void)
{
	pthread_mutex_unlock(&handler.lock);
}

__attribute__((constructor(101))) static void failure_start(void)
{
	have_last_key = pthread_key_create(&last_key, forget_last) == 0;
	pthread_atfork(lock_handler, unlock_handler, unlock_handler);
}

/* NULL if there is no memory even for this. Without a key it is leaked with its thread, and still right. */
static struct last_failure *last_failure(void)
{
	if (last)
		return last;
	last = calloc(1, sizeof(*last));
	if (last && have_last_key)
		pthread_setspecific(last_key, last);
	return last;
}

static void tell_observer(const char *message)
{
	void (*const call)(const char *message) = observe;

	if (call)
		call(message);
}

static void keep(int error, uintptr_t start, uintptr_t end, const char *format, va_list arguments)
{
	struct last_failure *failure = last_failure();

	if (!failure)
		return;
	failure->start = start;
	failure->end = end;
	failure->error = error;
	errno = error; /* for %m */
	vsnprintf(failure->message, MESSAGE_SIZE, format, arguments);
	tell_observer(failure->message);
}

void failure_observe(void (*observer)(const char *message))
{
	observe = observer;
}

int fail(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep(error, 0, 0, format, arguments);
	va_end(arguments);
	errno = error;
	return -1;
}

int fail_range(int error, uintptr_t start, uintptr_t end, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep(error, start, end, format, arguments);
	va_end(arguments);
	errno = error;
	return -1;
}

/* One write, so that the lines of several threads do not mix. */
__attribute__((noreturn)) static void print_and_abort(const struct pmem_failure *failure)
{
	char line[MESSAGE_SIZE + 64];
	const int length = snprintf(line, sizeof(line), "libpmem: %s\n", failure->message);
	ssize_t written;

	cancel_forbid();
	written = write(STDERR_FILENO, line, (size_t)length);
	(void)written;
	abort();
}

void failure_report(void)
{
	struct pmem_failure failure = {
		.sz = sizeof(failure),
		.error = last ? last->error : ENOMEM,
		.message = last ? last->message : "NOT durable, and no memory to say what",
	};
	void (*call)(const struct pmem_failure *, void *);
	void *arg;

	if (last) {
		failure.addr = (const void *)last->start;
		failure.len = last->end - last->start;
	}
	lock_handler();
	call = handler.call;
	arg = handler.arg;
	unlock_handler();
	if (!call)
		print_and_abort(&failure);
	call(&failure, arg);
}

void pmem_on_failure(void (*call)(const struct pmem_failure *failure, void *arg), void *arg)
{
	lock_handler();
	handler.call = call;
	handler.arg = arg;
	unlock_handler();
}

const char *pmem_errormsg(void)
{
	return last ? last->message : "";
}
