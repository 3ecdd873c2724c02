/* report.c: everything that a run of pmem crash has to tell, each bug and each hint once */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "report.h"

#include "command_line.h"
#include <stdarg.h>

#include <stdlib.h>
#include <string.h>

const char *report_kind(enum finding_kind kind)
{
	static const char *const words[] = {
		[FINDING_LOST] = "lost",
		[FINDING_EARLY] = "early",
		[FINDING_CUT] = "cut",
		[FINDING_RECOVERY] = "recovery",
	};

	return words[kind];
}

const char *report_failure(enum failure failure)
{
	static const char *const words[] = {
		[FAILURE_CRASH] = "crash",
		[FAILURE_HANG] = "hang",
		[FAILURE_EXIT] = "exit",
	};

	return words[failure];
}

const char *report_hint_kind(enum hint_kind kind)
{
	static const char *const words[] = {
		[HINT_REDUNDANT_FLUSH] = "redundant-flush",
		[HINT_NEVER_FLUSHED] = "never-flushed",
		[HINT_UNSEEN_STORES] = "unseen-stores",
		[HINT_FLAKY] = "flaky-check",
		[HINT_REMARK] = "remark",
		[HINT_SKIPPED] = "skipped",
	};

	return words[kind];
}

const char *report_model(enum model_kind model)
{
	static const char *const words[] = {
		[MODEL_X86] = "x86",
		[MODEL_EADR] = "eadr",
		[MODEL_PAGE] = "page",
	};

	return words[model];
}

bool report_knows(const struct place *place)
{
	if (!place->event)
		return false;
	if (place->file)
		return true;
	return place->function && trace_has_place(place->event);
}

__attribute__((format(printf, 1, 2))) static char *say(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

char *report_verdict(const struct finding *finding)
{
	const char *name;

	if (finding->failure == FAILURE_HANG)
		return say("did not end");
	if (finding->failure == FAILURE_EXIT)
		return say("exited with status %d", finding->status);
	name = sigabbrev_np(finding->status);
	return name ? say("was killed by SIG%s", name) : say("was killed by signal %d", finding->status);
}

char *report_replay(const struct report *report, const struct finding *finding)
{
	char *directory, *command;

	if (!report->replayable)
		return NULL;
	if (!report->keep)
		return say("pmem crash replay %s", finding->id);
	directory = quote_word(report->keep);
	command = directory ? say("pmem crash replay --keep %s %s", directory, finding->id) : NULL;
	free(directory);
	return command;
}

char *report_incomplete(const struct report *report)
{
	const struct progress *total = &report->total;

	if (report->complete)
		return NULL;
	if (report->interrupted)
		return say(
			"not proof: interrupted in the round \"%s\"; its other states and later rounds were not tried",
			total->round ? total->round : "control run");
	return say(
		"not proof: the budget of %g s was spent in the round \"%s\"; its other states and later rounds were "
		"not tried",
		report->budget, total->round ? total->round : "control run");
}

/* --- Collecting ------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Without a file it is still the same code: programs are recorded at the same addresses. */
static bool is_same_place(const struct place *a, const struct place *b)
{
	if (!a->event || !b->event)
		return a->event == b->event;
	if (a->file || b->file)
		return same_text(a->file, b->file) && a->line == b->line;
	return same_text(a->function, b->function) && a->event->site == b->event->site;
}

/* Whether it was found when the program was cut or its recovery, and under which schedule. */
static bool is_same_bug(const struct finding *a, const struct finding *b)
{
	if (strcmp(a->id, b->id) == 0)
		return true;
	return a->how == b->how && is_same_place(&a->store, &b->store) && is_same_place(&a->other, &b->other) &&
	       is_same_place(&a->after, &b->after);
}

static void add_finding(struct report *report, const struct exploration_report *exploration,
			const struct finding *finding)
{
	for (size_t i = 0; i < report->finding_count; i++) {
		struct reported *known = &report->findings[i];

		if (known->exploration != exploration && is_same_bug(known->finding, finding)) {
			known->states += finding->states;
			return;
		}
	}
	report->findings[report->finding_count++] = (struct reported){
		.finding = finding,
		.exploration = exploration,
		.states = finding->states,
	};
}

static bool is_same_hint(const struct hint *a, const struct hint *b)
{
	if (a->kind != b->kind || a->place.line != b->place.line || !same_text(a->place.file, b->place.file) ||
	    !same_text(a->place.function, b->place.function))
		return false;
	return a->place.file || same_text(a->text, b->text);
}

static void add_hint(struct report *report, const struct hint *hint)
{
	if (!hint->text)
		return;
	for (size_t i = 0; i < report->hint_count; i++) {
		struct hint_report *known = &report->hints[i];

		if (is_same_hint(known->hint, hint)) {
			known->count += hint->count;
			known->bytes += hint->bytes;
			return;
		}
	}
	report->hints[report->hint_count++] =
		(struct hint_report){.hint = hint, .count = hint->count, .bytes = hint->bytes};
}

static void add_progress(struct report *report, const struct result *result)
{
	struct progress *total = &report->total;

	total->failure_points += result->progress.failure_points;
	total->states += result->progress.states;
	total->equal += result->progress.equal;
	total->unread += result->progress.unread;
	if (!result->complete || !total->round)
		total->round = result->progress.round;
	report->complete = report->complete && result->complete;
}

bool report_collect(struct report *report)
{
	size_t findings = 0, hints = 0;

	for (size_t i = 0; i < report->exploration_count; i++) {
		findings += report->explorations[i].result.finding_count;
		hints += report->explorations[i].result.hint_count;
	}
	report->findings = calloc(findings + 1, sizeof(report->findings[0]));
	report->hints = calloc(hints + 1, sizeof(report->hints[0]));
	if (!report->findings || !report->hints)
		return false;
	for (size_t i = 0; i < report->exploration_count; i++) {
		struct exploration_report *exploration = &report->explorations[i];
		const struct result *result = &exploration->result;

		exploration->result.trace = &exploration->trace;
		for (size_t j = 0; j < result->finding_count; j++)
			add_finding(report, exploration, &result->findings[j]);
		for (size_t j = 0; j < result->hint_count && !exploration->what; j++)
			add_hint(report, &result->hints[j]);
		add_progress(report, result);
	}
	report->total.findings = report->finding_count;
	report->instrumented = report->exploration_count > 0 && report->explorations[0].result.instrumented;
	return true;
}

void report_free(struct report *report)
{
	free(report->findings);
	free(report->hints);
	report->findings = NULL;
	report->hints = NULL;
}
