/* crash_search.c: records a program and explores its power cuts, level by level */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "crash_search.h"

#include "describe.h"
#include "judge_process.h"
#include "launch.h"
#include "recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum {
	SCHEDULES = 3,       /* of threads, where nobody asked for another number */
	SECONDS_LEAST = 60,  /* that a recorded run may take, however small the budget */
	SECONDS_FACTOR = 10, /* the same, as a multiple of the budget */
	OUTPUT_SHOWN = 2000, /* bytes of what a failed control run said */
};

/* Of the budget, what is kept for cuts of recovery. */
static const double recovery_share = 0.25;

double search_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool is_interrupted(const struct search *search)
{
	return *search->interrupted != 0;
}

/* --- Explorations -------------------------------------------------------------------------- */

static struct exploration_report *add_exploration(struct search *search)
{
	if (search->count == search->room) {
		const size_t room = search->room * 2 + 8;
		struct exploration_report *more = realloc(search->explorations, room * sizeof(more[0]));

		if (!more)
			return NULL;
		search->explorations = more;
		search->room = room;
	}
	search->explorations[search->count] = (struct exploration_report){0};
	return &search->explorations[search->count++];
}

static void report_progress(const struct progress *progress, void *arg)
{
	const struct search *search = arg;
	struct progress sum = *progress;

	sum.failure_points += search->before.failure_points;
	sum.states += search->before.states;
	sum.findings += search->before.findings;
	sum.seconds = search_now() - search->started;
	if (search->report)
		search->report(&sum, search->arg);
}

static void add_to_before(struct search *search, const struct result *result)
{
	search->before.failure_points += result->progress.failure_points;
	search->before.states += result->progress.states;
	search->before.findings += result->finding_count;
}

static struct explore_options options_of(struct search *search, double budget)
{
	return (struct explore_options){
		.model = search->options->model,
		.seed = search->options->seed,
		.budget = budget,
		.workers = search->options->workers,
		.report = report_progress,
		.arg = search,
		.interrupted = search->interrupted,
	};
}

/* --- The first level ------------------------------------------------------------------------- */

/* The end of what it said, each line marked; NULL or nothing: nothing is printed. */
static void show_output(const char *output)
{
	const size_t length = output ? strlen(output) : 0;
	const char *at = length > OUTPUT_SHOWN ? output + length - OUTPUT_SHOWN : output;

	while (at && *at) {
		const size_t line = strcspn(at, "\n");

		fprintf(stderr, "  | %.*s\n", (int)line, at);
		at += line + (at[line] == '\n');
	}
}

/* Why a recorded run is of no use; CRASH_GO_ON if it is. */
static int check_run(const struct search *search, const struct launched *launched)
{
	const char *name = search->options->program[0];
	int status = CRASH_GO_ON;

	if (launched->timed_out)
		status = command_cannot(search->self, "%s had not ended after %.0f s; test a shorter run of it", name,
					launched->run_seconds);
	else if (launched->unopened && launched->status == 0)
		status = command_cannot(search->self, "%s ended and never opened %s; is that a file that it works on?",
					name, launched->unopened);
	else if (WIFSIGNALED(launched->status))
		status = command_cannot(search->self,
					"%s was killed by signal %d (%s) when it was recorded, without any power cut",
					name, WTERMSIG(launched->status), strsignal(WTERMSIG(launched->status)));
	else if (launched->status != 0)
		status = command_cannot(search->self,
					"%s exited with status %d when it was recorded, without any power cut; it must "
					"succeed%s",
					name, WEXITSTATUS(launched->status),
					launched->opened ? "" : " (and it opened no pool before)");
	else if (launched->overrun)
		status = command_cannot(search->self, "%s could not be recorded: %s", name, launched->overrun);
	if (status != CRASH_GO_ON)
		show_output(launched->errors);
	return status;
}

static int record(struct search *search, uint64_t seed, struct launched *launched)
{
	const double most = SECONDS_FACTOR * search->options->budget;
	const struct launch launch = {
		.program = search->program,
		.recorder = search->recorder,
		.arguments = search->options->program,
		.input = search->check.input,
		.seed = seed,
		.seconds = most < SECONDS_LEAST ? SECONDS_LEAST : most,
	};
	char *reason;
	int status;

	if (!launch_run(search->workplace, &launch, launched, &reason)) {
		status = command_cannot(search->self, "%s", reason ? reason : "no memory");
		free(reason);
		return status;
	}
	status = check_run(search, launched);
	if (status != CRASH_GO_ON)
		launched_free(launched);
	return status;
}

static unsigned threads_in(const struct trace *trace)
{
	unsigned threads = 0;

	for (const struct trace_event *event = trace_next(trace, NULL); event; event = trace_next(trace, event))
		threads += event->kind == TRACE_THREAD;
	return threads;
}

