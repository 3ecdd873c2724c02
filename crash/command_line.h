/* command_line.h: commands for the shell: quoting, and {} for paths */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_COMMAND_LINE_H
#define PMEM_CRASH_COMMAND_LINE_H

#include <stddef.h>

/* A word as the shell has to be given it; as it is where it needs no quotes. Allocated; NULL without memory. */
char *quote_word(const char *word);

/* All words of a NULL-terminated list, with spaces between them. Allocated; NULL without memory. */
char *quote_words(char *const *words);

/*
 * The command with each {} replaced by the first path, and {1}, {2}... by that
 * path, quoted. Other braces stay. Allocated; NULL without memory.
 */
char *fill_in_paths(const char *command, const char *const *paths, size_t count);

/* The number of a path that a command asks for and that is not among count; 0: it asks for none such. */
size_t find_missing_path(const char *command, size_t count);

#endif
