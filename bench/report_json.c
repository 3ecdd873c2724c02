/* report_json.c: results as JSON, raw numbers, nanoseconds and bytes */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <json-c/json.h>
#include <stdio.h>

static const char *const role_names[ROLES] = {
	[ROLE_FLOOR] = "floor", [ROLE_CONTROL] = "control",     [ROLE_LIBRARY] = "library",
	[ROLE_PEER] = "peer",   [ROLE_PEER_SAFE] = "peer-safe", [ROLE_OTHER] = "other",
};

static struct json_object *optional_string(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *spread(const struct spread *spread)
{
	struct json_object *object;

	if (spread->median <= 0)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "median", json_object_new_double(spread->median));
	json_object_object_add(object, "low", json_object_new_double(spread->low));
	json_object_object_add(object, "high", json_object_new_double(spread->high));
	return object;
}

static struct json_object *standing(const struct standing *standing)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(standing->name));
	json_object_object_add(object, "role", json_object_new_string(role_names[standing->role]));
	json_object_object_add(object, "nanoseconds", spread(&standing->nanoseconds));
	json_object_object_add(object, "to_floor", spread(&standing->to_floor));
	json_object_object_add(object, "to_library", spread(&standing->to_library));
	return object;
}

static struct json_object *result(const struct result *result)
{
	struct json_object *object = json_object_new_object(), *standings = json_object_new_array();

	json_object_object_add(object, "state", json_object_new_string(result->state));
	json_object_object_add(object, "bytes", json_object_new_uint64(result->length));
	json_object_object_add(object, "count", result->count ? json_object_new_int64(result->count) : NULL);
	json_object_object_add(object, "turns", json_object_new_int64(result->turns));
	json_object_object_add(object, "noisy", json_object_new_boolean(result->noisy));
	json_object_object_add(object, "peer_is_no_persist", json_object_new_boolean(result->peer_is_no_persist));
	for (unsigned i = 0; i < result->standing_count; i++)
		json_object_array_add(standings, standing(&result->standings[i]));
	json_object_object_add(object, "contestants", standings);
	return object;
}

static struct json_object *suite(const struct suite_results *suite)
{
	struct json_object *object = json_object_new_object(), *results = json_object_new_array();

	json_object_object_add(object, "name", json_object_new_string(suite->name));
	json_object_object_add(object, "title", json_object_new_string(suite->title));
	json_object_object_add(object, "not_measured", optional_string(suite->skipped));
	for (unsigned i = 0; i < suite->count; i++)
		json_object_array_add(results, result(&suite->results[i]));
	json_object_object_add(object, "results", results);
	return object;
}

void bench_write_json(const struct bench *bench)
{
	struct json_object *object = json_object_new_object(), *suites = json_object_new_array();
	char machine[256];

	json_object_object_add(object, "machine", json_object_new_string(bench_machine(machine)));
	json_object_object_add(object, "peer", optional_string(bench->peer_path));
	json_object_object_add(object, "too_noisy", json_object_new_boolean(bench_is_too_noisy(bench)));
	for (unsigned i = 0; i < bench->suite_count; i++)
		json_object_array_add(suites, suite(&bench->suites[i]));
	json_object_object_add(object, "suites", suites);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}
