/* report.c: results in TAP without numbers, which the lane adds */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool failed;

static void line(const char *start, const char *format, va_list arguments)
{
	fputs(start, stdout);
	vprintf(format, arguments);
	putchar('\n');
	fflush(stdout);
}

void expect(bool passed, const char *name, ...)
{
	va_list arguments;

	va_start(arguments, name);
	line(passed ? "ok - " : "not ok - ", name, arguments);
	va_end(arguments);
	failed = failed || !passed;
	if (failed && getenv("PMEM_LAB_FIRST_FAILURE"))
		exit(1);
}

void note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	line("# ", format, arguments);
	va_end(arguments);
}

void give_up(const char *format, ...)
{
	const int error = errno;
	va_list arguments;

	va_start(arguments, format);
	line("not ok - ", format, arguments);
	va_end(arguments);
	note("the last error: %s", strerror(error));
	exit(1);
}

int report_status(void)
{
	return failed ? 1 : 0;
}
