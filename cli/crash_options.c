/* crash_options.c: the command line of pmem crash */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "crash_options.h"

#include "command_line.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_WORKERS = 64, MOST_SCHEDULES = 1000 };

static const double default_budget = 60;

/* Options that have no letter. */
enum { MODEL = 256, SCHEDULES, SEED, KEEP, PROGRESS, HTML, JSON, JUNIT, SARIF };

static const struct option long_options[] = {
	{"pool", required_argument, NULL, 'p'},    {"check", required_argument, NULL, 'c'},
	{"budget", required_argument, NULL, 'b'},  {"jobs", required_argument, NULL, 'j'},
	{"model", required_argument, NULL, MODEL}, {"schedules", required_argument, NULL, SCHEDULES},
	{"seed", required_argument, NULL, SEED},   {"html", required_argument, NULL, HTML},
	{"json", optional_argument, NULL, JSON},   {"junit", optional_argument, NULL, JUNIT},
	{"sarif", optional_argument, NULL, SARIF}, {"keep", required_argument, NULL, KEEP},
	{"progress", no_argument, NULL, PROGRESS}, {"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},          {0},
};

static const struct {
	const char *word;
	enum model_kind model;
} models[] = {
	{"auto", MODEL_X86}, /* cache lines, whatever the medium: the strictest that a program is written for */
	{"x86", MODEL_X86},
	{"eadr", MODEL_EADR},
	{"page", MODEL_PAGE},
};

static int parse_model(const struct command *self, struct crash_options *options)
{
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (strcmp(models[i].word, optarg) == 0) {
			options->model = models[i].model;
			return CRASH_GO_ON;
		}
	}
	return command_bad_usage(self, "--model %s: it is one of auto, x86, eadr, page", optarg);
}

static int parse_seconds(const struct command *self, struct crash_options *options)
{
	char *end;

	errno = 0;
	options->budget = strtod(optarg, &end);
	if (end == optarg || *end != '\0' || errno || !isfinite(options->budget) || options->budget <= 0)
		return command_bad_usage(self, "--budget %s: it is a number of seconds above 0", optarg);
	return CRASH_GO_ON;
}

static bool parse_number(uint64_t least, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(optarg, &end, 0);
	return end != optarg && *end == '\0' && errno == 0 && optarg[0] != '-' && *number >= least && *number <= most;
}

static int parse_workers(const struct command *self, struct crash_options *options)
{
	uint64_t number;

	if (!parse_number(1, MOST_WORKERS, &number))
		return command_bad_usage(self, "-j %s: it is a number of processes from 1 to %d", optarg, MOST_WORKERS);
	options->workers = (unsigned)number;
	return CRASH_GO_ON;
}

static int parse_schedules(const struct command *self, struct crash_options *options)
{
	uint64_t number;

	if (!parse_number(1, MOST_SCHEDULES, &number))
		return command_bad_usage(self, "--schedules %s: it is a number from 1 to %d", optarg, MOST_SCHEDULES);
	options->schedules = (unsigned)number;
	return CRASH_GO_ON;
}

static int parse_seed(const struct command *self, struct crash_options *options)
{
	return parse_number(0, UINT64_MAX, &options->seed)
		       ? CRASH_GO_ON
		       : command_bad_usage(self, "--seed %s: it is a number", optarg);
}

static int add_pool(const struct command *self, struct crash_options *options)
{
	if (options->pool_count == IMAGE_POOLS)
		return command_bad_usage(self, "--pool %s: there can be %d pools", optarg, IMAGE_POOLS);
	options->pools[options->pool_count++] = optarg;
	return CRASH_GO_ON;
}

/* The file of an option that goes to stdout without one: "--json=FILE", or the next word if it is no option. */
static const char *optional_file(int argc, char *argv[])
{
	if (optarg)
		return optarg;
	return optind < argc && (argv[optind][0] != '-' || strcmp(argv[optind], "-") == 0) ? argv[optind++] : "-";
}

static int parse_option(const struct command *self, int option, int argc, char *argv[], struct crash_options *options,
			struct crash_outputs *outputs)
{
	switch (option) {
	case 'p':
		return add_pool(self, options);
	case 'c':
		options->check = optarg;
		return CRASH_GO_ON;
	case 'b':
		return parse_seconds(self, options);
	case 'j':
		return parse_workers(self, options);
	case MODEL:
		return parse_model(self, options);
	case SCHEDULES:
		return parse_schedules(self, options);
	case SEED:
		return parse_seed(self, options);
	case KEEP:
		options->keep = optarg;
		return CRASH_GO_ON;
	case 'v':
		options->verbose = true;
		return CRASH_GO_ON;
	case PROGRESS:
		options->progress = true;
		return CRASH_GO_ON;
	case HTML:
	case JSON:
	case JUNIT:
	case SARIF:
		outputs->files[CRASH_HTML + option - HTML] = option == HTML ? optarg : optional_file(argc, argv);
		return CRASH_GO_ON;
	case 'h':
		return command_print_help(self);
	default:
		return command_bad_usage(self, NULL);
	}
}

static int check_whole(const struct command *self, const struct crash_options *options,
		       const struct crash_outputs *outputs)
{
	const size_t missing = options->check ? find_missing_path(options->check, options->pool_count) : 0;
	int to_stdout = 0;

	if (options->pool_count == 0)
		return command_bad_usage(self, "which pool? --pool FILE names the file whose contents must survive");
	if (!options->program[0])
		return command_bad_usage(self, "which program? its command line goes behind --");
	if (missing)
		return command_bad_usage(self, "--check refers to pool {%zu}, and there %s %zu", missing,
					 options->pool_count == 1 ? "is" : "are", options->pool_count);
	for (size_t i = 0; i < CRASH_FORMATS; i++)
		to_stdout += outputs->files[i] && strcmp(outputs->files[i], "-") == 0;
	if (to_stdout > 1)
		return command_bad_usage(self, "only one of --json, --junit and --sarif can go to stdout; give FILEs");
	return CRASH_GO_ON;
}

int crash_options_parse(const struct command *self, int argc, char *argv[], struct crash_options *options,
			struct crash_outputs *outputs)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int option, status;

	*outputs = (struct crash_outputs){0};
	*options = (struct crash_options){
		.budget = default_budget,
		.workers = processors < 1              ? 1
			   : processors > MOST_WORKERS ? MOST_WORKERS
						       : (unsigned)processors,
		.seed = 1,
	};
	while ((option = getopt_long(argc, argv, "+p:c:b:j:vh", long_options, NULL)) != -1) {
		status = parse_option(self, option, argc, argv, options, outputs);
		if (status != CRASH_GO_ON)
			return status;
	}
	options->program = argv + optind;
	return check_whole(self, options, outputs);
}
