/* report_json.c: what a run found, as one JSON object */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"
#include "text.h"

#include <json-c/json.h>
#include <stdlib.h>

/* Of bytes that may be anything; null for NULL. */
static struct json_object *string_of(const char *text)
{
	char *clean = text_clean_string(text);
	struct json_object *string = clean ? json_object_new_string(clean) : NULL;

	free(clean);
	return string;
}

static struct json_object *place_of(const struct place *place)
{
	struct json_object *object;

	if (!report_knows(place))
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "file", string_of(place->file));
	json_object_object_add(object, "line", place->file ? json_object_new_int(place->line) : NULL);
	json_object_object_add(object, "function", string_of(place->function));
	return object;
}

/* Lines by which a store that was found by comparing had been made. */
static struct json_object *seen_at(const struct place *place)
{
	struct json_object *object;

	if (!place->seen_file)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "file", string_of(place->seen_file));
	json_object_object_add(object, "line", json_object_new_int(place->seen_line));
	json_object_object_add(object, "function", string_of(place->function));
	return object;
}

static struct json_object *seen_of(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "store", seen_at(&finding->store));
	json_object_object_add(object, "other", seen_at(&finding->other));
	json_object_object_add(object, "after", seen_at(&finding->after));
	return object;
}

static struct json_object *lines_of(const struct report *report, const struct finding *finding)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < finding->unit_count; i++) {
		const struct unit_reference *unit = &finding->units[i];
		struct json_object *line = json_object_new_object();

		json_object_object_add(line, "pool", string_of(report->pools[unit->pool]));
		json_object_object_add(line, "offset", json_object_new_uint64(unit->offset));
		json_object_object_add(line, "stores", json_object_new_int64(unit->stores));
		json_object_object_add(line, "durable", json_object_new_int64(unit->durable));
		json_object_array_add(list, line);
	}
	return list;
}

static struct json_object *finding_of(const struct report *report, const struct reported *reported)
{
	const struct finding *finding = reported->finding;
	struct json_object *object = json_object_new_object();
	char *replay = report_replay(report, finding);
	char *promised = text_clean(finding->promised, finding->promised_length);

	json_object_object_add(object, "id", json_object_new_string(finding->id));
	json_object_object_add(object, "kind", json_object_new_string(report_kind(finding->kind)));
	json_object_object_add(object, "sentence", string_of(finding->sentence));
	json_object_object_add(object, "advice", string_of(finding->advice));
	json_object_object_add(object, "store", place_of(&finding->store));
	json_object_object_add(object, "flush", place_of(&finding->flush));
	json_object_object_add(object, "fence", place_of(&finding->fence));
	json_object_object_add(object, "after", place_of(&finding->after));
	json_object_object_add(object, "other", place_of(&finding->other));
	json_object_object_add(object, "cut", place_of(&finding->cut));
	json_object_object_add(object, "seen", seen_of(finding));
	json_object_object_add(object, "lines", lines_of(report, finding));
	json_object_object_add(object, "failure", json_object_new_string(report_failure(finding->failure)));
	json_object_object_add(object, "status", json_object_new_int(finding->status));
	json_object_object_add(object, "output", string_of(finding->output));
	json_object_object_add(object, "promised",
			       promised ? json_object_new_string(promised) : json_object_new_string(""));
	json_object_object_add(object, "states", json_object_new_uint64(reported->states));
	json_object_object_add(object, "failure_point", json_object_new_uint64(finding->failure_point));
	json_object_object_add(object, "schedule", json_object_new_int64(reported->exploration->result.schedule));
	json_object_object_add(object, "recovery", string_of(reported->exploration->what));
	json_object_object_add(object, "replay", string_of(replay));
	free(replay);
	free(promised);
	return object;
}

static struct json_object *hint_of(const struct hint_report *reported)
{
	const struct hint *hint = reported->hint;
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "kind", json_object_new_string(report_hint_kind(hint->kind)));
	json_object_object_add(object, "place", place_of(&hint->place));
	json_object_object_add(object, "count", json_object_new_uint64(reported->count));
	json_object_object_add(object, "bytes", json_object_new_uint64(reported->bytes));
	json_object_object_add(object, "text", string_of(hint->text));
	return object;
}

static void add_question(struct json_object *object, const struct report *report)
{
	struct json_object *pools = json_object_new_array();

	for (size_t i = 0; i < report->pool_count; i++)
		json_object_array_add(pools, string_of(report->pools[i]));
	json_object_object_add(object, "program", string_of(report->program));
	json_object_object_add(object, "check", string_of(report->check));
	json_object_object_add(object, "pools", pools);
	json_object_object_add(object, "model", json_object_new_string(report_model(report->model)));
	json_object_object_add(object, "seed", json_object_new_uint64(report->seed));
	json_object_object_add(object, "schedules", json_object_new_int64(report->schedules));
	json_object_object_add(object, "budget", json_object_new_double(report->budget));
}

bool report_json(FILE *out, const struct report *report)
{
	struct json_object *object = json_object_new_object();
	struct json_object *findings = json_object_new_array(), *hints = json_object_new_array();
	char *incomplete = report_incomplete(report);

	for (size_t i = 0; i < report->finding_count; i++)
		json_object_array_add(findings, finding_of(report, &report->findings[i]));
	for (size_t i = 0; i < report->hint_count; i++)
		json_object_array_add(hints, hint_of(&report->hints[i]));
	json_object_object_add(object, "findings", findings);
	json_object_object_add(object, "states", json_object_new_uint64(report->total.states));
	json_object_object_add(object, "equal_states", json_object_new_uint64(report->total.equal));
	json_object_object_add(object, "failure_points", json_object_new_uint64(report->total.failure_points));
	json_object_object_add(object, "seconds", json_object_new_double(report->seconds));
	json_object_object_add(object, "complete", json_object_new_boolean(report->complete));
	json_object_object_add(object, "not_proof", string_of(incomplete));
	json_object_object_add(object, "instrumented", json_object_new_boolean(report->instrumented));
	add_question(object, report);
	json_object_object_add(object, "hints", hints);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	free(incomplete);
	return fflush(out) == 0 && !ferror(out);
}
