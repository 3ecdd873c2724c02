/* report_sarif.c: what a run found, in the Static Analysis Results Interchange Format, 2.1.0 (OASIS) */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "report.h"
#include "text.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *id, *description;
} rules[] = {
	[FINDING_LOST] = {"lost", "A store was not durable yet when something later was."},
	[FINDING_EARLY] = {"early", "A store was durable before something that had to be durable first."},
	[FINDING_CUT] = {"cut", "A power cut at this instant breaks recovery, with every store durable."},
	[FINDING_RECOVERY] = {"recovery", "A power cut of the recovery itself breaks the next one."},
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

static struct json_object *string_of(const char *text)
{
	char *clean = text_clean_string(text ? text : "");
	struct json_object *string = json_object_new_string(clean ? clean : "");

	free(clean);
	return string;
}

static struct json_object *message_of(const char *text)
{
	struct json_object *message = json_object_new_object();

	json_object_object_add(message, "text", string_of(text));
	return message;
}

/* A path as a URI reference (RFC 3986): other bytes than these are escaped. Allocated. */
static char *uri_of(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	char *uri = malloc(strlen("file://") + 3 * strlen(path) + 1);
	char *out = uri;

	if (!uri)
		return NULL;
	if (path[0] == '/')
		out = stpcpy(out, "file://");
	for (; *path; path++) {
		if (strchr(plain, *path))
			*out++ = *path;
		else
			out += sprintf(out, "%%%02X", (unsigned char)*path);
	}
	*out = '\0';
	return uri;
}

static struct json_object *location_of(const struct place *place, const char *message)
{
	struct json_object *location = json_object_new_object(), *physical, *artifact, *region, *functions, *function;
	char *uri = place->file ? uri_of(place->file) : NULL;

	if (uri) {
		physical = json_object_new_object();
		artifact = json_object_new_object();
		region = json_object_new_object();
		json_object_object_add(artifact, "uri", json_object_new_string(uri));
		if (place->file[0] != '/')
			json_object_object_add(artifact, "uriBaseId", json_object_new_string("SRCROOT"));
		json_object_object_add(region, "startLine", json_object_new_int(place->line));
		json_object_object_add(physical, "artifactLocation", artifact);
		json_object_object_add(physical, "region", region);
		json_object_object_add(location, "physicalLocation", physical);
	}
	if (place->function) {
		functions = json_object_new_array();
		function = json_object_new_object();
		json_object_object_add(function, "name", string_of(place->function));
		json_object_object_add(function, "kind", json_object_new_string("function"));
		json_object_array_add(functions, function);
		json_object_object_add(location, "logicalLocations", functions);
	}
	if (message)
		json_object_object_add(location, "message", message_of(message));
	free(uri);
	return location;
}

/* Where to look first: the store, or what is known in its place. */
static const struct place *main_place(const struct finding *finding)
{
	const struct place *const places[] = {&finding->store, &finding->flush, &finding->after, &finding->other,
					      &finding->cut};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (report_knows(places[i]))
			return places[i];
	}
	return NULL;
}

static struct json_object *related_to(const struct finding *finding, const struct place *first)
{
	const struct {
		const struct place *place;
		const char *meaning;
	} all[] = {
		{&finding->other, finding->how == FINDING_LOST ? "was durable or promised" : "was lost or promised"},
		{&finding->after, "the last store before the cut"},
		{&finding->flush, "flushes it"},
		{&finding->fence, "fences that"},
	};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].place != first && report_knows(all[i].place))
			json_object_array_add(list, location_of(all[i].place, all[i].meaning));
	}
	return list;
}

static struct json_object *result_of(const struct report *report, const struct reported *reported)
{
	const struct finding *finding = reported->finding;
	const struct place *place = main_place(finding);
	struct json_object *object = json_object_new_object(), *locations = json_object_new_array();
	struct json_object *fingerprints = json_object_new_object(), *properties = json_object_new_object();
	char *replay = report_replay(report, finding);

