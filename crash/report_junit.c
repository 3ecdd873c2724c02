/* report_junit.c: what a run found, as a test suite in JUnit's XML: a failed case for each finding, or one that passed */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"
#include "text.h"

#include <stdlib.h>

static void write_attribute(FILE *out, const char *name, const char *value)
{
	char *clean = text_clean_string(value ? value : "");

	fprintf(out, " %s=\"", name);
	text_write_xml(out, clean);
	fputc('"', out);
	free(clean);
}

static void write_line(FILE *out, const char *name, const char *value)
{
	char *clean = text_clean_string(value);

	if (clean) {
		fprintf(out, "%s: ", name);
		text_write_xml(out, clean);
		fputc('\n', out);
	}
	free(clean);
}

static void write_place(FILE *out, const char *name, const struct place *place)
{
	if (!report_knows(place))
		return;
	fprintf(out, "%s: ", name);
	if (place->file) {
		char *file = text_clean_string(place->file);

		text_write_xml(out, file);
		free(file);
		fprintf(out, ":%d", place->line);
	}
	if (place->function)
		fprintf(out, " (%s)", place->function);
	fputc('\n', out);
}

static void write_finding(FILE *out, const struct report *report, const struct finding *finding)
{
	char *replay = report_replay(report, finding);
	char *verdict = report_verdict(finding);

	fputs("    <testcase", out);
	write_attribute(out, "classname", "pmem.crash");
	fprintf(out, " name=\"%s ", finding->id);
	text_write_xml(out, finding->sentence);
	fputs("\" time=\"0\">\n      <failure", out);
	write_attribute(out, "type", report_kind(finding->kind));
	write_attribute(out, "message", finding->sentence);
	fputc('>', out);
	write_place(out, "store", &finding->store);
	write_place(out, "other", &finding->other);
	write_place(out, "after", &finding->after);
	write_place(out, "flush", &finding->flush);
	write_line(out, "advice", finding->advice);
	write_line(out, "the check", verdict);
	write_line(out, "it said", finding->output);
	write_line(out, "replay", replay);
	fputs("</failure>\n    </testcase>\n", out);
	free(verdict);
	free(replay);
}

bool report_junit(FILE *out, const struct report *report)
{
	const size_t tests = report->finding_count ? report->finding_count : 1;
	char *incomplete = report_incomplete(report);

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	fprintf(out, "<testsuites tests=\"%zu\" failures=\"%zu\" time=\"%.3f\">\n", tests, report->finding_count,
		report->seconds);
	fputs("  <testsuite", out);
	write_attribute(out, "name", report->program);
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" time=\"%.3f\">\n", tests,
		report->finding_count, report->seconds);
	fprintf(out, "    <properties>\n      <property name=\"states\" value=\"%zu\"/>\n", report->total.states);
	fprintf(out, "      <property name=\"failure_points\" value=\"%zu\"/>\n", report->total.failure_points);
	fprintf(out, "      <property name=\"complete\" value=\"%s\"/>\n    </properties>\n",
		report->complete ? "true" : "false");
	for (size_t i = 0; i < report->finding_count; i++)
		write_finding(out, report, report->findings[i].finding);
	if (report->finding_count == 0)
		fprintf(out,
			"    <testcase classname=\"pmem.crash\" name=\"recovery survives power cuts\" "
			"time=\"%.3f\"/>\n",
			report->seconds);
	if (incomplete) {
		fputs("    <system-out>", out);
		text_write_xml(out, incomplete);
		fputs("</system-out>\n", out);
	}
	fputs("  </testsuite>\n</testsuites>\n", out);
	free(incomplete);
	return fflush(out) == 0 && !ferror(out);
}
