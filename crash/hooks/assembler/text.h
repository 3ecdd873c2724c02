/* text.h: a string that grows */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_AS_TEXT_H
#define PMEM_AS_TEXT_H

#include <stddef.h>

/* Starts as {0}. Without memory the program ends. */
struct text {
	char *bytes;
	size_t length;
	size_t room;
};

void text_append(struct text *text, const char *bytes, size_t length);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts a string in front of what is at position at. */
void text_insert(struct text *text, size_t at, const char *string);

void text_free(struct text *text);

#endif
