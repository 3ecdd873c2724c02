/* cc_arguments.h: a compiler's arguments, and what pmem cc must know of those that it was given */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CC_ARGUMENTS_H
#define PMEM_CC_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

/* Ends in NULL. Starts as {0}. Without memory the program ends. */
struct arguments {
	char **words;
	size_t count, room;
};

/* Adds a copy of the word. */
void arguments_add(struct arguments *arguments, const char *word);

/* Adds the words between white space. */
void arguments_split(struct arguments *arguments, const char *words);

_Noreturn void arguments_out_of_memory(void);

struct given {
	struct arguments kept; /* all, but for those that would undo what pmem cc does */
	bool links;            /* no option says to stop before */
	bool has_input;
	bool is_static;
	bool relocatable;      /* -r */
	bool value_follows;    /* the last argument was an option that takes the next */
	const char *sanitizer; /* an option that excludes the hooks, or NULL */
};

/* Reads them, files (@NAME) too. argv ends in NULL. given starts as {0}. */
void arguments_read(struct given *given, char *argv[]);

#endif
