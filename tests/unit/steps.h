/* steps.h: what a function executes, one instruction at a time */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPS_LINES_MAX = 8192 };

/*
 * What is durable of a part of memory, as far as the processor promises: a line
 * as it is when it is flushed, and what is stored directly. The caller says
 * where it is and what it holds before the function runs.
 */
struct durable {
	uintptr_t start; /* at the beginning of a line */
	size_t size;     /* bytes, whole lines */
	unsigned char *bytes;
};

struct steps {
	size_t instructions;
	size_t flushes;       /* cache-line flushes of any kind */
	size_t direct_stores; /* MOVDIRI, MOVDIR64B */
	size_t fences;        /* sfence, mfence, locked instructions not included */
	size_t locked;        /* instructions with a lock prefix */
	size_t system_calls;
	bool fenced_last;                 /* no flush came after the last fence */
	uintptr_t lines[STEPS_LINES_MAX]; /* the addresses flushed, in order */
};

/*
 * Runs function(arg) in a child process, single-stepped. False where that
 * cannot be done: on processors that no decoder is written for, and where
 * ptrace is not allowed.
 */
bool step_through(void (*function)(void *arg), void *arg, struct steps *steps);

/*
 * The same, and keeps account of what is durable. Direct stores are carried out
 * where the processor lacks them.
 */
bool step_through_durably(void (*function)(void *arg), void *arg, struct steps *steps, struct durable *durable);

/*
 * The same, but steps through the function's last system calls and what follows
 * them only: for functions that read much before they flush. It runs twice.
 */
bool step_through_end(void (*function)(void *arg), void *arg, size_t last_calls, struct steps *steps);

#endif
