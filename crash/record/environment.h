/* environment.h: the variables by which a program that the recorded one executes is recorded too */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_ENVIRONMENT_H
#define PMEM_CRASH_ENVIRONMENT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* Remembers the session and the recorder of this process. */
void environment_keep(const char *session, const char *recorder);

/* Where an environment is made in which they stand; on the stack, since a child of vfork has no other memory. */
struct environment_room {
	char preload[2 * PATH_MAX];
};

/* Are they there already? */
bool environment_is_whole(char *const *environment);

/* Entries that the completed environment has at most, the NULL at the end included. */
size_t environment_entries(char *const *environment);

/* Fills completed, an array of environment_entries(). */
void environment_complete(char *const *environment, char **completed, struct environment_room *room);

#endif
