/* pmem_crash.c: power cuts in a unit test: records it, explores, reports */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include <pmem_crash.h>

#include "describe.h"
#include "explore.h"
#include "judge_callback.h"
#include "record/memory.h"
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	JOBS_MAX = 64,
	BUDGET = 10, /* seconds, where none is given */
};

/* One exploration, from the test to its reports. */
struct session_of_test {
	const struct pmem_crash_test *test;
	unsigned char *pool, *before; /* before: the pool's contents when run() began */
	struct start start;
	struct exploration_report exploration;
	struct verdict control;
	FILE *html, *json;
	bool isolated;
};

static _Atomic bool busy;

/* Says why on stderr, sets errno, returns -1. */
__attribute__((format(printf, 3, 4))) static int refuse(const struct pmem_crash_test *test, int error,
							const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", test && test->name ? test->name : "pmem_crash");
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	errno = error;
	return -1;
}

void pmem_crash_acknowledge(uint64_t value)
{
	memory_promise(&value, sizeof(value), __builtin_return_address(0));
}

/* --- What is asked ---------------------------------------------------------------------- */

static int check_test(const struct pmem_crash_test *test, const struct pmem_crash_summary *summary)
{
	if (!test || test->sz < sizeof(*test))
		return refuse(NULL, EINVAL, "sz is not the size of struct pmem_crash_test");
	if (summary && summary->sz < sizeof(*summary))
		return refuse(test, EINVAL, "sz is not the size of struct pmem_crash_summary");
	if (!test->run || !test->check)
		return refuse(test, EINVAL, "run and check must be given");
	if (test->pool_size == 0)
		return refuse(test, EINVAL, "pool_size is 0");
	if (test->model > PMEM_CRASH_PAGE)
		return refuse(test, EINVAL, "there is no model %d", (int)test->model);
	if (test->flags & ~(PMEM_CRASH_ISOLATED | PMEM_CRASH_QUIET))
		return refuse(test, EINVAL, "unknown flags 0x%x", test->flags);
	if (!(test->budget >= 0))
		return refuse(test, EINVAL, "the budget is no number of seconds");
	return 0;
}

static enum model_kind model_of(const struct pmem_crash_test *test)
{
	static const enum model_kind models[] = {
		[PMEM_CRASH_X86] = MODEL_X86,
		[PMEM_CRASH_EADR] = MODEL_EADR,
		[PMEM_CRASH_PAGE] = MODEL_PAGE,
	};

	return models[test->model];
}

static uint32_t unit_of(const struct pmem_crash_test *test)
{
	return test->model == PMEM_CRASH_PAGE ? 512 : 64;
}

static unsigned jobs_of(const struct pmem_crash_test *test)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned wanted = test->jobs ? test->jobs : processors > 0 ? (unsigned)processors : 1;

	return wanted < JOBS_MAX ? wanted : JOBS_MAX;
}

/* --- Recording ------------------------------------------------------------------------------ */

