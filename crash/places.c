/* places.c: where in the program an event of a trace came from: file, line, function */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "places.h"

#include "code.h"
#include "lines.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct binary {
	char *path;
	struct lines *lines; /* NULL: cannot be read */
	struct binary *next;
};

/* What was found for an address, since the same places are asked for again and again. */
struct known {
	const struct binary *binary;
	uint64_t address;
	char *file;
	int line;
	char *function;
	struct known *next;
};

enum { BUCKETS = 1024 };

struct places {
	struct code *code;
	struct binary *binaries;
	struct known *known[BUCKETS];
	char directory[PATH_MAX]; /* the current one, ending with a slash; empty if not known */
	char *missing;
};

struct places *places_open(const struct trace *trace)
{
	struct places *places = calloc(1, sizeof(*places));

	if (!places)
		return NULL;
	places->code = code_open(trace);
	if (!places->code) {
		places_close(places);
		return NULL;
	}
	if (getcwd(places->directory, sizeof(places->directory) - 1))
		strcat(places->directory, "/");
	return places;
}

static struct binary *find_binary(struct places *places, const char *path)
{
	struct binary *binary;

	for (binary = places->binaries; binary; binary = binary->next) {
		if (strcmp(binary->path, path) == 0)
			return binary;
	}
	binary = calloc(1, sizeof(*binary));
	if (!binary)
		return NULL;
	binary->path = strdup(path);
	if (!binary->path) {
		free(binary);
		return NULL;
	}
	binary->lines = lines_open(path);
	binary->next = places->binaries;
	places->binaries = binary;
	return binary;
}

/* Takes "." and ".." and doubled slashes out of an absolute path, in place. */
static void straighten(char *path)
{
	char *out = path;
	const char *in = path;

	while (*in) {
		const size_t length = strcspn(in + 1, "/") + 1; /* with the slash before it */

		if (length == 3 && strncmp(in, "/..", 3) == 0) {
			while (out > path && *--out != '/')
				;
		} else if (length > 1 && !(length == 2 && in[1] == '.')) {
			memmove(out, in, length);
			out += length;
		}
		in += length;
	}
	*out = '\0';
}

static char *joined(const char *directory, const char *file)
{
	char *path;

	return asprintf(&path, "%s/%s", directory, file) < 0 ? NULL : path;
}

/*
 * The file under a directory that is relative itself, as reproducible builds
 * have it: below the current directory, or below one that holds the binary.
 */
static char *search_upwards(const struct places *places, const struct binary *binary, const char *file)
{
	char *path = joined(places->directory, file);
	char *directory;

	if (path && access(path, R_OK) == 0)
		return path;
	free(path);
	directory = strdup(binary->path);
	for (char *slash; directory && (slash = strrchr(directory, '/'));) {
		*slash = '\0';
		path = joined(directory, file);
		if (path && access(path, R_OK) == 0) {
			free(directory);
			return path;
		}
		free(path);
	}
	free(directory);
	return NULL;
}

static char *absolute(const struct places *places, const struct binary *binary, const struct source_line *line)
{
	const char *compiled = line->compiled ? line->compiled : ".";
	char *relative, *path;

	if (line->file[0] == '/')
		return strdup(line->file);
	if (compiled[0] == '/')
		return joined(compiled, line->file);
	path = search_upwards(places, binary, line->file); /* some compilers have put the directory before it already */
	if (path)
		return path;
	relative = joined(compiled, line->file);
	path = relative ? search_upwards(places, binary, relative) : NULL;
	free(relative);
	return path;
}

/* As people want to read it; allocated. */
static char *name_of(const struct places *places, const struct binary *binary, const struct source_line *line)
{
	char *path = absolute(places, binary, line);
	const size_t length = strlen(places->directory);
	char *name;

	if (!path)
		return strdup(line->file);
	straighten(path);
	if (length == 0 || strncmp(path, places->directory, length) != 0)
		return path;
	name = strdup(path + length);
	free(path);
	return name;
}

static void note_missing(struct places *places, const char *path)
{
	if (places->missing)
		return;
	if (!lines_is_available())
		places->missing = strdup("this pmem was built without libdw, and cannot tell lines");
	else if (asprintf(&places->missing, "%s has no debug information: compile it with -g, not stripped", path) < 0)
		places->missing = NULL;
}

static struct known *look_up(struct places *places, struct binary *binary, uint64_t address)
{
	struct known *known = calloc(1, sizeof(*known));
	struct source_line line = {0};

	if (!known)
		return NULL;
	known->binary = binary;
	known->address = address;
	if (binary->lines)
		lines_find(binary->lines, address, &line);
	if (line.file && line.line > 0) {
		known->file = name_of(places, binary, &line);
		known->line = line.line;
	} else {
		note_missing(places, binary->path);
	}
	known->function = line.function;
	free(line.file);
	free(line.compiled);
	return known;
}

static const struct known *find_known(struct places *places, struct binary *binary, uint64_t address)
{
	struct known **bucket = &places->known[(address ^ address >> 10) % BUCKETS];
	struct known *known;

	for (known = *bucket; known; known = known->next) {
		if (known->binary == binary && known->address == address)
			return known;
	}
	known = look_up(places, binary, address);
	if (known) {
		known->next = *bucket;
		*bucket = known;
	}
	return known;
}

void places_find(struct places *places, const struct trace_event *event, struct place *place)
{
	const struct known *known = NULL;
	struct binary *binary = NULL;
	const char *path;
	uint64_t address;

	*place = (struct place){.event = event};
	path = event ? code_find(places->code, event, &address) : NULL;
	if (path)
		binary = find_binary(places, path);
	if (binary)
		known = find_known(places, binary, address);
	if (!known)
		return;
	place->function = known->function ? strdup(known->function) : NULL;
	if (!known->file)
		return;
	if (!trace_has_place(event)) {
		place->seen_file = strdup(known->file);
		place->seen_line = known->line;
	} else {
		place->file = strdup(known->file);
		place->line = known->line;
	}
}

const char *places_missing(const struct places *places)
{
	return places->missing;
}

void places_close(struct places *places)
{
	if (!places)
		return;
	for (struct binary *binary = places->binaries, *next; binary; binary = next) {
		next = binary->next;
		lines_close(binary->lines);
		free(binary->path);
		free(binary);
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		for (struct known *known = places->known[i], *next; known; known = next) {
			next = known->next;
			free(known->file);
			free(known->function);
			free(known);
		}
	}
	code_close(places->code);
	free(places->missing);
	free(places);
}
