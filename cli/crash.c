/* crash.c: pmem crash: shows which power cuts a program does not survive */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "crash_options.h"
#include "crash_progress.h"
#include "crash_replay.h"
#include "crash_search.h"

#include "command_line.h"
#include "keep.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_CLEAN = 0, EXIT_FINDINGS = 1 };

static volatile sig_atomic_t interrupted;
static struct sigaction before_search; /* what a SIGINT did */

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
	sigaction(SIGINT, &before_search, NULL);
}

/* --- What is written, and where to ------------------------------------------------------- */

static bool (*const writers[CRASH_FORMATS])(FILE *, const struct report *) = {
	[CRASH_HTML] = report_html,
	[CRASH_JSON] = report_json,
	[CRASH_JUNIT] = report_junit,
	[CRASH_SARIF] = report_sarif,
};

static const char *const format_names[CRASH_FORMATS] = {
	[CRASH_HTML] = "--html",
	[CRASH_JSON] = "--json",
	[CRASH_JUNIT] = "--junit",
	[CRASH_SARIF] = "--sarif",
};

/* A search of minutes must not end with a file that cannot be written. */
static int try_outputs(const struct command *self, struct crash_outputs *outputs)
{
	for (size_t i = 0; i < CRASH_FORMATS; i++) {
		const char *file = outputs->files[i];
		int fd;

		if (!file || strcmp(file, "-") == 0)
			continue;
		outputs->made[i] = access(file, F_OK) < 0;
		fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd < 0)
			return command_cannot(self, "%s %s: it cannot be written: %s", format_names[i], file,
					      strerror(errno));
		close(fd);
	}
	return CRASH_GO_ON;
}

/* Of a run that came to nothing. */
static void remove_outputs(const struct crash_outputs *outputs)
{
	for (size_t i = 0; i < CRASH_FORMATS; i++) {
		if (outputs->made[i])
			unlink(outputs->files[i]);
	}
}

static bool goes_to_stdout(const struct crash_outputs *outputs)
{
	for (size_t i = 0; i < CRASH_FORMATS; i++) {
		if (outputs->files[i] && strcmp(outputs->files[i], "-") == 0)
			return true;
	}
	return false;
}

static int write_output(const struct command *self, const struct report *report, size_t format, const char *file)
{
	const bool to_stdout = strcmp(file, "-") == 0;
	FILE *out = to_stdout ? stdout : fopen(file, "we");
	bool written = out && writers[format](out, report);

	if (out && !to_stdout && fclose(out) != 0)
		written = false;
	return written ? CRASH_GO_ON : command_cannot(self, "%s %s: %s", format_names[format], file, strerror(errno));
}

static int write_outputs(const struct command *self, const struct report *report, const struct crash_outputs *outputs)
{
	int status = CRASH_GO_ON;

	for (size_t i = 0; i < CRASH_FORMATS; i++) {
		if (outputs->files[i] && write_output(self, report, i, outputs->files[i]) != CRASH_GO_ON)
			status = EXIT_COULD_NOT_RUN;
	}
	return status;
}

/* --- The program's standard input ----------------------------------------------------------- */

static bool copy_stream(int from, int to)
{
	char bytes[65536];
	ssize_t length;

	while ((length = read(from, bytes, sizeof(bytes))) != 0) {
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 || write(to, bytes, (size_t)length) != length)
			return false;
	}
	return true;
}

/* Every run of the program gets the same: what comes through a pipe is read to its end first. */
static int take_input(struct search *search, char path[PATH_MAX])
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	struct stat status;
	int fd;
	bool copied;

	if (fstat(STDIN_FILENO, &status) < 0 || S_ISCHR(status.st_mode)) {
		strcpy(path, "/dev/null");
		return CRASH_GO_ON;
	}
	if (!S_ISREG(status.st_mode) && poll(&input, 1, 2000) == 0)
		fprintf(stderr, "pmem crash: waiting for the end of standard input, which every run gets again; "
				"</dev/null gives none\n");
	workplace_path(search->workplace, "input", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	copied = fd >= 0 && copy_stream(STDIN_FILENO, fd);
	if (fd >= 0)
		close(fd);
	return copied ? CRASH_GO_ON
		      : command_cannot(search->self, "copying standard input to %s: %s", path, strerror(errno));
}

/* --- The run ----------------------------------------------------------------------------------- */

static int prepare(struct search *search, char input[PATH_MAX])
{
	const struct crash_options *options = search->options;
	const uint32_t unit = options->model == MODEL_PAGE ? 512 : 64;
	char *reason = NULL;
	int status;

	search->program = program_find(options->program[0], &reason);
	if (search->program)
		search->recorder = program_recorder(&reason);
	if (search->recorder)
		search->workplace = workplace_open(options->pools, (uint32_t)options->pool_count, unit, &reason);
	if (!search->workplace) {
		status = command_cannot(search->self, "%s", reason ? reason : "no memory");
		free(reason);
		return status;
	}
	search->check = (struct check){
		.command = options->check,
		.program = options->program,
		.input = input,
		.recorder = search->recorder,
	};
	return take_input(search, input);
}

/* The first interrupt ends the search, and what was found is reported; the second ends the command. */
static int search_interruptibly(struct search *search)
{
	const struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
	int status;

	sigaction(SIGINT, &action, &before_search);
	status = search_run(search);
	sigaction(SIGINT, &before_search, NULL);
	return status;
}