static int make_pool(struct session_of_test *session)
{
	const struct pmem_crash_test *test = session->test;

	session->pool = mmap(NULL, test->pool_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (session->pool == MAP_FAILED) {
		session->pool = NULL;
		return refuse(test, ENOMEM, "no memory for a pool of %zu bytes", test->pool_size);
	}
	session->before = malloc(test->pool_size);
	if (!session->before)
		return refuse(test, ENOMEM, "no memory for a pool of %zu bytes", test->pool_size);
	if (test->setup && test->setup(session->pool, test->pool_size, test->arg) != 0)
		return refuse(test, ECANCELED, "setup returned an error");
	memcpy(session->before, session->pool, test->pool_size);
	session->start = (struct start){.pool_count = 1, .unit = unit_of(test)};
	session->start.pools[0].name = test->name ? test->name : "pool";
	session->start.pools[0].bytes = session->before;
	session->start.pools[0].size = test->pool_size;
	return 0;
}

static int record(struct session_of_test *session)
{
	const struct pmem_crash_test *test = session->test;
	int status;

	if (!memory_start(session->pool, test->pool_size, unit_of(test), &session->exploration.trace))
		return refuse(test, ENOMEM, "no memory to record the run, or pmem crash records this process itself");
	status = test->run(session->pool, test->pool_size, test->arg);
	if (!memory_stop())
		return refuse(test, ENOMEM, "no memory for the trace of the run");
	if (status != 0)
		return refuse(test, ECANCELED, "run returned %d: only a run without errors can be cut", status);
	return 0;
}

/* --- Exploring -------------------------------------------------------------------------------- */

static int control_failed(const struct session_of_test *session)
{
	const struct verdict *control = &session->control;

	if (control->output && control->output[0])
		fprintf(stderr, "%s\n", control->output);
	if (control->failure == FAILURE_CRASH)
		return refuse(session->test, ECANCELED, "the check crashes (%s) even without a power cut",
			      strsignal(control->status));
	return refuse(session->test, ECANCELED, "the check returns %d even without a power cut", control->status);
}

static int explore_once(struct session_of_test *session, bool isolated, double budget)
{
	struct pmem_crash_test test = *session->test;
	const struct explore_options options = {
		.model = model_of(&test),
		.seed = test.seed,
		.budget = budget,
		.workers = jobs_of(&test),
		.instrumented = memory_has_hooks(),
	};
	struct callback_judge judge;
	enum explore_status status = EXPLORE_NOT_STARTED;

	test.flags |= isolated ? PMEM_CRASH_ISOLATED : 0;
	session->isolated = test.flags & PMEM_CRASH_ISOLATED;
	if (callback_judge_make(&judge, &test, session->pool, options.instrumented))
		status = explore(&session->start, &session->exploration.trace, &options, &judge.judge,
				 &session->exploration.result, &session->control);
	callback_judge_free(&judge);
	if (status == EXPLORE_CONTROL_FAILED)
		return control_failed(session);
	if (status != EXPLORE_DONE)
		return refuse(session->test, ENOMEM, "no memory to explore");
	return 0;
}

/* A failure that a process of its own does not show comes of what earlier checks left behind. */
static bool was_disturbed(const struct result *result)
{
	for (size_t i = 0; i < result->hint_count; i++) {
		if (result->hints[i].kind == HINT_FLAKY)
			return true;
	}
	return false;
}

static int explore_session(struct session_of_test *session)
{
	const double budget = session->test->budget > 0 ? session->test->budget : BUDGET;
	struct result *result = &session->exploration.result;
	double left;

	if (explore_once(session, false, budget) < 0)
		return -1;
	left = budget - result->progress.seconds;
	if (session->isolated || !was_disturbed(result))
		return 0;
	result_free(result);
	return explore_once(session, true, left > budget / 2 ? left : budget / 2);
}

/* --- Reporting ------------------------------------------------------------------------------------ */

/* What was promised are numbers here. */
static void spell_promises(struct finding *finding)
{
	const uint64_t *values = (const uint64_t *)(const void *)finding->promised;
	const size_t count = finding->promised_length / sizeof(values[0]);
	char *text = NULL;
	size_t length = 0;
	FILE *out = count ? open_memstream(&text, &length) : NULL;

	if (!out)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%llu\n", (unsigned long long)values[i]);
	fclose(out);
	free(finding->promised);
	finding->promised = text;
	finding->promised_length = length;
}

/* For people only where there is something to say. */
static bool write_reports(struct session_of_test *session, const struct report *report)
{
	const bool quiet = session->test->flags & PMEM_CRASH_QUIET;
	const struct text_style style = {.colour = false};
	bool written = true;

	if (!quiet && (report->finding_count > 0 || !report->complete))
		written = report_text(stderr, report, style);
	if (session->html)
		written &= report_html(session->html, report) && fflush(session->html) == 0;
	if (session->json)
		written &= report_json(session->json, report) && fflush(session->json) == 0;
	return written;
}

static void summarise(const struct session_of_test *session, const struct report *report,
		      struct pmem_crash_summary *summary)
{
	*summary = (struct pmem_crash_summary){
		.sz = sizeof(*summary),
		.findings = report->finding_count,
		.states = report->total.states,
		.failure_points = report->total.failure_points,
		.seconds = report->seconds,
		.complete = report->complete,
		.isolated = session->isolated,
	};
}

/* Names places, says sentences, writes. What is explored belongs to the report from now on. */
static int describe_and_write(struct session_of_test *session, struct report *report)
{
	struct result *result = &report->explorations[0].result;
	struct places *places;

	report->explorations[0] = session->exploration;
	report->explorations[0].start = &session->start;
	session->exploration = (struct exploration_report){0};
	result->trace = &report->explorations[0].trace;
	places = places_open(result->trace);
	if (!places)
		return refuse(session->test, ENOMEM, "no memory for the report");
	for (size_t i = 0; i < result->finding_count; i++)
		spell_promises(&result->findings[i]);
	describe(result, places);
	report->missing = places_missing(places);
	report->model = result->model;
	report->seconds = result->progress.seconds;
	errno = ENOMEM;
	if (!report_collect(report) || !write_reports(session, report)) {
		places_close(places);
		return refuse(session->test, errno, "the report could not be written: %s", strerror(errno));
	}
	places_close(places);
	return (int)report->finding_count;
}

static int report_session(struct session_of_test *session, struct pmem_crash_summary *summary)
{
	static const char *const pools[] = {"pool"};
	const struct pmem_crash_test *test = session->test;
	struct report report = {
		.pools = pools,
		.pool_count = 1,
		.program = strdup(test->name ? test->name : "test"),
		.check = "check()",
		.seed = test->seed,
		.schedules = 1,
		.budget = test->budget > 0 ? test->budget : BUDGET,
		.explorations = calloc(1, sizeof(struct exploration_report)),
		.exploration_count = 1,
		.complete = true,
	};
	int status;

	if (!report.program || !report.explorations) {
		free(report.program);
		free(report.explorations);
		return refuse(test, ENOMEM, "no memory for the report");
	}
	status = describe_and_write(session, &report);
	if (status >= 0 && summary)
		summarise(session, &report, summary);
	report_free(&report);
	return status;
}

static int open_reports(struct session_of_test *session)
{
	const struct pmem_crash_test *test = session->test;

	session->html = test->html ? fopen(test->html, "we") : NULL;
	if (test->html && !session->html)
		return refuse(test, errno, "%s cannot be written: %s", test->html, strerror(errno));
	session->json = test->json ? fopen(test->json, "we") : NULL;
	if (test->json && !session->json)
		return refuse(test, errno, "%s cannot be written: %s", test->json, strerror(errno));
	return 0;
}

static void end_session(struct session_of_test *session)
{
	const int error = errno;

	if (session->html)
		fclose(session->html);
	if (session->json)
		fclose(session->json);
	if (session->pool) {
		memory_forget();
		munmap(session->pool, session->test->pool_size);
	}
	free(session->before);
	free(session->control.output);
	result_free(&session->exploration.result);
	trace_free(&session->exploration.trace);
	errno = error;
}

int pmem_crash_explore(const struct pmem_crash_test *test, struct pmem_crash_summary *summary)
{
	struct session_of_test session = {.test = test};
	int status;

	if (check_test(test, summary) < 0)
		return -1;
	if (atomic_exchange(&busy, true))
		return refuse(test, EBUSY, "another exploration is going on in this process");
	status = open_reports(&session);
	if (status == 0)
		status = make_pool(&session);
	if (status == 0)
		status = record(&session);
	if (status == 0)
		status = explore_session(&session);
	if (status == 0)
		status = report_session(&session, summary);
	end_session(&session);
	atomic_store(&busy, false);
	return status;
}
