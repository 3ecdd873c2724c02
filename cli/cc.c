/* cc.c: pmem cc and pmem c++: stand in for the compiler, so that pmem crash sees every store */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real compiler is run with options added: its own calls before each load
 * and store (those of -fsanitize=thread), our library behind them in place of
 * its runtime, and our assembler, for what it does not tell of. It decides
 * itself what of that its mode needs: nothing is added that one of them refuses.
 */
#define _GNU_SOURCE
#include "cc_arguments.h"
#include "command.h"
#include "layout.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tells our assembler whose place it takes: crash/hooks/assembler/as.c. */
#define COMPILER_VARIABLE "PMEM_CC_COMPILER"

enum family { FAMILY_UNKNOWN, FAMILY_GCC, FAMILY_CLANG };

/* A variable that says which compiler, and the one that is taken without. */
struct language {
	const char *variable, *compiler;
};

/* Nothing of a copy or fill by the C library may become instructions that no hook tells of. */
static const char *const gcc_options[] = {
	"-fsanitize=thread",
	"--param=tsan-instrument-func-entry-exit=0",
	"-U__SANITIZE_THREAD__",
	"-Wno-tsan",
	"-U_FORTIFY_SOURCE",
	"-fno-lto",
	/* Stores of different lines stay apart. */
	"-fno-optimize-sibling-calls",
	"-fno-ipa-icf",
	"-fno-tree-tail-merge",
	"-fno-crossjumping",
	"-fno-builtin-memcpy",
	"-fno-builtin-memmove",
	"-fno-builtin-mempcpy",
	"-fno-builtin-memset",
	"-fno-builtin-bcopy",
	"-fno-builtin-bzero",
	"-fno-builtin-strcpy",
	"-fno-builtin-strncpy",
	"-fno-builtin-stpcpy",
	"-fno-builtin-stpncpy",
	"-fno-builtin-strcat",
	"-fno-builtin-strncat",
	"-fno-builtin-sprintf",
	"-fno-builtin-snprintf",
	"-fno-builtin-vsprintf",
	"-fno-builtin-vsnprintf",
	NULL,
};

static const char *const clang_options[] = {
	"--start-no-unused-arguments",
	/* For the compiler proper alone: the driver would link with its own runtime. */
	"-Xclang",
	"-fsanitize=thread",
	"-fno-sanitize=thread",
	"-mllvm",
	"-tsan-instrument-func-entry-exit=0",
	"-fno-integrated-as",
	"-U_FORTIFY_SOURCE",
	"-fno-lto",
	/* Its hooks tell of stores of up to 16 bytes. */
	"-fno-vectorize",
	"-fno-slp-vectorize",
	"-fno-optimize-sibling-calls",
	NULL,
};

/* --- Which compiler -------------------------------------------------------------------------- */

/* The family by a name such as gcc-12 or x86_64-linux-gnu-g++. */
static enum family family_of_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	if (slash)
		name = slash + 1;
	if (strstr(name, "clang"))
		return FAMILY_CLANG;
	return strstr(name, "gcc") || strstr(name, "g++") ? FAMILY_GCC : FAMILY_UNKNOWN;
}

/* The first program of that name in PATH, links resolved: cc is one to a compiler. */
static bool find_program(const char *name, char found[PATH_MAX])
{
	const char *path = getenv("PATH");
	char candidate[PATH_MAX];

	if (strchr(name, '/'))
		return realpath(name, found) != NULL;
	while (path && *path) {
		const size_t length = strcspn(path, ":");

		snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)length, path, name);
		if (access(candidate, X_OK) == 0 && realpath(candidate, found))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}

/* Asked itself: clang defines __clang__, and both __GNUC__. */
static enum family family_of_macros(const char *compiler)
{
	enum family family = FAMILY_UNKNOWN;
	char command[PATH_MAX], line[1024];
	FILE *macros;

	snprintf(command, sizeof(command), "exec %s -dM -E -x c /dev/null 2>/dev/null", compiler);
	macros = popen(command, "re");
	while (macros && fgets(line, sizeof(line), macros)) {
		if (strncmp(line, "#define __clang__ ", strlen("#define __clang__ ")) == 0)
			family = FAMILY_CLANG;
		else if (strncmp(line, "#define __GNUC__ ", strlen("#define __GNUC__ ")) == 0 &&
			 family == FAMILY_UNKNOWN)
			family = FAMILY_GCC;
	}
	if (macros)
		pclose(macros);
	return family;
}

/* compiler: what was asked for; last: its last word, behind ccache and the like. */
static enum family family_of(const char *compiler, const char *last)
{
	char program[PATH_MAX];
	enum family family = family_of_name(last);

	if (family == FAMILY_UNKNOWN && find_program(last, program))
		family = family_of_name(program);
	return family == FAMILY_UNKNOWN ? family_of_macros(compiler) : family;
}

/* --- The command line ------------------------------------------------------------------------ */

static void add_library(struct arguments *arguments, const char *library)
{
	static const char *const around[] = {"--push-state", "--no-as-needed", "-Bdynamic", NULL, "--pop-state"};

	/* As options of the linker: as a file name it would be a source file after -x. */
	for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		arguments_add(arguments, "-Xlinker");
		arguments_add(arguments, around[i] ? around[i] : library);
	}
}

