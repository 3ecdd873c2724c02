/* report_html.c: what a run found, as a page that shows lines against time */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "page_trace.h"
#include "report.h"
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
#include "page.css.inc"
	;
static const char body[] =
#include "page.html.inc"
	;
static const char script[] =
#include "page.js.inc"
	;

/* "name":"value", with a comma; null for NULL. */
static void write_string(FILE *out, const char *name, const char *value)
{
	char *clean = text_clean_string(value);

	fprintf(out, "\"%s\":", name);
	if (clean)
		text_write_json(out, clean);
	else
		fputs("null", out);
	fputs(",\n", out);
	free(clean);
}

/* --- Findings --------------------------------------------------------------------------- */

static void write_number(FILE *out, const char *name, const struct page_run *run, const struct place *place, bool comma)
{
	const size_t number = place->event ? page_run_number(run, place->event) : run->count;

	fprintf(out, "\"%s\":%ld%s", name, number < run->count ? (long)number : -1, comma ? "," : "");
}

/* What each place is to the finding, in the words of the page. */
static void write_roles(FILE *out, const struct finding *finding)
{
	static const struct {
		const char *store, *other;
	} words[] = {
		[FINDING_LOST] = {"the store that was lost", "what was durable, or promised"},
		[FINDING_EARLY] = {"the store that was durable too early", "what had to be durable first"},
		[FINDING_CUT] = {"the first store after the cut", "what was promised"},
		[FINDING_RECOVERY] = {"the store", "the other"},
	};

	fprintf(out, "\"roles\":{\"store\":\"%s\",\"other\":\"%s\",", words[finding->how].store,
		words[finding->how].other);
	fputs("\"after\":\"the last store before the cut\",\"flush\":\"its flush\",\"fence\":\"the fence of that\"},\n",
	      out);
}

static void write_units(FILE *out, const struct finding *finding)
{
	fputs("\"units\":[", out);
	for (size_t i = 0; i < finding->unit_count; i++)
		fprintf(out, "%s{\"pool\":%u,\"offset\":%" PRIu64 "}", i ? "," : "", finding->units[i].pool,
			finding->units[i].offset);
	fputs("],\n", out);
}

static bool write_finding(FILE *out, const struct report *report, const struct reported *reported,
			  const struct page_run *runs)
{
	const struct finding *finding = reported->finding;
	const size_t number = (size_t)(reported->exploration - report->explorations);
	const struct page_run *run = &runs[number];
	char *verdict = report_verdict(finding), *replay = report_replay(report, finding);
	char *promised = text_clean(finding->promised, finding->promised_length);
	const size_t cut = page_run_number(run, finding->at);
	bool whole;

	fputc('{', out);
	write_string(out, "id", finding->id);
	write_string(out, "kind", report_kind(finding->kind));
	write_string(out, "sentence", finding->sentence);
	write_string(out, "advice", finding->advice);
	write_string(out, "verdict", verdict);
	write_string(out, "output", finding->output);
	write_string(out, "promised", promised);
	write_string(out, "replay", replay);
	fputs("\"places\":{", out);
	write_number(out, "store", run, &finding->store, true);
	write_number(out, "other", run, &finding->other, true);
	write_number(out, "after", run, &finding->after, true);
	write_number(out, "flush", run, &finding->flush, true);
	write_number(out, "fence", run, &finding->fence, false);
	fputs("},\n", out);
	write_roles(out, finding);
	write_units(out, finding);
	fprintf(out, "\"run\":%zu,\"at\":", number);
	if (finding->at && cut < run->count)
		fprintf(out, "%zu", cut);
	else
		fputs("null", out);
	fputs(",\"torn\":[", out);
	if (finding->torn && finding->store.event)
		fprintf(out, "%zu", page_run_number(run, finding->store.event));
	fputs("],\"lost\":", out);
	whole = page_run_write_lost(out, run, finding);
	fputc('}', out);
	free(verdict);
	free(replay);
	free(promised);
	return whole;
}

/* --- The data -------------------------------------------------------------------------------- */

static void write_head(FILE *out, const struct report *report)
{
	char *incomplete = report_incomplete(report);
	char states[32], points[32];

	write_string(out, "program", report->program);
	write_string(out, "not_proof", incomplete);
	fprintf(out, "\"summary\":\"%zu finding%s in %s states of %s failure points, %.1f s, model %s\",\n",
		report->finding_count, report->finding_count == 1 ? "" : "s", text_number(report->total.states, states),
		text_number(report->total.failure_points, points), report->seconds, report_model(report->model));
	fprintf(out, "\"unit\":%u,\n\"pools\":[", report->exploration_count ? report->explorations[0].start->unit : 64);
	for (size_t i = 0; i < report->pool_count; i++) {
		char *clean = text_clean_string(report->pools[i]);

		fputs(i ? "," : "", out);
		text_write_json(out, clean);
		free(clean);
	}
	fputs("],\n\"hints\":[", out);
	for (size_t i = 0; i < report->hint_count; i++) {
		char *clean = text_clean_string(report->hints[i].hint->text);

		fputs(i ? "," : "", out);
		text_write_json(out, clean);
		free(clean);
	}
	fputs("],\n", out);
	free(incomplete);
}

static bool write_data(FILE *out, const struct report *report, struct page_run *runs, struct page_places *places)
{
	bool whole = true;

	fputc('{', out);
	write_head(out, report);
	fputs("\"runs\":[", out);
	for (size_t i = 0; i < report->exploration_count && whole; i++) {
		fputs(i ? ",\n" : "", out);
		whole = page_run_collect(&runs[i], &report->explorations[i]) && page_run_write(out, &runs[i], places);
	}
	fputs("],\n\"findings\":[", out);
	for (size_t i = 0; i < report->finding_count && whole; i++) {
		fputs(i ? ",\n" : "", out);
		whole = write_finding(out, report, &report->findings[i], runs);
	}
	fputs("],\n", out);
	page_places_write(out, places);
	fputc('}', out);
	return whole;
}

bool report_html(FILE *out, const struct report *report)
{
	struct page_run *runs = calloc(report->exploration_count + 1, sizeof(runs[0]));
	struct page_places *places = page_places_new();
	char *title = text_clean_string(report->program);
	bool whole = runs && places;

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
	fputs("<meta name=\"viewport\" content=\"width=device-width\">\n<title>pmem crash: ", out);
	text_write_xml(out, title);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n%s", style, body);
	fputs("<script type=\"application/json\" id=\"data\">\n", out);
	whole = whole && write_data(out, report, runs, places);
	fprintf(out, "\n</script>\n<script>\n%s</script>\n</body>\n</html>\n", script);
	for (size_t i = 0; runs && i < report->exploration_count; i++)
		page_run_free(&runs[i]);
	if (places)
		page_places_free(places);
	free(runs);
	free(title);
	return fflush(out) == 0 && !ferror(out) && whole;
}
