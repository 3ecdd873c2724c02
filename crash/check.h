/* check.h: what a run's check needs to be started on images: files, command, environment */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_CHECK_H
#define PMEM_CRASH_CHECK_H

#include "image.h"
#include "session.h"

/* The check of a run, the same for all of its states. */
struct check {
	const char *command;  /* for sh -c, with {} or {1}, {2}... where the images' paths go; NULL: the program */
	char *const *program; /* argv of the program itself, which finds the images under the pools' names */
	const char *input;    /* the program's standard input: a file; the command's is empty */
	const char *recorder; /* path of the recorder; NULL is allowed for a command if loads is not set */
	bool loads;           /* tell what was read, where the program was compiled for it */
};

/* What a shell, and what we, exit with where a command cannot be started: POSIX, Shell Command Language, 2.8.2. */
enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };

/* A directory with images, and what is started on them. */
struct check_room {
	const struct check *check;
	char *directory; /* for the images, and what the check puts beside them */
	char *output;    /* file: what the program had written to its standard output */
	uint32_t count;
	char *images[IMAGE_POOLS]; /* files in the directory, empty when the room is made */
	char *command;             /* of the check, paths filled in; NULL: none */
	char *session_path;
	struct session *session; /* NULL: none is needed */
	char *load_paths[IMAGE_POOLS];
	unsigned char *loads[IMAGE_POOLS]; /* load maps; NULL: none */
	uint64_t load_bytes;               /* of each */
	char **environment;
	char *shell[4];
};

/*
 * Makes all of it at place, a path with nothing there. names: of the pools,
 * absolute; largest: bytes that any of them may grow to. False with a message
 * told.
 */
bool check_room_make(struct check_room *room, const struct check *check, const char *place, const char *const *names,
		     uint32_t count, uint64_t largest);

/* argv of what is to be started, with room->environment. */
char *const *check_room_argv(const struct check_room *room);

/* The file that is its standard input. */
const char *check_room_input(const struct check_room *room);

/* The images are other files now, or have other sizes: the session is told. */
void check_room_tell_images(struct check_room *room);

/* Forgets what has been read so far. */
void check_room_forget_loads(struct check_room *room);

/* Did every process that opened a pool since then tell what it read? */
bool check_room_knows_loads(const struct check_room *room);

/* Images and everything else are gone. */
void check_room_remove(struct check_room *room);

/* Removes what is in a directory, but for the regular files keep[0..count); and the directory, if count is 0. */
void directory_clear(const char *directory, char *const *keep, size_t count);

#endif
