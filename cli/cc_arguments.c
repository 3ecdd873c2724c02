/* cc_arguments.c: a compiler's arguments, and what pmem cc must know of those that it was given */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "cc_arguments.h"

#include "command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_DEPTH = 32 }; /* files of arguments that name files of arguments */

_Noreturn void arguments_out_of_memory(void)
{
	fputs("pmem cc: no memory\n", stderr);
	exit(EXIT_COULD_NOT_RUN);
}

void arguments_add(struct arguments *arguments, const char *word)
{
	if (arguments->count + 2 > arguments->room) {
		const size_t room = arguments->room ? 2 * arguments->room : 64;
		char **words = realloc(arguments->words, room * sizeof(*words));

		if (!words)
			arguments_out_of_memory();
		arguments->words = words;
		arguments->room = room;
	}
	arguments->words[arguments->count] = strdup(word);
	if (!arguments->words[arguments->count])
		arguments_out_of_memory();
	arguments->words[++arguments->count] = NULL;
}

void arguments_split(struct arguments *arguments, const char *words)
{
	char *copy = strdup(words), *rest = NULL;

	if (!copy)
		arguments_out_of_memory();
	for (char *word = strtok_r(copy, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
		arguments_add(arguments, word);
	free(copy);
}

/* --- Files of arguments ---------------------------------------------------------------------- */

static char *read_file(const char *name)
{
	FILE *file = fopen(name, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &room, 0, file) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(file);
	return text;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* Takes one word off the text, in place: quotes and backslashes as gcc reads them. NULL at the end. */
static char *take_word(char **text)
{
	char *from = *text, *word, *to, quote = 0;

	while (is_space(*from))
		from++;
	if (!*from)
		return NULL;
	for (word = to = from; *from && (quote || !is_space(*from)); from++) {
		if (*from == '\\' && from[1])
			*to++ = *++from;
		else if (quote && *from == quote)
			quote = 0;
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else
			*to++ = *from;
	}
	*text = *from ? from + 1 : from;
	*to = 0;
	return word;
}

/* --- What was given -------------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const list[])
{
	for (size_t i = 0; list[i]; i++) {
		if (strcmp(word, list[i]) == 0)
			return true;
	}
	return false;
}

/* Hooks of the same kind for other purposes. */
static bool excludes_hooks(const char *word)
{
	static const char *const others[] = {"address", "memory", "leak", "kernel-address", NULL};
	const char *at = strchr(word, '=');

	if (strncmp(word, "-fsanitize=", strlen("-fsanitize=")) != 0)
		return false;
	while (at) {
		for (size_t i = 0; others[i]; i++) {
			if (strncmp(at + 1, others[i], strlen(others[i])) == 0)
				return true;
		}
		at = strchr(at + 1, ',');
	}
	return strstr(word, "hwaddress") != NULL;
}

/* Options whose value may be the next argument, which is no input then. */
static bool takes_a_value(const char *word)
{
	static const char *const options[] = {
		"-o",
		"-x",
		"-I",
		"-D",
		"-U",
		"-L",
		"-B",
		"-MF",
		"-MT",
		"-MQ",
		"-include",
		"-imacros",
		"-isystem",
		"-iquote",
		"-idirafter",
		"-isysroot",
		"-Xlinker",
		"-Xassembler",
		"-Xpreprocessor",
		"-Xclang",
		"-mllvm",
		"--param",
		"-T",
		"-u",
		"-z",
		"-e",
		"-aux-info",
		"-dumpbase",
		"-dumpdir",
		"-target",
		NULL,
	};

	return is_one_of(word, options);
}

static void note(struct given *given, const char *word)
{
	static const char *const stops[] = {"-c", "-S", "-E", "-M", "-MM", "-fsyntax-only", "--version", NULL};
	static const char *const static_links[] = {"-static", "--static", "-static-pie", NULL};

	if (is_one_of(word, stops))
		given->links = false;
	if (is_one_of(word, static_links))
		given->is_static = true;
	if (strcmp(word, "-r") == 0 || strcmp(word, "-Wl,-r") == 0)
		given->relocatable = true;
	if (excludes_hooks(word))
		given->sanitizer = word;
	if ((word[0] != '-' || !word[1]) && !given->value_follows)
		given->has_input = true;
	if (strncmp(word, "-l", 2) == 0)
		given->has_input = true;
	given->value_follows = takes_a_value(word);
}

/* Without symbols nobody can be told a line; the compiler's own runtime has no place beside ours. */
static bool is_dropped(const char *word)
{
	static const char *const dropped[] = {"-s", "-Wl,-s", "-Wl,--strip-all", "-static-libtsan", NULL};

	return is_one_of(word, dropped);
}

static void read_word(struct given *given, const char *word, unsigned depth);

static bool read_words_of_file(struct given *given, const char *name, unsigned depth)
{
	char *text = depth < FILES_DEPTH ? read_file(name) : NULL, *rest = text;

	if (!text)
		return false; /* the compiler takes it for the name of a source file then */
	for (const char *word = take_word(&rest); word; word = take_word(&rest))
		read_word(given, word, depth + 1);
	free(text);
	return true;
}

static void read_word(struct given *given, const char *word, unsigned depth)
{
	if (word[0] == '@' && read_words_of_file(given, word + 1, depth))
		return;
	if (is_dropped(word))
		return;
	arguments_add(&given->kept, word);
	note(given, given->kept.words[given->kept.count - 1]);
}

void arguments_read(struct given *given, char *argv[])
{
	given->links = true;
	for (size_t i = 0; argv[i]; i++)
		read_word(given, argv[i], 0);
}
