/* check.c: what a run's check needs to be started on images: files, command, environment */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "check.h"

#include "command_line.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Files ----------------------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	remove(path);
	return 0;
}

static bool is_kept(const char *path, char *const *keep, size_t count)
{
	struct stat status;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(path, keep[i]) == 0)
			return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
	}
	return false;
}

void directory_clear(const char *directory, char *const *keep, size_t count)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;
	char *path;

	while (entries && (entry = readdir(entries))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			break;
		if (!is_kept(path, keep, count))
			nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
		free(path);
	}
	if (entries)
		closedir(entries);
	if (count == 0)
		rmdir(directory);
}

static bool cannot(const char *what, const char *path)
{
	fprintf(stderr, "pmem crash: %s: cannot %s: %s\n", path, what, strerror(errno));
	return false;
}

static bool make_file(const char *path, uint64_t size)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const bool made = fd >= 0 && ftruncate(fd, (off_t)size) == 0;

	if (!made)
		cannot("make the file", path);
	if (fd >= 0)
		close(fd);
	return made;
}

static void *map_file(const char *path, uint64_t size)
{
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (bytes != MAP_FAILED)
		return bytes;
	cannot("map the file", path);
	return NULL;
}

/* --- Names ------------------------------------------------------------------------------- */

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* An image is called as its pool is, since a check may look at that; two of one name are told apart. */
static char *image_path(const char *directory, const char *const *names, uint32_t index)
{
	bool taken = false;
	char *path;
	int length;

	for (uint32_t i = 0; i < index && !taken; i++)
		taken = strcmp(base_of(names[i]), base_of(names[index])) == 0;
	if (taken)
		length = asprintf(&path, "%s/%u-%s", directory, index + 1, base_of(names[index]));
	else
		length = asprintf(&path, "%s/%s", directory, base_of(names[index]));
	return length < 0 ? NULL : path;
}

static char *beside(const char *place, const char *what)
{
	char *path;

	return asprintf(&path, "%s.%s", place, what) < 0 ? NULL : path;
}

/* --- The session ----------------------------------------------------------------------------- */

static bool needs_session(const struct check *check)
{
	return !check->command || check->loads;
}

static bool make_loads(struct check_room *room, const char *place, uint64_t largest)
{
	char name[32];

	room->load_bytes = largest / SESSION_LOADS_UNIT / 8 + 1;
	for (uint32_t i = 0; i < room->count; i++) {
		snprintf(name, sizeof(name), "loads%u", i);
		room->load_paths[i] = beside(place, name);
		if (!room->load_paths[i] || !make_file(room->load_paths[i], room->load_bytes))
			return false;
		room->loads[i] = map_file(room->load_paths[i], room->load_bytes);
		if (!room->loads[i])
			return false;
		snprintf(room->session->pools[i].loads, PATH_MAX, "%s", room->load_paths[i]);
	}
	return true;
}

/* A command is given the images by name, the program still knows them by the pools'. */
static bool make_session(struct check_room *room, const char *place, const char *const *names, uint64_t largest)
{
	room->session_path = beside(place, "session");
	if (!room->session_path)
		return false;
	unlink(room->session_path);
	room->session = session_create(room->session_path, room->check->loads ? SESSION_LOADS : SESSION_REDIRECT);
	if (!room->session)
		return cannot("make the file", room->session_path);
	for (uint32_t i = 0; i < room->count; i++) {
		const char *name = room->check->command ? room->images[i] : names[i];

		if (!session_add_pool(room->session, name, room->images[i]))
			return cannot("lead to an image", name);
	}
	return !room->check->loads || make_loads(room, place, largest);
}

void check_room_tell_images(struct check_room *room)
{
	struct stat status;

	for (uint32_t i = 0; room->session && i < room->count; i++) {
		struct session_pool *pool = &room->session->pools[i];

		if (stat(room->images[i], &status) < 0)
			continue;
		pool->size = (uint64_t)status.st_size;
		pool->work_device = status.st_dev;
		pool->work_inode = status.st_ino;
		pool->work_size = (uint64_t)status.st_size;
		if (!room->check->command)
			continue;
		pool->device = status.st_dev;
		pool->inode = status.st_ino;
	}
}

static bool make_environment(struct check_room *room)
{
	const char *more[2] = {NULL, NULL};
	char *output;

	if (asprintf(&output, "PMEM_CRASH_OUTPUT=%s", room->output) < 0)
		return false;
	more[0] = output;
	room->environment = session_environment(room->session ? room->session_path : NULL, room->check->recorder, more);
	free(output);
	return room->environment != NULL;
}

/* --- The room ------------------------------------------------------------------------------------ */

static bool make_paths(struct check_room *room, const char *place, const char *const *names)
{
	room->directory = strdup(place);
	room->output = beside(place, "output");
	if (!room->directory || !room->output)
		return false;
	for (uint32_t i = 0; i < room->count; i++) {
		room->images[i] = image_path(place, names, i);
		if (!room->images[i] || !make_file(room->images[i], 0))
			return false;
	}
	if (!room->check->command)
		return true;
	room->command = fill_in_paths(room->check->command, (const char *const *)room->images, room->count);
	if (!room->command)
		return false;
	room->shell[0] = "/bin/sh";
	room->shell[1] = "-c";
	room->shell[2] = room->command;
	return true;
}

bool check_room_make(struct check_room *room, const struct check *check, const char *place, const char *const *names,
		     uint32_t count, uint64_t largest)
{
	*room = (struct check_room){.check = check, .count = count};
	if (mkdir(place, 0700) < 0 && errno != EEXIST) /* one that was killed has left it */
		return cannot("make the directory", place);
	if (make_paths(room, place, names) && make_file(room->output, 0) &&
	    (!needs_session(check) || make_session(room, place, names, largest)) && make_environment(room))
		return true;
	check_room_remove(room);
	return false;
}

char *const *check_room_argv(const struct check_room *room)
{
	return room->command ? (char *const *)room->shell : room->check->program;
}

const char *check_room_input(const struct check_room *room)
{
	return room->command ? "/dev/null" : room->check->input;
}

void check_room_forget_loads(struct check_room *room)
{
	if (!room->check->loads)
		return;
	atomic_store(&room->session->processes, 0);
	atomic_store(&room->session->instrumented, 0);
	for (uint32_t i = 0; i < room->count; i++)
		memset(room->loads[i], 0, room->load_bytes);
}

bool check_room_knows_loads(const struct check_room *room)
{
	return room->check->loads && atomic_load(&room->session->processes) > 0 &&
	       atomic_load(&room->session->processes) == atomic_load(&room->session->instrumented);
}

static void remove_file(char *path)
{
	if (path)
		unlink(path);
	free(path);
}

void check_room_remove(struct check_room *room)
{
	for (uint32_t i = 0; i < room->count; i++) {
		if (room->loads[i])
			munmap(room->loads[i], room->load_bytes);
		remove_file(room->load_paths[i]);
		remove_file(room->images[i]);
	}
	if (room->session)
		session_unmap(room->session);
	remove_file(room->session_path);
	remove_file(room->output);
	if (room->directory)
		directory_clear(room->directory, NULL, 0);
	free(room->directory);
	free(room->command);
	free(room->environment);
	*room = (struct check_room){0};
}
