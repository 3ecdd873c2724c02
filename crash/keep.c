/* keep.c: what a finding leaves behind so that it can be replayed: writing */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_FINDINGS = 100 };

static const uint64_t most_bytes = UINT64_C(1) << 30;

/* --- Where ----------------------------------------------------------------------------- */

char *keep_directory(const char *given)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *path = NULL, *here;
	int length = -1;

	if (given && given[0] == '/') {
		length = asprintf(&path, "%s", given);
	} else if (given) {
		here = getcwd(NULL, 0);
		length = here ? asprintf(&path, "%s/%s", here, given) : -1;
		free(here);
	} else if (state && state[0] == '/') {
		length = asprintf(&path, "%s/pmem-crash", state);
	} else if (home && home[0] == '/') {
		length = asprintf(&path, "%s/.local/state/pmem-crash", home);
	}
	return length < 0 ? NULL : path;
}

/* Like mkdir -p. What is kept may be private: only the user may look. */
static bool make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* --- Files --------------------------------------------------------------------------------- */

static int create(const char *path, const char *name)
{
	char *file;
	int fd;

	if (asprintf(&file, "%s/%s", path, name) < 0)
		return -1;
	fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(file);
	return fd;
}

static bool write_file(const char *path, const char *name, const char *bytes, size_t length)
{
	const int fd = create(path, name);
	bool written = fd >= 0;

	while (written && length > 0) {
		const ssize_t part = write(fd, bytes, length);

		written = part > 0;
		bytes += written ? part : 0;
		length -= written ? (size_t)part : 0;
	}
	if (fd >= 0 && close(fd) < 0)
		written = false;
	return written;
}

static bool write_images(const char *path, const struct image *image)
{
	char name[32];

	for (uint32_t i = 0; i < image->start->pool_count; i++) {
		int fd;
		bool written;

		snprintf(name, sizeof(name), "pool-%u", i + 1);
		fd = create(path, name);
		written = fd >= 0 && image_write(image, i, fd);
		if (fd >= 0 && close(fd) < 0)
			written = false;
		if (!written)
			return false;
	}
	return true;
}

/* NAME=VALUE, each ended by a zero byte. */
static bool write_environment(const char *path)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	bool written;

	if (!out)
		return false;
	for (size_t i = 0; environ[i]; i++)
		fwrite(environ[i], 1, strlen(environ[i]) + 1, out);
	written = fclose(out) == 0 && write_file(path, "environment", text, length);
	free(text);
	return written;
}

/* The program's standard input, which it is given again. */
static bool copy_input(const char *path, const char *input)
{
	FILE *file = input ? fopen(input, "re") : NULL;
	char *bytes = NULL;
	size_t room = 0, length = 0;
	bool copied;

	while (file && !feof(file) && !ferror(file)) {
		if (length == room) {
			char *more = realloc(bytes, room = room ? room * 2 : 4096);

			if (!more)
				break;
			bytes = more;
		}
		length += fread(bytes + length, 1, room - length, file);
	}
	if (file)
		fclose(file);
	copied = write_file(path, "input", bytes, length);
	free(bytes);
	return copied;
}

static struct json_object *list_of(char *const *words)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; words[i]; i++)
		json_object_array_add(list, json_object_new_string(words[i]));
	return list;
}

static bool write_description(const char *path, const struct reported *reported, const struct check *check,
			      double limit)
{
	const struct start *start = reported->finding->image->start;
	struct json_object *object = json_object_new_object(), *pools = json_object_new_array();
	char *here = getcwd(NULL, 0);
	const char *text;
	bool written;

	/* The names by which the program knows its pools: of a recovery's, those of the first level. */
	for (uint32_t i = 0; i < start->pool_count; i++)
		json_object_array_add(pools, json_object_new_string(start->pools[i].name));
	json_object_object_add(object, "id", json_object_new_string(reported->finding->id));
	json_object_object_add(object, "sentence",
			       json_object_new_string(reported->finding->sentence ? reported->finding->sentence : ""));
	json_object_object_add(object, "directory", json_object_new_string(here ? here : "/"));
	json_object_object_add(object, "pools", pools);
	json_object_object_add(object, "program", list_of(check->program));
	json_object_object_add(object, "check", check->command ? json_object_new_string(check->command) : NULL);
	json_object_object_add(object, "limit", json_object_new_double(limit));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	written = write_file(path, "finding.json", text, strlen(text));
	json_object_put(object);
	free(here);
	return written;
}

bool keep_save(const char *directory, const struct reported *reported, const struct check *check, double limit)
{
	const struct finding *finding = reported->finding;
	char *path;
	bool saved;

	if (!finding->image || asprintf(&path, "%s/%s", directory, finding->id) < 0) {
		errno = ENOMEM;
		return false;
	}
	saved = make_directories(path) && write_images(path, finding->image) &&
		write_file(path, "output", finding->promised ? finding->promised : "",
			   finding->promised ? finding->promised_length : 0) &&
		write_environment(path) && copy_input(path, check->command ? NULL : check->input) &&
		write_description(path, reported, check, limit);
	free(path);
	return saved;
}

/* --- Pruning ------------------------------------------------------------------------------------ */

struct entry {
	char *path;
	struct timespec time; /* when it was kept */
	uint64_t bytes;
};

/* Of a directory's files, what they take; 0 if it is not one of ours. */
static uint64_t bytes_of(const char *path, struct timespec *time)
{
	DIR *files = opendir(path);
	struct dirent *file;
	struct stat status;
	uint64_t bytes = 0;
	bool ours = false;

	while (files && (file = readdir(files))) {
		if (fstatat(dirfd(files), file->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(status.st_mode))
			continue;
		bytes += (uint64_t)status.st_blocks * 512;
		if (strcmp(file->d_name, "finding.json") != 0)
			continue;
		ours = true;
		*time = status.st_mtim;
	}
	if (files)
		closedir(files);
	return ours ? bytes + 1 : 0;
}

static int newest_first(const void *left, const void *right)
{
	const struct timespec *a = &((const struct entry *)left)->time, *b = &((const struct entry *)right)->time;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? 1 : -1;
	return (a->tv_nsec < b->tv_nsec) - (a->tv_nsec > b->tv_nsec);
}

static size_t list_entries(const char *directory, struct entry **list)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	size_t count = 0, room = 0;

	*list = NULL;
	while (entries && (entry = readdir(entries))) {
		struct entry one = {0};

		if (entry->d_name[0] == '.' || asprintf(&one.path, "%s/%s", directory, entry->d_name) < 0)
			continue;
		one.bytes = bytes_of(one.path, &one.time);
		if (count == room) {
			struct entry *more = realloc(*list, (room = room * 2 + 16) * sizeof(more[0]));

			if (!more) {
				free(one.path);
				break;
			}
			*list = more;
		}
		if (one.bytes)
			(*list)[count++] = one;
		else
			free(one.path);
	}
	if (entries)
		closedir(entries);
	return count;
}

uint64_t keep_prune(const char *directory)
{
	struct entry *list;
	const size_t count = list_entries(directory, &list);
	uint64_t bytes = 0;

	qsort(list, count, sizeof(list[0]), newest_first);
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (i >= MOST_FINDINGS || bytes + list[i].bytes > most_bytes))
			directory_clear(list[i].path, NULL, 0);
		else
			bytes += list[i].bytes;
		free(list[i].path);
	}
	free(list);
	return bytes;
}
