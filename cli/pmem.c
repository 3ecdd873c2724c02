/* pmem.c: the pmem command: finds the subcommand and runs it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&command_bench, &command_cc, &command_crash, &command_cxx, &command_help, &command_info,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int print_overview(FILE *out)
{
	fputs("usage: pmem COMMAND [OPTION...] [ARGUMENT...]\n"
	      "       pmem --help | --version | --list-cmds\n\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\npmem COMMAND --help has the options; the manual pages are pmem(1) and pmem-COMMAND(1).\n", out);
	return EXIT_SUCCESS;
}

static int print_version(void)
{
	puts("pmem " PMEM_VERSION);
	return EXIT_SUCCESS;
}

/* For shell completion. */
static int list_commands(void)
{
	for (size_t i = 0; i < COMMANDS; i++)
		puts(commands[i]->name);
	return EXIT_SUCCESS;
}

static int run_help(const struct command *self, int argc, char *argv[])
{
	const struct command *about;

	if (argc > 2)
		return command_bad_usage(self, "one command at a time");
	if (argc == 1 || strcmp(argv[1], "--help") == 0)
		return print_overview(stdout);
	about = find_command(argv[1]);
	if (!about)
		return command_bad_usage(self, "there is no command %s; pmem --help names them", argv[1]);
	return command_print_help(about);
}

const struct command command_help = {
	.name = "help",
	.summary = "tell how a command is used",
	.usage = "usage: pmem help [COMMAND]\n",
	.run = run_help,
};

int command_print_help(const struct command *self)
{
	fputs(self->usage, stdout);
	return EXIT_SUCCESS;
}

static void print_message(const struct command *self, const char *format, va_list arguments)
{
	fprintf(stderr, "pmem %s: ", self->name);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

int command_bad_usage(const struct command *self, const char *format, ...)
{
	va_list arguments;

	if (format) {
		va_start(arguments, format);
		print_message(self, format, arguments);
		va_end(arguments);
	}
	fprintf(stderr, "pmem %s --help tells how it is used\n", self->name);
	return EXIT_COULD_NOT_RUN;
}

int command_cannot(const struct command *self, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_message(self, format, arguments);
	va_end(arguments);
	return EXIT_COULD_NOT_RUN;
}

bool command_wants_colour(void)
{
	const char *terminal = getenv("TERM");
	const char *refused = getenv("NO_COLOR");

	if (refused && refused[0])
		return false;
	return terminal && strcmp(terminal, "dumb") != 0 && isatty(STDOUT_FILENO);
}

/* What could not be written, to a full disk for example, must not look like success. */
static int check_output(int status)
{
	const bool failed = ferror(stdout) != 0;

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return status;
	fprintf(stderr, "pmem: writing to stdout failed: %s\n", errno ? strerror(errno) : "an earlier write");
	return EXIT_COULD_NOT_RUN;
}

static int run(int argc, char *argv[])
{
	const struct command *command;

	if (argc < 2) {
		print_overview(stderr);
		return EXIT_COULD_NOT_RUN;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return print_overview(stdout);
	if (strcmp(argv[1], "--version") == 0)
		return print_version();
	if (strcmp(argv[1], "--list-cmds") == 0)
		return list_commands();
	command = find_command(argv[1]);
	if (!command) {
		fprintf(stderr, "pmem: there is no command %s; pmem --help names them\n", argv[1]);
		return EXIT_COULD_NOT_RUN;
	}
	return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char *argv[])
{
	return check_output(run(argc, argv));
}
