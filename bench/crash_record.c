/* crash_record.c: what recording costs: bench-crash-record REFERENCE [PROGRAM...] */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * REFERENCE (crash_work) runs on a pool in memory with the processor's real
 * flushes; then it, and each PROGRAM (the same, compiled with hooks for
 * example), is recorded as by pmem crash. They take turns; the figures are
 * medians of what the programs measure of themselves, and their ratios. By the
 * processor's clock a program does not wait for the command that reads what is
 * recorded; on a machine with other work to do only that clock means anything.
 */
#define _GNU_SOURCE
#include "launch.h"
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 5, PROGRAMS = 8 };

enum clock { WALL, PROCESSOR, CLOCKS };

/* Nanoseconds of an operation. */
struct figures {
	double of[CLOCKS];
};

struct run {
	const char *bytes, *operations;
};

static const struct run runs[] = {
	{"65536", "1000000"},
	{"1048576", "1000000"},
	{"67108864", "1000000"},
};

static char pool[] = "/dev/shm/bench-crash.XXXXXX";

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench-crash-record: %s: %s\n", what, why ? why : "failed");
	unlink(pool);
	exit(1);
}

static int ascending(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double values[TURNS])
{
	qsort(values, TURNS, sizeof(values[0]), ascending);
	return values[TURNS / 2];
}

/* The pool is one, of a size for each run: data, not holes. */
static void make_pool(const struct run *run)
{
	const int fd = open(pool, O_RDWR | O_TRUNC);
	const off_t bytes = strtoll(run->bytes, NULL, 0);

	if (fd < 0 || ftruncate(fd, bytes) < 0 || posix_fallocate(fd, 0, bytes) != 0)
		die(pool, "cannot be made");
	close(fd);
}

static struct figures read_figures(const char *program, const char *text)
{
	struct figures told;

	if (sscanf(text, "%lf %lf", &told.of[WALL], &told.of[PROCESSOR]) != 2)
		die(program, text);
	return told;
}

static struct figures run_with_flushes(const char *program, const struct run *run)
{
	char command[8192], told[64] = "";
	FILE *output;

	snprintf(command, sizeof(command), "PMEM_IS_PMEM_FORCE=1 '%s' '%s' %s %s 2>&1", program, pool, run->bytes,
		 run->operations);
	output = popen(command, "r");
	if (!output || !fgets(told, sizeof(told), output) || pclose(output) != 0)
		die(program, told);
	return read_figures(program, told);
}

static struct figures run_recorded(const char *program, const char *recorder, const struct run *run)
{
	char *const arguments[] = {(char *)program, pool, (char *)run->bytes, (char *)run->operations, NULL};
	const struct launch launch = {.program = program, .recorder = recorder, .arguments = arguments};
	const char *const pools[] = {pool};
	struct launched launched;
	struct workplace *workplace;
	char *reason;
	struct figures told;

	workplace = workplace_open(pools, 1, 64, &reason);
	if (!workplace || !launch_run(workplace, &launch, &launched, &reason))
		die(program, reason);
	if (launched.status != 0)
		die(program, launched.errors);
	told = read_figures(program, launched.errors);
	launched_free(&launched);
	workplace_close(workplace);
	return told;
}

static void measure(const struct run *run, char *const *programs, int count, const char *recorder)
{
	double recorded[PROGRAMS][CLOCKS][TURNS], ratio[PROGRAMS][CLOCKS][TURNS], flushed[CLOCKS][TURNS];

	make_pool(run);
	for (int turn = 0; turn < TURNS; turn++) {
		const struct figures reference = run_with_flushes(programs[0], run);

		for (int clock = 0; clock < CLOCKS; clock++)
			flushed[clock][turn] = reference.of[clock];
		for (int i = 0; i < count; i++) {
			const struct figures figures = run_recorded(programs[i], recorder, run);

			for (int clock = 0; clock < CLOCKS; clock++) {
				recorded[i][clock][turn] = figures.of[clock];
				ratio[i][clock][turn] = figures.of[clock] / reference.of[clock];
			}
		}
	}
	for (int i = 0; i < count; i++)
		printf("%10s %10.1f %10.1f %8.2f %10.1f %10.1f %8.2f   %s\n", run->bytes, median(flushed[PROCESSOR]),
		       median(recorded[i][PROCESSOR]), median(ratio[i][PROCESSOR]), median(flushed[WALL]),
		       median(recorded[i][WALL]), median(ratio[i][WALL]), programs[i]);
	fflush(stdout);
}

int main(int argc, char *argv[])
{
	char *reason = NULL, *recorder = program_recorder(&reason);
	int fd;

	if (argc < 2 || argc > PROGRAMS) {
		fprintf(stderr, "usage: bench-crash-record REFERENCE [PROGRAM...]\n");
		return 2;
	}
	if (!recorder)
		die("recorder", reason);
	fd = mkstemp(pool);
	if (fd < 0)
		die(pool, "cannot be made");
	close(fd);
	printf("ns an operation, medians of %d turns: by the processor's clock, and by the clock on the wall\n", TURNS);
	printf("%10s %10s %10s %8s %10s %10s %8s\n", "pool", "flushed", "recorded", "ratio", "flushed", "recorded",
	       "ratio");
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		measure(&runs[i], argv + 1, argc - 1, recorder);
	unlink(pool);
	free(recorder);
	return 0;
}
