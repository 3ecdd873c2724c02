/* source.c: lines of source files, for reports */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "source.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	char *bytes = NULL, *text;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return NULL;
	length = getdelim(&bytes, &room, '\0', file); /* text has no such byte: all of it */
	fclose(file);
	text = length > 0 ? text_clean(bytes, (size_t)length) : NULL;
	free(bytes);
	return text;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	while ((text = strchr(text, '\n'))) {
		count++;
		text++;
	}
	return count;
}

struct source *source_open(const char *path)
{
	char *text = read_whole(path);
	struct source *source = text ? calloc(1, sizeof(*source)) : NULL;
	char *rest = text;

	if (source)
		source->lines = calloc(count_lines(text), sizeof(source->lines[0]));
	if (!source || !source->lines) {
		free(text);
		free(source);
		return NULL;
	}
	source->text = text;
	while (rest)
		source->lines[source->count++] = strsep(&rest, "\n");
	return source;
}

void source_close(struct source *source)
{
	if (!source)
		return;
	free(source->text);
	free(source->lines);
	free(source);
}

const char *source_line(const struct source *source, int number)
{
	return number < 1 || (size_t)number > source->count ? NULL : source->lines[number - 1];
}
