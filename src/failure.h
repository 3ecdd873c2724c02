/* failure.h: what went wrong, in words, and whom to tell */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_FAILURE_H
#define PMEM_FAILURE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Keeps a message for pmem_errormsg(), sets errno to error, returns -1. In the
 * format, %m stands for the text of error.
 */
int fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, naming the range that is not durable; for failure_report(). */
int fail_range(int error, uintptr_t start, uintptr_t end, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Has every message that is kept from now on told to a function too, which may not fail. */
void failure_observe(void (*observer)(const char *message));

/* Tells the handler of this thread's last fail_range(): for the functions without a result. */
void failure_report(void);

#endif
