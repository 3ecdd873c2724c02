/* bench.c: pmem bench: this library against the bare instructions, and against another libpmem */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "../bench/bench.h"
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SECONDS_MAX = 3600 };

struct options {
	bool json;
	const char *html;
	FILE *page;
	struct bench bench;
};

static bool read_seconds(const char *text, double *seconds)
{
	char *end;

	errno = 0;
	*seconds = strtod(text, &end);
	return errno == 0 && end != text && *end == '\0' && *seconds > 0 && *seconds <= SECONDS_MAX;
}

/* EXIT_SUCCESS, or the exit status of a command line that is refused. */
static int read_option(const struct command *self, int option, struct options *options)
{
	switch (option) {
	case 'a':
		options->bench.peer_path = optarg;
		return EXIT_SUCCESS;
	case 'j':
		options->json = true;
		return EXIT_SUCCESS;
	case 'H':
		options->html = optarg;
		return EXIT_SUCCESS;
	case 's':
		if (read_seconds(optarg, &options->bench.seconds))
			return EXIT_SUCCESS;
		return command_bad_usage(self, "%s is not a number of seconds, up to %d", optarg, SECONDS_MAX);
	default:
		return command_bad_usage(self, NULL);
	}
}

/* The page's file is there before anything is measured: a minute would be lost otherwise. */
static int open_page(const struct command *self, struct options *options)
{
	if (!options->html)
		return EXIT_SUCCESS;
	options->page = fopen(options->html, "we");
	return options->page ? EXIT_SUCCESS : command_cannot(self, "%s: %s", options->html, strerror(errno));
}

static int report(const struct command *self, const struct options *options)
{
	bool failed;

	if (options->json)
		bench_write_json(&options->bench);
	else
		bench_write_text(&options->bench);
	if (!options->page)
		return EXIT_SUCCESS;
	bench_write_html(&options->bench, options->page);
	failed = ferror(options->page);
	if (fclose(options->page) == 0 && !failed)
		return EXIT_SUCCESS;
	return command_cannot(self, "%s: it could not be written", options->html);
}

static int check_directory(const struct command *self, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return command_cannot(self, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return command_cannot(self, "%s: not a directory; files to measure on are made there", path);
	return EXIT_SUCCESS;
}

static int run_bench(const struct command *self, int argc, char *argv[])
{
	static const struct option long_options[] = {
		{"against", required_argument, NULL, 'a'}, {"html", required_argument, NULL, 'H'},
		{"json", no_argument, NULL, 'j'},          {"seconds", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
	};
	struct options options = {.bench = {.seconds = 60}};
	int option, status = EXIT_SUCCESS;

	while (status == EXIT_SUCCESS && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h')
			return command_print_help(self);
		status = read_option(self, option, &options);
	}
	if (status != EXIT_SUCCESS)
		return status;
	if (argc - optind > 1)
		return command_bad_usage(self, "one directory at a time");
	options.bench.directory = argv[optind];
	if (argv[optind] && (status = check_directory(self, argv[optind])) != EXIT_SUCCESS)
		return status;
	if ((status = open_page(self, &options)) != EXIT_SUCCESS)
		return status;
	if (bench_run(&options.bench) < 0)
		return EXIT_COULD_NOT_RUN;
	return report(self, &options);
}

const struct command command_bench = {
	.name = "bench",
	.summary = "measure this library against the bare instructions and another libpmem",
	.usage = "usage: pmem bench [--against LIB.so] [--json] [--html FILE] [--seconds S] [PATH]\n"
		 "  --against LIB.so  another libpmem to measure against, by its path\n"
		 "  --json            results on stdout as JSON\n"
		 "  --html FILE       write a page with plots, too\n"
		 "  --seconds S       how long to measure (60)\n"
		 "  PATH              the directory to make files in: /dev/shm, and /var/tmp for a disk's\n",
	.run = run_bench,
};
