/* report_html.c: results as one page with plots, which needs nothing else */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A row a trial, a dot a contestant: where it stands on a logarithmic scale of
 * time divided by the floor's, with its quartiles as a bar. Left is faster.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>

enum {
	WIDTH = 1000,
	LABEL_WIDTH = 320,
	PLOT_WIDTH = 480,
	ROW = 24,
	HEAD = 44, /* above the first row: the scale */
	FOOT = 12,
};

/* Ratios at the two ends of the scale. */
struct scale {
	double low, high;
};

static const char *const role_classes[ROLES] = {
	[ROLE_LIBRARY] = "library",
	[ROLE_PEER] = "peer",
	[ROLE_PEER_SAFE] = "safe",
	[ROLE_OTHER] = "other",
};

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fputc(*text, out);
	}
}

static void put_time(FILE *out, double nanoseconds)
{
	if (nanoseconds < 10000)
		fprintf(out, "%.1f ns", nanoseconds);
	else if (nanoseconds < 1e7)
		fprintf(out, "%.1f \302\265s", nanoseconds / 1e3);
	else
		fprintf(out, "%.1f ms", nanoseconds / 1e6);
}

/* To the floor; where there is none to the library. */
static const struct spread *position_of(const struct result *result, const struct standing *standing)
{
	return bench_standing(result, ROLE_FLOOR) ? &standing->to_floor : &standing->to_library;
}

/* Wide enough for every median, and never so narrow that noise looks like a difference. */
static struct scale scale_of(const struct suite_results *suite)
{
	struct scale scale = {.low = 0.8, .high = 1.6};

	for (unsigned i = 0; i < suite->count; i++) {
		for (unsigned j = 0; j < suite->results[i].standing_count; j++) {
			const struct standing *standing = &suite->results[i].standings[j];
			const double median = position_of(&suite->results[i], standing)->median;

			if (!role_classes[standing->role])
				continue;
			scale.low = fmin(scale.low, median / 1.1);
			scale.high = fmax(scale.high, median * 1.1);
		}
	}
	return scale;
}

static double x_of(const struct scale *scale, double ratio)
{
	const double inside = fmin(fmax(ratio, scale->low), scale->high);

	return LABEL_WIDTH + PLOT_WIDTH * log(inside / scale->low) / log(scale->high / scale->low);
}

static void put_scale(FILE *out, const struct scale *scale, unsigned rows)
{
	static const double marks[] = {0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		const double x = x_of(scale, marks[i]);

		if (marks[i] < scale->low || marks[i] > scale->high)
			continue;
		fprintf(out, "<line class='%s' x1='%.1f' x2='%.1f' y1='%d' y2='%u'/>", marks[i] == 1 ? "floor" : "grid",
			x, x, HEAD - 8, HEAD + rows * ROW);
		fprintf(out, "<text class='mark' x='%.1f' y='%d'>%g</text>\n", x, HEAD - 14, marks[i]);
	}
}

static void put_dot(FILE *out, const struct scale *scale, const struct result *result, const struct standing *standing,
		    unsigned y)
{
	const struct spread *at = position_of(result, standing);
	const char *class = role_classes[standing->role];

	if (!class || at->median <= 0)
		return;
	fprintf(out, "<g class='%s'><line x1='%.1f' x2='%.1f' y1='%u' y2='%u'/><circle cx='%.1f' cy='%u' r='5'>", class,
		x_of(scale, at->low), x_of(scale, at->high), y, y, x_of(scale, at->median), y);
	fputs("<title>", out);
	put_text(out, standing->name);
	fprintf(out, ": %.2f (%.2f to %.2f), ", at->median, at->low, at->high);
	put_time(out, standing->nanoseconds.median);
	fputs("</title></circle></g>\n", out);
}

static void put_row(FILE *out, const struct scale *scale, const struct result *result, unsigned row)
{
	const struct standing *library = bench_standing(result, ROLE_LIBRARY),
			      *peer = bench_standing(result, ROLE_PEER);
	const unsigned y = HEAD + row * ROW + ROW / 2;
	char size[32];

	if (row % 2 == 0)
		fprintf(out, "<rect class='stripe' x='0' y='%u' width='%d' height='%d'/>", y - ROW / 2, WIDTH, ROW);
	fprintf(out, "<text class='label' x='%d' y='%u'>", LABEL_WIDTH - 16, y + 4);
	put_text(out, result->state);
	if (result->count > 0)
		fprintf(out, ", N = %u", result->count);
	else
		fprintf(out, ", %s", bench_size_text(result->length, size));
	fprintf(out, "%s</text>\n", result->noisy ? " (noisy)" : "");
	for (unsigned i = result->standing_count; i-- > 0;)
		put_dot(out, scale, result, &result->standings[i], y);
	fprintf(out, "<text class='time' x='%d' y='%u'>", LABEL_WIDTH + PLOT_WIDTH + 16, y + 4);
	put_time(out, library->nanoseconds.median);
	if (peer)
		fprintf(out, "; peer \303\227%.2f", peer->to_library.median);
	fprintf(out, "%s</text>\n", result->peer_is_no_persist ? " (no persist)" : "");
}

