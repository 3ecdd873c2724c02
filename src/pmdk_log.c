/* pmdk_log.c: messages for the function that pmem_log_set_function() sets */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmdk.h"

#include "cancel.h"
#include "failure.h"

#include <errno.h>
#include <libpmem.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_SIZE = 1200 };

static const char *const level_names[] = {
	[PMEM_LOG_LEVEL_HARK] = "note",       [PMEM_LOG_LEVEL_FATAL] = "fatal",   [PMEM_LOG_LEVEL_ERROR] = "error",
	[PMEM_LOG_LEVEL_WARNING] = "warning", [PMEM_LOG_LEVEL_NOTICE] = "notice", [PMEM_LOG_LEVEL_INFO] = "info",
	[PMEM_LOG_LEVEL_DEBUG] = "debug",
};

static _Atomic(enum pmem_log_level) thresholds[] = {
	[PMEM_LOG_THRESHOLD] = PMEM_LOG_LEVEL_WARNING,
	[PMEM_LOG_THRESHOLD_AUX] = PMEM_LOG_LEVEL_HARK,
};

/* One write, so that the lines of several threads do not mix. */
static void write_to_stderr(enum pmem_log_level level, const char *file_name, unsigned line_no,
			    const char *function_name, const char *message)
{
	char line[LINE_SIZE];
	ssize_t written;
	int length, cancel;

	(void)line_no;
	(void)function_name;
	if (level > thresholds[PMEM_LOG_THRESHOLD_AUX])
		return;
	length = snprintf(line, sizeof(line), "%s: %s: %s\n", file_name, level_names[level], message);
	cancel = cancel_forbid();
	written = write(STDERR_FILENO, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
	(void)written;
	cancel_allow(cancel);
}

static _Atomic(pmem_log_function *) log_function = write_to_stderr;

/* The callers set errno afterwards. */
static void log_message(enum pmem_log_level level, const char *message)
{
	if (level <= thresholds[PMEM_LOG_THRESHOLD])
		log_function(level, "libpmem", 0, "", message);
}

static void log_failure(const char *message)
{
	log_message(PMEM_LOG_LEVEL_ERROR, message);
}

/* Silence costs nothing: nobody is told of failures before somebody has asked to be. */
static void listen_to_failures(void)
{
	failure_observe(log_failure);
}

bool pmdk_wants_notices(void)
{
	return thresholds[PMEM_LOG_THRESHOLD] >= PMEM_LOG_LEVEL_NOTICE;
}

void pmdk_log_notice(const char *format, ...)
{
	char message[LINE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_message(PMEM_LOG_LEVEL_NOTICE, message);
}

/* The enumerations may be of any integer value: a caller's mistake must not reach beyond the table. */
static bool is_threshold(enum pmem_log_threshold threshold)
{
	return (unsigned)threshold <= PMEM_LOG_THRESHOLD_AUX;
}

/* The number is the result and errno alike. */
static int refuse(void)
{
	errno = EINVAL;
	return EINVAL;
}

int pmem_log_set_threshold(enum pmem_log_threshold threshold, enum pmem_log_level value)
{
	if (!is_threshold(threshold) || (unsigned)value > PMEM_LOG_LEVEL_DEBUG)
		return refuse();
	atomic_store(&thresholds[threshold], value);
	listen_to_failures();
	return 0;
}

int pmem_log_get_threshold(enum pmem_log_threshold threshold, enum pmem_log_level *value)
{
	if (!is_threshold(threshold) || !value)
		return refuse();
	*value = atomic_load(&thresholds[threshold]);
	return 0;
}

int pmem_log_set_function(pmem_log_function *function)
{
	atomic_store(&log_function, function ? function : write_to_stderr);
	listen_to_failures();
	return 0;
}
