/* command_line.c: commands for the shell: quoting, and {} for paths */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "command_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Characters that mean nothing to any shell. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

static void write_word(FILE *out, const char *word)
{
	if (word[0] && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

/* The text that was written to a memory stream; NULL if it was not whole. */
static char *finish(FILE *out, char **text)
{
	const int failed = ferror(out);

	if (fclose(out) != 0 || failed) {
		free(*text);
		return NULL;
	}
	return *text;
}

char *quote_word(const char *word)
{
	char *const words[] = {(char *)word, NULL};

	return quote_words(words);
}

char *quote_words(char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; words[i]; i++) {
		if (i > 0)
			fputc(' ', out);
		write_word(out, words[i]);
	}
	return finish(out, &text);
}

/* If a reference to a path begins here: its number, and its length in characters. 0: none does. */
static size_t reference_at(const char *command, size_t *length)
{
	char *end;
	unsigned long number;

	if (strncmp(command, "{}", 2) == 0) {
		*length = 2;
		return 1;
	}
	if (command[0] != '{' || command[1] < '1' || command[1] > '9')
		return 0;
	number = strtoul(command + 1, &end, 10);
	if (*end != '}' || end - command > 4)
		return 0;
	*length = (size_t)(end + 1 - command);
	return number;
}

char *fill_in_paths(const char *command, const char *const *paths, size_t count)
{
	char *text = NULL;
	size_t size, length;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	while (*command) {
		const size_t number = reference_at(command, &length);

		if (number > 0 && number <= count) {
			write_word(out, paths[number - 1]);
			command += length;
		} else {
			fputc(*command++, out);
		}
	}
	return finish(out, &text);
}

size_t find_missing_path(const char *command, size_t count)
{
	size_t length;

	for (; *command; command++) {
		const size_t number = reference_at(command, &length);

		if (number > count)
			return number;
	}
	return 0;
}
