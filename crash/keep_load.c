/* keep_load.c: what a finding has left behind so that it can be replayed: reading */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void *fail(char **reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(reason, format, arguments) < 0)
		*reason = NULL;
	va_end(arguments);
	return NULL;
}

/* The one directory whose name begins so. Allocated. */
static char *find_path(const char *directory, const char *id, char **reason)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	char *path = NULL;
	bool several = false;

	while (entries && id[0] && (entry = readdir(entries)) && !several) {
		if (entry->d_name[0] == '.' || strncmp(entry->d_name, id, strlen(id)) != 0)
			continue;
		several = path != NULL;
		if (!several && asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			path = NULL;
	}
	if (entries)
		closedir(entries);
	if (!several)
		return path ? path : fail(reason, "no finding %s is kept in %s", id, directory);
	free(path);
	return fail(reason, "several findings in %s begin with %s; give more of the id", directory, id);
}

static char *file_in(const char *path, const char *name)
{
	char *file;

	return asprintf(&file, "%s/%s", path, name) < 0 ? NULL : file;
}

static const char *string_in(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value ? json_object_get_string(value) : NULL;
}

static char **words_in(struct json_object *object, const char *name)
{
	struct json_object *list;
	size_t count;
	char **words;

	if (!json_object_object_get_ex(object, name, &list) || !json_object_is_type(list, json_type_array))
		return NULL;
	count = json_object_array_length(list);
	words = calloc(count + 1, sizeof(words[0]));
	for (size_t i = 0; words && i < count; i++) {
		const char *word = json_object_get_string(json_object_array_get_idx(list, i));

		words[i] = strdup(word ? word : "");
	}
	return words;
}

static void free_words(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

static bool read_description(struct kept *kept, struct json_object *object)
{
	const char *command = string_in(object, "check"), *id = string_in(object, "id");
	const char *sentence = string_in(object, "sentence"), *directory = string_in(object, "directory");
	char **pools = words_in(object, "pools");
	struct json_object *limit;
	char name[32];

	kept->program = words_in(object, "program");
	if (!id || !directory || !pools || !kept->program || !json_object_object_get_ex(object, "limit", &limit)) {
		free_words(pools);
		return false;
	}
	kept->id = strdup(id);
	kept->sentence = strdup(sentence ? sentence : "");
	kept->directory = strdup(directory);
	kept->command = command ? strdup(command) : NULL;
	kept->limit = json_object_get_double(limit);
	for (uint32_t i = 0; i < IMAGE_POOLS && pools[i]; i++) {
		snprintf(name, sizeof(name), "pool-%u", i + 1);
		kept->pools[i] = strdup(pools[i]);
		kept->images[i] = file_in(kept->path, name);
		kept->pool_count++;
	}
	free_words(pools);
	kept->input = file_in(kept->path, "input");
	kept->output = file_in(kept->path, "output");
	kept->check = (struct check){.command = kept->command, .program = kept->program, .input = kept->input};
	return kept->pool_count > 0 && kept->input && kept->output;
}

/* NAME=VALUE, each ended by a zero byte. */
static char **read_environment(const char *path)
{
	char *file = file_in(path, "environment");
	FILE *in = file ? fopen(file, "re") : NULL;
	char **list = calloc(1, sizeof(list[0]));
	char *entry = NULL;
	size_t room = 0, count = 0;

	while (in && list && getdelim(&entry, &room, '\0', in) > 0) {
		char **more = realloc(list, (count + 2) * sizeof(more[0]));

		if (!more)
			break;
		list = more;
		list[count] = strdup(entry);
		list[++count] = NULL;
	}
	free(entry);
	if (in)
		fclose(in);
	free(file);
	return list;
}

struct kept *keep_load(const char *directory, const char *id, char **reason)
{
	struct kept *kept = calloc(1, sizeof(*kept));
	struct json_object *object = NULL;
	char *file = NULL;
	bool read = false;

	*reason = NULL;
	if (!kept)
		return fail(reason, "no memory");
	kept->path = find_path(directory, id, reason);
	if (kept->path) {
		file = file_in(kept->path, "finding.json");
		object = file ? json_object_from_file(file) : NULL;
		read = object && read_description(kept, object);
		if (!read)
			fail(reason, "%s: this is not what was kept of a finding", file ? file : kept->path);
	}
	json_object_put(object);
	free(file);
	if (read && (kept->environment = read_environment(kept->path)))
		return kept;
	keep_free(kept);
	return NULL;
}

void keep_free(struct kept *kept)
{
	for (uint32_t i = 0; i < kept->pool_count; i++) {
		free(kept->pools[i]);
		free(kept->images[i]);
	}
	free_words(kept->program);
	free_words(kept->environment);
	free(kept->path);
	free(kept->id);
	free(kept->sentence);
	free(kept->directory);
	free(kept->command);
	free(kept->input);
	free(kept->output);
	free(kept);
}
