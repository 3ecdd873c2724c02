/* as.c: stands in for the assembler in what `pmem cc` compiles: adds hooks, then runs the real one */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compilers find it by -B. Their options are left as they are; each source file
 * is replaced by its text with hooks, in memory.
 */
#define _GNU_SOURCE
#include "rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Set by `pmem cc`: the compiler that was asked for, which knows its assembler. */
#define COMPILER_VARIABLE "PMEM_CC_COMPILER"

static void fail(const char *what, const char *name)
{
	fprintf(stderr, "pmem cc: as: %s %s: %s\n", what, name, strerror(errno));
	exit(EXIT_FAILURE);
}

/* --- The real assembler --------------------------------------------------------------------- */

/* What the compiler calls its assembler where nothing stands in for it; "as" if it cannot be asked. */
static void find_assembler(char *name, size_t size)
{
	const char *compiler = getenv(COMPILER_VARIABLE);
	char command[PATH_MAX + 128];
	FILE *answer;

	snprintf(name, size, "as");
	if (!compiler)
		return;
	/* These tell a compiler that is run by another what that was told by -B. */
	snprintf(command, sizeof(command),
		 "unset COMPILER_PATH GCC_EXEC_PREFIX COLLECT_GCC COLLECT_GCC_OPTIONS; exec %s -print-prog-name=as",
		 compiler);
	answer = popen(command, "re");
	if (!answer)
		return;
	if (fgets(name, (int)size, answer))
		name[strcspn(name, "\n")] = 0;
	if (pclose(answer) != 0 || !name[0])
		snprintf(name, size, "as");
}

/* --- Sources -------------------------------------------------------------------------------- */

static void read_all(const char *name, int fd, struct text *source)
{
	char buffer[1 << 16];
	ssize_t count;

	while ((count = read(fd, buffer, sizeof(buffer))) != 0) {
		if (count < 0 && errno != EINTR)
			fail("cannot read", name);
		if (count > 0)
			text_append(source, buffer, (size_t)count);
	}
}

static void write_all(int fd, const struct text *out)
{
	for (size_t done = 0; done < out->length;) {
		const ssize_t count = write(fd, out->bytes + done, out->length - done);

		if (count < 0 && errno != EINTR)
			fail("cannot write", "the text with hooks");
		if (count > 0)
			done += (size_t)count;
	}
}

/* A file in memory with the source and its hooks, open for the real assembler; its name there is returned. */
static char *with_hooks(const char *name)
{
	const bool standard = strcmp(name, "-") == 0;
	const int from = standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	const int to = memfd_create("with-hooks", 0);
	struct text source = {0}, out = {0};
	char *path;

	if (from < 0)
		fail("cannot open", name);
	if (to < 0)
		fail("no memory for", name);
	read_all(name, from, &source);
	/* The assembler's messages, and line numbers of what was written by hand, are about the file itself. */
	if (!standard)
		text_print(&out, "# 1 \"%s\"\n", name);
	rewrite(source.bytes, source.length, standard ? "{standard input}" : name, &out);
	write_all(to, &out);
	if (asprintf(&path, "/proc/self/fd/%d", to) < 0)
		fail("no memory for", name);
	text_free(&source);
	text_free(&out);
	if (!standard)
		close(from);
	return path;
}

/* --- Arguments ------------------------------------------------------------------------------ */

static bool takes_a_value(const char *option)
{
	static const char *const options[] = {"-o", "-I", "-MD", "--MD", "--defsym", "--debug-prefix-map", "-G"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(option, options[i]) == 0)
			return true;
	}
	return false;
}

/* Hooks are written for 64 bits, and a question needs none. */
static bool is_left_alone(const char *option)
{
	return strcmp(option, "--32") == 0 || strcmp(option, "--x32") == 0 || strcmp(option, "--version") == 0 ||
	       strcmp(option, "-version") == 0 || strcmp(option, "--help") == 0;
}

static void put_hooks(int argc, char *argv[])
{
	bool found = false;

	for (int i = 1; i < argc; i++) {
		if (is_left_alone(argv[i]))
			return;
	}
	for (int i = 1; i < argc; i++) {
		if (takes_a_value(argv[i])) {
			i++;
		} else if (argv[i][0] != '-' || strcmp(argv[i], "-") == 0 || strcmp(argv[i], "--") == 0) {
			if (strcmp(argv[i], "--") == 0) /* the standard input too */
				argv[i] = "-";
			argv[i] = with_hooks(argv[i]);
			found = true;
		}
	}
	if (!found)
		argv[argc] = with_hooks("-");
}

int main(int argc, char *argv[])
{
	char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	char assembler[PATH_MAX];

	if (!arguments)
		fail("no memory for", "its arguments");
	memcpy(arguments, argv, (size_t)argc * sizeof(*arguments));
	find_assembler(assembler, sizeof(assembler));
	put_hooks(argc, arguments);
	arguments[0] = assembler;
	execvp(assembler, arguments);
	fail("cannot run", assembler);
}
