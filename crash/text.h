/* text.h: what programs have written, as text that every format takes */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_TEXT_H
#define PMEM_CRASH_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Valid UTF-8 of bytes that may be anything: what is not, and control characters
 * but tab and newline, become U+FFFD. Allocated; NULL without memory or for NULL.
 */
char *text_clean(const char *bytes, size_t length);
char *text_clean_string(const char *text);

/* For XML and HTML, in elements and in attributes. The text must be clean. */
void text_write_xml(FILE *out, const char *text);

/* In double quotes, for JSON that may stand in a script element of HTML. The text must be clean. */
void text_write_json(FILE *out, const char *text);

/* A number with separators between thousands; in a buffer that the caller has. */
const char *text_number(size_t number, char buffer[32]);

#endif
