/* report_text.c: what a run found, for a person at a terminal */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "report.h"
#include "source.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What fits a screen; --verbose shows everything. */
enum {
	FINDINGS_IN_FULL = 3,
	HINTS_SHOWN = 5,
	OUTPUT_LINES = 4,
	UNITS_SHOWN = 6,
	CONTEXT = 1,      /* lines around a marked one */
	NEAR = 8,         /* marks closer than this share an excerpt */
	TEXT_WIDTH = 100, /* of a source line */
	MARKS = 6,
};

struct printer {
	FILE *out;
	const struct report *report;
	struct text_style style;
};

static const char *paint(const struct printer *printer, const char *escape)
{
	return printer->style.colour ? escape : "";
}

static const char red[] = "\033[1;31m", green[] = "\033[1;32m", yellow[] = "\033[33m", bold[] = "\033[1m",
		  dim[] = "\033[2m", off[] = "\033[0m";

/* --- Excerpts ----------------------------------------------------------------------------- */

struct mark {
	const char *file, *function;
	int line;
	const char *meaning;
	bool before; /* the meaning is of a store that had been made by then, where is not known */
	bool bad;    /* what went wrong, and not what it is compared with */
};

static void add_mark(struct mark marks[MARKS], size_t *count, const struct place *place, const char *meaning, bool bad)
{
	const char *file = place->file ? place->file : place->seen_file;

	if (!file)
		return;
	marks[(*count)++] = (struct mark){
		.file = file,
		.function = place->function,
		.line = place->file ? place->line : place->seen_line,
		.meaning = meaning,
		.before = !place->file,
		.bad = bad,
	};
}

static size_t collect_marks(const struct finding *finding, struct mark marks[MARKS])
{
	static const struct {
		const char *store, *other;
		bool store_is_bad;
	} words[] = {
		[FINDING_LOST] = {"lost", "durable", true},
		[FINDING_EARLY] = {"durable too early", "lost", true},
		[FINDING_CUT] = {"not reached", "promised", false},
	};
	const bool promised = finding->other.event && finding->other.event->kind == TRACE_OUTPUT;
	size_t count = 0;

	add_mark(marks, &count, &finding->store, words[finding->how].store, words[finding->how].store_is_bad);
	add_mark(marks, &count, &finding->other, promised ? "promised" : words[finding->how].other, false);
	add_mark(marks, &count, &finding->after, "the cut is after this", true);
	add_mark(marks, &count, &finding->flush, "its flush", false);
	add_mark(marks, &count, &finding->fence, "the fence of that", false);
	add_mark(marks, &count, &finding->cut, "power is cut before this", false);
	return count;
}

static int by_line(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;
	const int files = strcmp(a->file, b->file);

	return files ? files : (a->line > b->line) - (a->line < b->line);
}

static void print_line(const struct printer *printer, const struct source *source, int number, const struct mark *marks,
		       size_t count)
{
	const char *line = source_line(source, number);
	bool marked = false, bad = false;

	if (!line)
		return;
	for (size_t i = 0; i < count; i++) {
		marked = marked || marks[i].line == number;
		bad = bad || (marks[i].line == number && marks[i].bad);
	}
	fprintf(printer->out, "  %s%c %5d |%s ",
		paint(printer, bad      ? red
			       : marked ? yellow
					: dim),
		marked ? '>' : ' ', number, paint(printer, off));
	for (int column = 0; *line && column < TEXT_WIDTH; line++) {
		const int width = *line == '\t' ? 4 - column % 4 : ((unsigned char)*line & 0xc0) != 0x80;

		if (*line == '\t')
			fprintf(printer->out, "%*s", width, "");
		else
			fputc(*line, printer->out);
		column += width;
	}
	for (size_t i = 0; i < count; i++) {
		if (marks[i].line == number)
			fprintf(printer->out, "%s   <- %s%s%s", paint(printer, marks[i].bad ? red : yellow),
				marks[i].meaning, marks[i].before ? ", stored before this" : "", paint(printer, off));
	}
	fputc('\n', printer->out);
}

/* Marks of one file that are near each other, sorted. */
static void print_group(const struct printer *printer, const struct source *source, const struct mark *marks,
			size_t count)
{
	for (int number = marks[0].line - CONTEXT; number <= marks[count - 1].line + CONTEXT; number++)
		print_line(printer, source, number, marks, count);
}

static void print_excerpts(const struct printer *printer, const struct finding *finding)
{
	struct mark marks[MARKS];
	const size_t count = collect_marks(finding, marks);
	size_t first = 0, end;

	qsort(marks, count, sizeof(marks[0]), by_line);
	for (; first < count; first = end) {
		const char *file = marks[first].file;
		struct source *source = source_open(file);

		for (end = first + 1;
		     end < count && strcmp(marks[end].file, file) == 0 && marks[end].line - marks[end - 1].line < NEAR;)
			end++;
		if (!source) {
			fprintf(printer->out, "  (the source %s cannot be read from here)\n", file);
			continue;
		}
		fprintf(printer->out, "  %s%s%s%s%s\n", paint(printer, dim), file, marks[first].function ? ", " : "",
			marks[first].function ? marks[first].function : "", paint(printer, off));
		print_group(printer, source, marks + first, end - first);
		source_close(source);
	}
}

/* --- One finding ---------------------------------------------------------------------------- */

