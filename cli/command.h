/* command.h: what the subcommands of pmem have in common */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_COMMAND_H
#define PMEM_COMMAND_H

#include <stdbool.h>

/* The exit status of a command that could not do its work: bad usage, missing files, a write that failed. */
enum { EXIT_COULD_NOT_RUN = 2 };

struct command {
	const char *name;
	const char *summary; /* one line, for pmem --help */
	const char *usage;   /* what NAME --help prints, without the manual page's explanations */
	/* argv[0] is the subcommand's name, and getopt starts afresh. Returns the exit status. */
	int (*run)(const struct command *self, int argc, char *argv[]);
};

/* One file a subcommand. */
extern const struct command command_bench;
extern const struct command command_cc;
extern const struct command command_crash;
extern const struct command command_cxx;
extern const struct command command_help;
extern const struct command command_info;

/* The option --help of a subcommand: its usage on stdout. Returns the exit status. */
int command_print_help(const struct command *self);

/*
 * Tells on stderr what was wrong with the command line, and where help is.
 * format is without a newline; NULL where getopt has said it already. Returns
 * the exit status.
 */
int command_bad_usage(const struct command *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Tells on stderr what could not be done: "pmem NAME: ...". Returns EXIT_COULD_NOT_RUN. */
int command_cannot(const struct command *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Is stdout a terminal that wants colours? NO_COLOR and TERM=dumb say no. */
bool command_wants_colour(void);

#endif