static void put_legend(FILE *out, const struct suite_results *suite)
{
	const struct result *first = &suite->results[0];

	fputs("<p class='legend'>", out);
	for (unsigned i = 0; i < first->standing_count; i++) {
		const struct standing *standing = &first->standings[i];

		if (standing->role == ROLE_CONTROL)
			continue;
		fprintf(out, "<span><b class='%s'></b>",
			role_classes[standing->role] ? role_classes[standing->role] : "floor");
		put_text(out, standing->name);
		fputs("</span> ", out);
	}
	fputs("</p>\n", out);
}

static void put_suite(FILE *out, const struct suite_results *suite)
{
	const struct scale scale = scale_of(suite);

	fputs("<h2>", out);
	put_text(out, suite->title);
	fputs("</h2>\n", out);
	if (suite->skipped) {
		fputs("<p>Not measured: ", out);
		put_text(out, suite->skipped);
		fputs(".</p>\n", out);
	}
	if (suite->count == 0)
		return;
	put_legend(out, suite);
	fprintf(out, "<svg viewBox='0 0 %d %u' role='img' aria-label='%s'>\n", WIDTH, HEAD + suite->count * ROW + FOOT,
		suite->name);
	fprintf(out,
		"<text class='mark' x='%d' y='12'>time, divided by the floor\342\200\231s: left is faster</text>\n",
		LABEL_WIDTH + PLOT_WIDTH / 2);
	for (unsigned i = 0; i < suite->count; i++)
		put_row(out, &scale, &suite->results[i], i);
	put_scale(out, &scale, suite->count);
	fputs("</svg>\n", out);
}

static const char style[] =
	":root{color-scheme:light dark;--back:#fff;--text:#1f2328;--dim:#656d76;--stripe:#f6f8fa;--grid:#d0d7de;"
	"--library:#0969da;--peer:#bc4c00;--other:#8250df}\n"
	"@media(prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--dim:#8d96a0;--stripe:#161b22;"
	"--grid:#30363d;--library:#58a6ff;--peer:#f0883e;--other:#bc8cff}}\n"
	"body{background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif;max-width:1000px;"
	"margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.6em}h2{font-size:1.15em;margin:2em 0 .2em}.dim,.legend{color:var(--dim)}\n"
	".warning{border-left:4px solid var(--peer);padding:.3em 1em;background:var(--stripe)}\n"
	".legend span{margin-right:1.2em;white-space:nowrap}.legend b{display:inline-block;width:.7em;height:.7em;"
	"border-radius:50%;margin-right:.4em;border:2px solid}\n"
	".legend b.floor{width:0;height:.9em;border-radius:0;border-width:0 0 0 2px;border-color:var(--text)}\n"
	"b.library{color:var(--library);background:var(--library)}b.peer{color:var(--peer);background:var(--peer)}"
	"b.safe{color:var(--peer)}b.other{color:var(--other);background:var(--other)}\n"
	"svg{width:100%;height:auto;font-size:12.5px;fill:var(--text)}.stripe{fill:var(--stripe)}"
	".label{text-anchor:end}.mark{text-anchor:middle;fill:var(--dim)}.time{fill:var(--dim)}\n"
	".grid{stroke:var(--grid)}line.floor{stroke:var(--text);stroke-width:1.5}g line{stroke-width:2;opacity:.45}"
	"g circle{stroke-width:2}\n"
	".library{stroke:var(--library);fill:var(--library)}.peer{stroke:var(--peer);fill:var(--peer)}"
	".safe{stroke:var(--peer);fill:var(--back)}.other{stroke:var(--other);fill:var(--other)}\n";

void bench_write_html(const struct bench *bench, FILE *out)
{
	char machine[256];

	fprintf(out,
		"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><title>pmem bench</title>"
		"<meta name='viewport' content='width=device-width'>\n<style>\n%s</style></head>\n<body><h1>pmem "
		"bench</h1>\n<p class='dim'>",
		style);
	put_text(out, bench_machine(machine));
	fputs("<br>peer: ", out);
	put_text(out, bench->peer_path ? bench->peer_path : "none");
	fputs("</p>\n<p>Contestants take turns in one pinned process; dots are medians of neighbouring "
	      "turns\342\200\231 "
	      "ratios, bars their quartiles. The vertical line is the floor: the fewest instructions or system calls "
	      "that "
	      "make the same bytes durable. On the right the library\342\200\231s own time, and how many times as long "
	      "the peer took.</p>\n",
	      out);
	if (bench_is_too_noisy(bench))
		fputs("<p class='warning'>This machine was too noisy to tell: in more than a quarter of the trials the "
		      "floor "
		      "differs from itself by more than a twentieth.</p>\n",
		      out);
	for (unsigned i = 0; i < bench->suite_count; i++)
		put_suite(out, &bench->suites[i]);
	fputs("</body></html>\n", out);
}