static void add_all(struct arguments *arguments, const char *const options[])
{
	for (size_t i = 0; options[i]; i++)
		arguments_add(arguments, options[i]);
}

static void add_link_options(struct arguments *arguments, const char *folder, const char *library,
			     const struct given *given)
{
	char *rpath;

	if (asprintf(&rpath, "-Wl,-rpath,%s", folder) < 0)
		arguments_out_of_memory();
	arguments_add(arguments, rpath);
	free(rpath);
	/* Behind the user's own: in a unit test libpmem_crash has these functions, and comes first. */
	if (!given->relocatable)
		add_library(arguments, library);
}

/* What stands before and behind the user's own. */
static void add_options(struct arguments *arguments, enum family family, const char *folder, const char *library,
			const struct given *given)
{
	arguments_add(arguments, "-g");
	arguments_add(arguments, "-B");
	arguments_add(arguments, folder);
	for (size_t i = 0; i < given->kept.count; i++)
		arguments_add(arguments, given->kept.words[i]);
	add_all(arguments, family == FAMILY_CLANG ? clang_options : gcc_options);
	/* gcc takes an option for the linker for an input, and links where there is none. */
	if (given->has_input)
		add_link_options(arguments, folder, library, given);
	if (family == FAMILY_CLANG)
		arguments_add(arguments, "--end-no-unused-arguments");
}

/* What cannot work is said here, better than by an undefined symbol. */
static int check_given(const struct command *self, const struct given *given)
{
	if (given->sanitizer)
		return command_cannot(self, "%s and the hooks of pmem %s exclude each other: build without it",
				      given->sanitizer, self->name);
	if (given->is_static && given->links && given->has_input)
		return command_cannot(self,
				      "a static program cannot be recorded: pmem crash comes in as a shared library. "
				      "Link without -static");
	return EXIT_SUCCESS;
}

static int compile(const struct command *self, const char *compiler, char *argv[])
{
	struct arguments arguments = {0};
	struct given given = {0};
	enum family family;
	char *library = layout_find(PMEM_HOOK_FOLDER, "../crash/hooks", "libpmem_crash_hooks.so");
	char *folder = library ? strndup(library, (size_t)(strrchr(library, '/') - library)) : NULL;
	int status;

	if (!folder)
		return command_cannot(self, "libpmem_crash_hooks.so is neither in " PMEM_HOOK_FOLDER
					    " nor in a build tree around this command; install libpmem again");
	arguments_read(&given, argv);
	status = check_given(self, &given);
	if (status != EXIT_SUCCESS)
		return status;
	arguments_split(&arguments, compiler);
	if (arguments.count == 0)
		return command_bad_usage(self, "the name of the compiler is empty");
	family = family_of(compiler, arguments.words[arguments.count - 1]);
	if (family == FAMILY_UNKNOWN)
		return command_cannot(self, "%s is neither gcc nor clang, or cannot be run", compiler);
	add_options(&arguments, family, folder, library, &given);
	setenv(COMPILER_VARIABLE, compiler, 1);
	execvp(arguments.words[0], arguments.words);
	return command_cannot(self, "cannot run %s: %s", arguments.words[0], strerror(errno));
}

static int run_for(const struct command *self, const struct language *language, int argc, char *argv[])
{
	const char *compiler = getenv(language->variable);

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return command_print_help(self);
	if (!compiler || !compiler[0])
		compiler = language->compiler;
	argv++;
	if (*argv && strcmp(*argv, "--with") == 0) {
		compiler = argv[1];
		if (!compiler)
			return command_bad_usage(self, "--with needs the name of a compiler");
		argv += 2;
	}
	return compile(self, compiler, argv);
}

static int run_cc(const struct command *self, int argc, char *argv[])
{
	static const struct language c = {"PMEM_CC", "cc"};

	return run_for(self, &c, argc, argv);
}

static int run_cxx(const struct command *self, int argc, char *argv[])
{
	static const struct language cxx = {"PMEM_CXX", "c++"};

	return run_for(self, &cxx, argc, argv);
}

const struct command command_cc = {
	.name = "cc",
	.summary = "compile C, so that pmem crash sees every store",
	.usage = "usage: pmem cc [--with COMPILER] [ARGUMENT OF THE COMPILER...]\n"
		 "\n"
		 "Runs gcc or clang with the same arguments and what pmem crash needs to see each\n"
		 "load, store, flush and fence with its source line. Use it in place of the compiler:\n"
		 "  make CC=\"pmem cc\"\n"
		 "\n"
		 "  --with COMPILER  which one, as the first argument; else $PMEM_CC, else cc\n",
	.run = run_cc,
};

const struct command command_cxx = {
	.name = "c++",
	.summary = "compile C++, so that pmem crash sees every store",
	.usage = "usage: pmem c++ [--with COMPILER] [ARGUMENT OF THE COMPILER...]\n"
		 "\n"
		 "Runs g++ or clang++ with the same arguments and what pmem crash needs to see each\n"
		 "load, store, flush and fence with its source line. Use it in place of the compiler:\n"
		 "  make CC=\"pmem cc\" CXX=\"pmem c++\"\n"
		 "\n"
		 "  --with COMPILER  which one, as the first argument; else $PMEM_CXX, else c++\n",
	.run = run_cxx,
};
