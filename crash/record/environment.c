/* environment.c: the variables by which a program that the recorded one executes is recorded too */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "environment.h"

#include "../session.h"

#include <stdio.h>
#include <string.h>

static const char session_name[] = SESSION_VARIABLE "=";
static const char preload_name[] = "LD_PRELOAD=";

static char session_entry[sizeof(session_name) + PATH_MAX];
static char recorder_path[PATH_MAX];

void environment_keep(const char *session, const char *recorder)
{
	snprintf(session_entry, sizeof(session_entry), "%s%s", session_name, session);
	snprintf(recorder_path, sizeof(recorder_path), "%s", recorder);
}

static bool begins_with(const char *entry, const char *name)
{
	return strncmp(entry, name, strlen(name)) == 0;
}

bool environment_is_whole(char *const *environment)
{
	bool session = false, preload = false;

	for (size_t i = 0; environment && environment[i]; i++) {
		session = session || strcmp(environment[i], session_entry) == 0;
		preload =
			preload || (begins_with(environment[i], preload_name) && strstr(environment[i], recorder_path));
	}
	return !session_entry[0] || (session && preload);
}

size_t environment_entries(char *const *environment)
{
	size_t count = 0;

	while (environment && environment[count])
		count++;
	return count + 3;
}

void environment_complete(char *const *environment, char **completed, struct environment_room *room)
{
	const char *others = "";
	size_t count = 0;

	for (size_t i = 0; environment && environment[i]; i++) {
		if (begins_with(environment[i], preload_name))
			others = environment[i] + strlen(preload_name);
		else if (!begins_with(environment[i], session_name))
			completed[count++] = environment[i];
	}
	if (strstr(others, recorder_path))
		snprintf(room->preload, sizeof(room->preload), "%s%s", preload_name, others);
	else
		snprintf(room->preload, sizeof(room->preload), "%s%s%s%s", preload_name, recorder_path,
			 others[0] ? ":" : "", others);
	completed[count++] = room->preload;
	completed[count++] = session_entry;
	completed[count] = NULL;
}
