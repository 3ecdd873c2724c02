/* report.h: results in TAP without numbers, which the lane adds */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>

/* One test's result: "ok - NAME", or "not ok - NAME"; the program ends then if $PMEM_LAB_FIRST_FAILURE is set. */
__attribute__((format(printf, 2, 3))) void expect(bool passed, const char *name, ...);

/* A line for people: what was seen. */
__attribute__((format(printf, 1, 2))) void note(const char *format, ...);

/* Ends the program with a failed test: what the next tests stand on is not there. */
__attribute__((format(printf, 1, 2), noreturn)) void give_up(const char *format, ...);

/* The exit status so far: 1 after any failure. */
int report_status(void);

#endif