/* The run without a cut is what everything is compared with: if it fails, nothing can be said. */
static int control_failed(const struct search *search, const struct verdict *control)
{
	const char *what = search->options->check ? search->options->check : "the program, run again,";
	int status;

	if (control->could_not_start && search->options->check)
		status = command_cannot(search->self, "the check cannot be started: %s", what);
	else if (control->could_not_start)
		status = command_cannot(search->self, "the program cannot be started again on a crash image");
	else if (control->failure == FAILURE_HANG)
		status = command_cannot(search->self,
					"without any power cut, after the whole run, the check does not end: %s", what);
	else if (control->failure == FAILURE_CRASH)
		status = command_cannot(search->self,
					"without any power cut, after the whole run, the check was killed by signal %d "
					"(%s): %s",
					control->status, strsignal(control->status), what);
	else
		status = command_cannot(
			search->self, "without any power cut, after the whole run, the check exits with status %d: %s",
			control->status, what);
	show_output(control->output);
	return status;
}

static void describe_places(struct search *search, struct exploration_report *exploration)
{
	struct places *places = places_open(&exploration->trace);

	if (!places)
		return;
	describe(&exploration->result, places);
	if (!search->missing && places_missing(places))
		search->missing = strdup(places_missing(places));
	places_close(places);
}

static int explore_run(struct search *search, struct exploration_report *exploration, bool instrumented, double budget)
{
	struct explore_options options = options_of(search, budget);
	struct judge *judge;
	struct verdict control;
	enum explore_status explored;
	int status = CRASH_GO_ON;

	options.instrumented = instrumented;
	search->check.loads = instrumented;
	judge = judge_process_new(exploration->start, &search->check, search->workplace->folder, NULL, 0);
	if (!judge)
		return command_cannot(search->self, "no memory");
	explored = explore(exploration->start, &exploration->trace, &options, judge, &exploration->result, &control);
	search->limit = judge->limit;
	judge_process_free(judge);
	if (explored == EXPLORE_CONTROL_FAILED || control.could_not_start)
		status = control_failed(search, &control);
	else if (explored == EXPLORE_NOT_STARTED)
		status = EXIT_COULD_NOT_RUN;
	free(control.output);
	return status;
}

/* Records the program under one schedule of its threads, and explores that. */
static int explore_schedule(struct search *search, unsigned number, unsigned *threads)
{
	struct exploration_report *exploration;
	struct launched launched;
	double end = search->deadline, budget;
	int status = record(search, search->options->seed ? search->options->seed + number : 0, &launched);

	if (status != CRASH_GO_ON)
		return status;
	exploration = add_exploration(search);
	if (!exploration) {
		launched_free(&launched);
		return command_cannot(search->self, "no memory");
	}
	*threads = threads_in(&launched.trace);
	if (number == 0 && *threads > 1)
		search->schedules = search->options->schedules ? search->options->schedules : SCHEDULES;
	exploration->start = &search->workplace->start;
	exploration->trace = launched.trace;
	launched.trace = (struct trace){0};
	end -= recovery_share * search->options->budget;
	budget = (end - search_now()) / (search->schedules - number);
	status = explore_run(search, exploration, launched.instrumented, budget > 0.1 ? budget : 0.1);
	exploration->result.schedule = number;
	if (status == CRASH_GO_ON) {
		describe_places(search, exploration);
		add_to_before(search, &exploration->result);
		exploration->output = launched.output;
		launched.output = NULL;
	}
	launched_free(&launched);
	return status;
}

/* --- The second level ---------------------------------------------------------------------------- */

static void keep_recovery(const struct exploration_report *recovery, void *arg)
{
	struct search *search = arg;
	struct exploration_report *exploration = add_exploration(search);
	struct exploration_report own = *recovery;

	if (!exploration) {
		recovery_free(&own);
		return;
	}
	*exploration = own;
	add_to_before(search, &exploration->result);
}

static bool explore_recoveries(struct search *search)
{
	const struct exploration_report first = search->explorations[0];
	const struct explore_options options = options_of(search, 0);
	const struct recovery_search second = {
		.workplace = search->workplace,
		.check = &search->check,
		.program = search->program,
		.recorder = search->recorder,
		.first = &first,
		.output = first.output,
		.limit = search->limit,
		.deadline = search->deadline,
		.options = &options,
	};

	return recovery_explore(&second, keep_recovery, search);
}

int search_run(struct search *search)
{
	unsigned threads = 1;
	int status = CRASH_GO_ON;

	search->schedules = 1;
	search->whole = true;
	for (unsigned number = 0; number < search->schedules && status == CRASH_GO_ON; number++) {
		if (number > 0 && (is_interrupted(search) || search_now() >= search->deadline)) {
			search->whole = false;
			search->schedules = number;
			break;
		}
		status = explore_schedule(search, number, &threads);
	}
	if (status == CRASH_GO_ON && !is_interrupted(search))
		search->whole = explore_recoveries(search) && search->whole;
	return status;
}

void search_free(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		struct exploration_report *exploration = &search->explorations[i];

		free(exploration->output);
		if (exploration->what) {
			recovery_free(exploration);
			continue;
		}
		result_free(&exploration->result);
		trace_free(&exploration->trace);
	}
	free(search->explorations);
	free(search->missing);
	free(search->program);
	free(search->recorder);
	if (search->workplace)
		workplace_close(search->workplace);
}
