/* text.c: a string that grows */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : 4096;
	char *bytes;

	if (text->room - text->length >= more)
		return;
	while (room - text->length < more)
		room *= 2;
	bytes = realloc(text->bytes, room);
	if (!bytes) {
		fputs("pmem cc: as: no memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	text->bytes = bytes;
	text->room = room;
}

void text_append(struct text *text, const char *bytes, size_t length)
{
	if (length == 0)
		return;
	reserve(text, length);
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_print(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length <= 0)
		return;
	reserve(text, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

void text_insert(struct text *text, size_t at, const char *string)
{
	const size_t length = strlen(string);

	reserve(text, length);
	memmove(text->bytes + at + length, text->bytes + at, text->length - at);
	memcpy(text->bytes + at, string, length);
	text->length += length;
}

void text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){0};
}
