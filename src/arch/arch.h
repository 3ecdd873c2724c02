/* arch.h: what a processor must offer, and the way to flush that was chosen for this one */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_ARCH_H
#define PMEM_ARCH_H

#include <stdbool.h>
#include <stdint.h>

/* The ways to flush that copies are compiled together with; the others get plain copies. */
enum flush_kind {
	FLUSH_OTHER,
	FLUSH_CLWB,
	FLUSH_CLFLUSHOPT,
	FLUSH_CLFLUSH,
	FLUSH_KINDS,
};

/*
 * One way of moving stores from the processor's caches to the persistence
 * domain. Each file of this directory defines some, under the same names
 * wherever the meaning is the same; select.c ranks them.
 *
 * The bounds are byte addresses with start < end; start need not be aligned.
 */
struct flush_method {
	const char *name;
	enum flush_kind kind;
	/* False: this processor has no proven way, and persistent memory must go through msync(2). */
	bool proven;
	/* Does this processor have it? Called once, at load; may set flush_line. */
	bool (*usable)(void);
	/* Starts writing back every line of the range. */
	void (*flush)(uintptr_t start, uintptr_t end);
	/* Waits for this thread's flushes, and orders them before its later stores. */
	void (*fence)(void);
	/* Both in one, returning 0: the hot path is a look-up and a jump to it. */
	int (*persist)(uintptr_t start, uintptr_t end);
};

/* The choice, made by a constructor that runs before all of default priority. */
extern struct flush_method cpu;

/* Bytes in the unit that the chosen method flushes: a power of two. */
extern uintptr_t flush_line;

/* The line that holds an address. */
static inline uintptr_t line_of(uintptr_t address)
{
	return address & ~(flush_line - 1);
}

#endif
