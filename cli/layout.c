/* layout.c: finds what the pmem command needs at run time, installed or in the build tree */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "layout.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder that the command lies in. */
static int own_folder(char folder[PATH_MAX])
{
	const ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - 1);
	char *slash;

	if (length < 0)
		return -1;
	folder[length] = 0;
	slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	return 0;
}

/* Bytes of the folders that two absolute paths have in common. */
static size_t common_folders(const char *one, const char *other)
{
	size_t at = 0, common = 0;

	while (one[at] && one[at] == other[at]) {
		at++;
		if ((one[at] == '/' || !one[at]) && (other[at] == '/' || !other[at]))
			common = at;
	}
	return common;
}

/* Appends the way from one absolute folder to another: "../../libexec/pmem". */
static void append_way(char *path, size_t size, const char *from, const char *to)
{
	const size_t common = common_folders(from, to);

	for (const char *at = from + common; *at; at++) {
		if (*at == '/')
			strncat(path, "/..", size - strlen(path) - 1);
	}
	strncat(path, to + common, size - strlen(path) - 1);
}

/* The file's true path if it can be read. */
static char *readable(const char *folder, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
}

char *layout_find(const char *installed, const char *built, const char *name)
{
	char own[PATH_MAX], folder[2 * PATH_MAX];
	char *found;

	if (own_folder(own) < 0)
		return NULL;
	snprintf(folder, sizeof(folder), "%s", own);
	append_way(folder, sizeof(folder), PMEM_BINDIR, installed);
	found = readable(folder, name);
	if (found)
		return found;
	snprintf(folder, sizeof(folder), "%s/%s", own, built);
	return readable(folder, name);
}
