/* source.h: lines of source files, for reports */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_SOURCE_H
#define PMEM_CRASH_SOURCE_H

#include <stddef.h>

struct source {
	char *text;   /* clean (text.h) */
	char **lines; /* terminated, without newlines */
	size_t count;
};

/* NULL where the file cannot be read. */
struct source *source_open(const char *path);
void source_close(struct source *source);

/* A line by its number, from 1; NULL: there is none. */
const char *source_line(const struct source *source, int number);

#endif
