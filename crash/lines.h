/* lines.h: lines and functions of one file of machine code */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_LINES_H
#define PMEM_CRASH_LINES_H

#include <stdbool.h>
#include <stdint.h>

struct lines;

struct source_line {
	char *file;     /* as the compiler was given it, allocated; NULL where not known */
	char *compiled; /* the directory that a relative one starts from, allocated; may be NULL, may be relative */
	int line;
	char *function; /* the innermost, inlined or not, allocated; NULL where not known */
};

/* NULL where the file cannot be read, or without memory. */
struct lines *lines_open(const char *path);

/*
 * What was compiled to the instruction at an address, as the file counts
 * addresses. Code that was inlined from the system's headers is attributed to
 * the line that uses it. False where nothing is known.
 */
bool lines_find(struct lines *lines, uint64_t address, struct source_line *line);

/* Whether this build can read lines at all. */
bool lines_is_available(void);

void lines_close(struct lines *lines);

#endif