	if (place)
		json_object_array_add(locations, location_of(place, NULL));
	json_object_object_add(fingerprints, "pmemCrash/v1", json_object_new_string(finding->id));
	json_object_object_add(properties, "failure", json_object_new_string(report_failure(finding->failure)));
	json_object_object_add(properties, "advice", string_of(finding->advice));
	json_object_object_add(properties, "output", string_of(finding->output));
	json_object_object_add(properties, "replay", string_of(replay));
	json_object_object_add(object, "ruleId", json_object_new_string(rules[finding->kind].id));
	json_object_object_add(object, "ruleIndex", json_object_new_int((int)finding->kind));
	json_object_object_add(object, "level", json_object_new_string("error"));
	json_object_object_add(object, "message", message_of(finding->sentence));
	json_object_object_add(object, "locations", locations);
	json_object_object_add(object, "relatedLocations", related_to(finding, place));
	json_object_object_add(object, "partialFingerprints", fingerprints);
	json_object_object_add(object, "properties", properties);
	free(replay);
	return object;
}

/* Hints are told, and fail nothing. */
static struct json_object *hint_of(const struct hint_report *reported)
{
	struct json_object *object = json_object_new_object(), *locations = json_object_new_array();

	if (report_knows(&reported->hint->place))
		json_object_array_add(locations, location_of(&reported->hint->place, NULL));
	json_object_object_add(object, "ruleId", json_object_new_string(report_hint_kind(reported->hint->kind)));
	json_object_object_add(object, "kind", json_object_new_string("informational"));
	json_object_object_add(object, "level", json_object_new_string("none"));
	json_object_object_add(object, "message", message_of(reported->hint->text));
	json_object_object_add(object, "locations", locations);
	return object;
}

static struct json_object *tool(void)
{
	struct json_object *object = json_object_new_object(), *driver = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < RULES; i++) {
		struct json_object *rule = json_object_new_object();

		json_object_object_add(rule, "id", json_object_new_string(rules[i].id));
		json_object_object_add(rule, "shortDescription", message_of(rules[i].description));
		json_object_array_add(list, rule);
	}
	json_object_object_add(driver, "name", json_object_new_string("pmem crash"));
	json_object_object_add(driver, "version", json_object_new_string(PMEM_VERSION));
	json_object_object_add(driver, "rules", list);
	json_object_object_add(object, "driver", driver);
	return object;
}

static struct json_object *root_directory(void)
{
	struct json_object *bases = json_object_new_object(), *root = json_object_new_object();
	char *directory = getcwd(NULL, 0);
	char *uri = directory ? uri_of(directory) : NULL;
	char *with_slash = NULL;

	if (uri && asprintf(&with_slash, "%s/", uri) >= 0) {
		json_object_object_add(root, "uri", json_object_new_string(with_slash));
		free(with_slash);
	}
	json_object_object_add(bases, "SRCROOT", root);
	free(uri);
	free(directory);
	return bases;
}

static struct json_object *invocations_of(const struct report *report)
{
	struct json_object *list = json_object_new_array(), *invocation = json_object_new_object(), *notes, *note;
	char *incomplete = report_incomplete(report);

	json_object_object_add(invocation, "executionSuccessful", json_object_new_boolean(1));
	if (incomplete) {
		notes = json_object_new_array();
		note = json_object_new_object();
		json_object_object_add(note, "level", json_object_new_string("warning"));
		json_object_object_add(note, "message", message_of(incomplete));
		json_object_array_add(notes, note);
		json_object_object_add(invocation, "toolExecutionNotifications", notes);
	}
	json_object_array_add(list, invocation);
	free(incomplete);
	return list;
}

bool report_sarif(FILE *out, const struct report *report)
{
	struct json_object *log = json_object_new_object(), *runs = json_object_new_array();
	struct json_object *run = json_object_new_object(), *results = json_object_new_array();
	struct json_object *properties = json_object_new_object();

	for (size_t i = 0; i < report->finding_count; i++)
		json_object_array_add(results, result_of(report, &report->findings[i]));
	for (size_t i = 0; i < report->hint_count; i++)
		json_object_array_add(results, hint_of(&report->hints[i]));
	json_object_object_add(properties, "states", json_object_new_uint64(report->total.states));
	json_object_object_add(properties, "complete", json_object_new_boolean(report->complete));
	json_object_object_add(run, "tool", tool());
	json_object_object_add(run, "invocations", invocations_of(report));
	json_object_object_add(run, "originalUriBaseIds", root_directory());
	json_object_object_add(run, "results", results);
	json_object_object_add(run, "properties", properties);
	json_object_array_add(runs, run);
	json_object_object_add(log, "$schema", json_object_new_string("https://json.schemastore.org/sarif-2.1.0.json"));
	json_object_object_add(log, "version", json_object_new_string("2.1.0"));
	json_object_object_add(log, "runs", runs);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(log, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(log);
	return fflush(out) == 0 && !ferror(out);
}