static void print_units(const struct printer *printer, const struct finding *finding)
{
	const size_t shown =
		printer->style.verbose || finding->unit_count <= UNITS_SHOWN ? finding->unit_count : UNITS_SHOWN;

	if (finding->unit_count == 0)
		return;
	fprintf(printer->out, "  %s:", printer->report->model == MODEL_PAGE ? "sectors" : "lines  ");
	for (size_t i = 0; i < shown; i++) {
		const struct unit_reference *unit = &finding->units[i];

		fprintf(printer->out, "%s %s at 0x%" PRIx64 " (%u of %u stores durable)", i ? "," : "",
			printer->report->pools[unit->pool], unit->offset, unit->durable, unit->stores);
	}
	if (shown < finding->unit_count)
		fprintf(printer->out, ", and %zu more", finding->unit_count - shown);
	fputc('\n', printer->out);
}

/* The last lines of what the check said. */
static void print_output(const struct printer *printer, const struct finding *finding)
{
	char *verdict = report_verdict(finding);
	char *text = text_clean_string(finding->output);
	size_t lines = 0;
	char *at;

	fprintf(printer->out, "  check  : it %s%s\n", verdict ? verdict : report_failure(finding->failure),
		text && text[0] ? ", and said" : "");
	free(verdict);
	if (!text)
		return;
	at = text + strlen(text);
	while (at > text && at[-1] == '\n')
		*--at = '\0';
	while (at > text && (printer->style.verbose || lines < OUTPUT_LINES)) {
		at--;
		lines += *at == '\n';
	}
	at += *at == '\n';
	if (at > text)
		fprintf(printer->out, "         | ...\n");
	for (char *line; *text && (line = strsep(&at, "\n"));)
		fprintf(printer->out, "         | %s\n", line);
	free(text);
}

static void print_promise(const struct printer *printer, const struct finding *finding)
{
	char *text = text_clean(finding->promised, finding->promised_length);
	size_t length = text ? strlen(text) : 0;
	const char *last;

	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (length > 0) {
		last = strrchr(text, '\n');
		fprintf(printer->out,
			"  output : the program had written %zu bytes before the cut, the last line: %.*s\n",
			finding->promised_length, TEXT_WIDTH, last ? last + 1 : text);
	}
	free(text);
}

static void print_finding(const struct printer *printer, size_t index)
{
	const struct reported *reported = &printer->report->findings[index];
	const struct finding *finding = reported->finding;
	char *replay = report_replay(printer->report, finding);
	const bool full = printer->style.verbose || index < FINDINGS_IN_FULL;

	fprintf(printer->out, "\n%s%s%s %s: %s%s%s\n", paint(printer, red), report_kind(finding->kind),
		paint(printer, off), finding->id, paint(printer, bold), finding->sentence ? finding->sentence : "",
		paint(printer, off));
	if (reported->exploration->what)
		fprintf(printer->out, "  in     : %s\n", reported->exploration->what);
	if (full)
		print_excerpts(printer, finding);
	if (full && finding->advice)
		fprintf(printer->out, "  advice : %s\n", finding->advice);
	if (full) {
		print_units(printer, finding);
		print_output(printer, finding);
		print_promise(printer, finding);
	}
	if (replay)
		fprintf(printer->out, "  replay : %s%s%s\n", paint(printer, bold), replay, paint(printer, off));
	free(replay);
}

/* --- The whole ---------------------------------------------------------------------------------- */

static void print_hints(const struct printer *printer)
{
	const struct report *report = printer->report;
	const size_t shown =
		printer->style.verbose || report->hint_count <= HINTS_SHOWN ? report->hint_count : HINTS_SHOWN;

	if (report->hint_count)
		fprintf(printer->out, "\nhints, which fail nothing:\n");
	for (size_t i = 0; i < shown; i++)
		fprintf(printer->out, "  %s: %s\n", report_hint_kind(report->hints[i].hint->kind),
			report->hints[i].hint->text);
	if (shown < report->hint_count)
		fprintf(printer->out, "  and %zu more, which --verbose shows\n", report->hint_count - shown);
}

static void print_summary(const struct printer *printer)
{
	const struct report *report = printer->report;
	const struct progress *total = &report->total;
	char states[32], points[32], rate[32];
	char *incomplete = report_incomplete(report);

	if (report->finding_count == 1)
		fprintf(printer->out, "%s1 finding%s", paint(printer, red), paint(printer, off));
	else if (report->finding_count)
		fprintf(printer->out, "%s%zu findings%s", paint(printer, red), report->finding_count,
			paint(printer, off));
	else
		fprintf(printer->out, "%sno finding%s", paint(printer, incomplete ? yellow : green),
			paint(printer, off));
	fprintf(printer->out, " in %s states of %s failure points, %.1f s, %s states/s, model %s",
		text_number(total->states, states), text_number(total->failure_points, points), report->seconds,
		text_number(report->seconds > 0 ? (size_t)((double)total->states / report->seconds) : 0, rate),
		report_model(report->model));
	if (report->schedules > 1)
		fprintf(printer->out, ", %u schedules from seed %" PRIu64, report->schedules, report->seed);
	fprintf(printer->out, "\n%s%s%s\n", paint(printer, incomplete ? yellow : ""),
		incomplete ? incomplete : "every planned state was tried", paint(printer, off));
	if (!report->instrumented)
		fprintf(printer->out,
			"the order of stores inside a line was not seen: build the program with pmem cc for that\n");
	if (report->missing)
		fprintf(printer->out, "no source lines: %s\n", report->missing);
	free(incomplete);
}

bool report_text(FILE *out, const struct report *report, struct text_style style)
{
	const struct printer printer = {.out = out, .report = report, .style = style};

	print_summary(&printer);
	for (size_t i = 0; i < report->finding_count; i++)
		print_finding(&printer, i);
	print_hints(&printer);
	return fflush(out) == 0 && !ferror(out);
}
