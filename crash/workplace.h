/* workplace.h: where the copies of the pools lie while a program is tested */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_WORKPLACE_H
#define PMEM_CRASH_WORKPLACE_H

#include "image.h"

#include <limits.h>

/* A folder, in memory where there is room for it. */
struct workplace {
	char folder[PATH_MAX / 2];
	int lock;           /* a descriptor, held as long as somebody works here */
	struct start start; /* the pools as they were; names are absolute, links resolved */
};

/*
 * Makes the folder and copies the pools, which stay as they are. One at a time
 * in a process. The folder is removed by workplace_close(), and when this
 * process is ended by SIGINT, SIGTERM or SIGHUP, which also ends what
 * process_run() has started; what a killed one has left behind is removed by the next. NULL, and *reason says for people what was
 * wrong; it is to be freed.
 */
struct workplace *workplace_open(const char *const *pools, uint32_t count, uint32_t unit, char **reason);
void workplace_close(struct workplace *workplace);

/* A new copy of a pool as it was at the start. False with errno. */
bool workplace_copy(const struct workplace *workplace, uint32_t pool, const char *path);

/* NAME in the folder; of PATH_MAX bytes. */
void workplace_path(const struct workplace *workplace, const char *name, char path[PATH_MAX]);

/* A group of processes that is killed too if this process is ended by a signal; 0: none. */
void workplace_guard(int group);

#endif