/* Images of all findings, for pmem crash replay. */
static void keep_findings(struct search *search, struct report *report)
{
	char *directory = keep_directory(search->options->keep);
	bool kept = directory != NULL;

	for (size_t i = 0; kept && i < report->finding_count; i++)
		kept = keep_save(directory, &report->findings[i], &search->check, search->limit);
	if (!kept)
		fprintf(stderr, "pmem crash: nothing is kept for a replay: %s: %s\n", directory ? directory : "HOME",
			directory ? strerror(errno) : "not set; --keep names a directory");
	report->replayable = kept;
	if (kept && report->finding_count)
		report->kept_bytes = keep_prune(directory);
	report->kept_directory = directory;
}

static int tell(struct search *search, const struct crash_outputs *outputs)
{
	const struct crash_options *options = search->options;
	FILE *out = goes_to_stdout(outputs) ? stderr : stdout;
	struct report report = {
		.pools = options->pools,
		.pool_count = options->pool_count,
		.program = quote_words(options->program),
		.check = options->check,
		.model = options->model,
		.seed = options->seed,
		.schedules = search->schedules,
		.budget = options->budget,
		.keep = options->keep,
		.explorations = search->explorations,
		.exploration_count = search->count,
		.complete = search->whole && !interrupted,
		.interrupted = interrupted,
		.missing = search->missing,
		.seconds = search_now() - search->started,
	};
	const struct text_style style = {
		.colour = out == stdout && command_wants_colour(),
		.verbose = options->verbose,
	};
	int status = CRASH_GO_ON;

	if (!report_collect(&report))
		return command_cannot(search->self, "no memory for the report");
	keep_findings(search, &report);
	if (!report_text(out, &report, style) || write_outputs(search->self, &report, outputs) != CRASH_GO_ON)
		status = EXIT_COULD_NOT_RUN;
	if (status == CRASH_GO_ON)
		status = report.finding_count ? EXIT_FINDINGS : interrupted ? EXIT_COULD_NOT_RUN : EXIT_CLEAN;
	free(report.program);
	free(report.kept_directory);
	report_free(&report);
	return status;
}

static int run_search(const struct command *self, const struct crash_options *options, struct crash_outputs *outputs)
{
	struct crash_progress progress;
	struct search search = {
		.self = self,
		.options = options,
		.started = search_now(),
		.interrupted = &interrupted,
		.report = crash_progress_report,
		.arg = &progress,
	};
	char input[PATH_MAX];
	int status = try_outputs(self, outputs);

	search.deadline = search.started + options->budget;
	crash_progress_begin(&progress, options->progress);
	if (status == CRASH_GO_ON)
		status = prepare(&search, input);
	if (status == CRASH_GO_ON)
		status = search_interruptibly(&search);
	crash_progress_end(&progress);
	if (status == CRASH_GO_ON)
		status = tell(&search, outputs);
	else
		remove_outputs(outputs);
	search_free(&search);
	return status;
}

static int run(const struct command *self, int argc, char *argv[])
{
	struct crash_options options;
	struct crash_outputs outputs;
	int status;

	if (argc > 1 && strcmp(argv[1], "replay") == 0)
		return crash_replay(self, argc - 1, argv + 1);
	status = crash_options_parse(self, argc, argv, &options, &outputs);
	return status == CRASH_GO_ON ? run_search(self, &options, &outputs) : status;
}

const struct command command_crash = {
	.name = "crash",
	.summary = "show which power cuts a program does not survive",
	.usage = "usage: pmem crash --pool FILE [--pool FILE...] [--check 'CMD'] [OPTION...] -- PROGRAM [ARGUMENT...]\n"
		 "       pmem crash replay [--debug] [--image FILE]... [--keep DIR] ID\n"
		 "\n"
		 "Records what PROGRAM does to its pools, makes the states that a power cut may leave,\n"
		 "and runs CMD on each. {} in CMD is the path of the image, {2} that of the second pool's;\n"
		 "$PMEM_CRASH_OUTPUT names a file with what PROGRAM had written to stdout before the cut.\n"
		 "Without --check PROGRAM itself is run again, and must succeed.\n"
		 "\n"
		 "  -p, --pool FILE       a file that PROGRAM stores to; it stays as it is\n"
		 "  -c, --check CMD       exits 0 if the image is fine; run by /bin/sh -c\n"
		 "  -b, --budget SECONDS  for everything (60)\n"
		 "  -j, --jobs N          states that are tried at once (the processors)\n"
		 "      --model MODEL     x86, eadr, page; auto (x86)\n"
		 "      --schedules N     of a program with threads (3)\n"
		 "      --seed S          of schedules and of states by chance (1)\n"
		 "      --html FILE       a page that shows lines against time\n"
		 "      --json [FILE]     --junit [FILE]  --sarif [FILE]: the findings, to stdout without FILE\n"
		 "      --keep DIR        images for replay (~/.local/state/pmem-crash)\n"
		 "      --progress        even where stderr is no terminal\n"
		 "  -v, --verbose         everything, however long\n"
		 "\n"
		 "  --debug               run the check under gdb\n"
		 "  --image FILE          write the image there; once for each pool\n"
		 "\n"
		 "exit status: 0 clean, 1 findings, 2 could not run\n",
	.run = run,
};
