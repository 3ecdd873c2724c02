/* keep.h: what a finding leaves behind so that it can be replayed */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_KEEP_H
#define PMEM_CRASH_KEEP_H

#include "check.h"
#include "report.h"

/*
 * The directory under which findings are kept, each in one that is called as its
 * id: the given one, or $XDG_STATE_HOME/pmem-crash, or ~/.local/state/pmem-crash.
 * Absolute, allocated; NULL where there is none.
 */
char *keep_directory(const char *given);

/* Keeps one finding; limit: seconds that its check may take. False with errno. */
bool keep_save(const char *directory, const struct reported *reported, const struct check *check, double limit);

/* Removes the findings that were kept first, until few enough are left and they take little enough. Bytes that are kept. */
uint64_t keep_prune(const char *directory);

/* A finding that was kept. */
struct kept {
	char *path; /* its directory */
	char *id;
	char *sentence;
	char *directory; /* that the check was started in */
	struct check check;
	uint32_t pool_count;
	char *pools[IMAGE_POOLS];  /* names, absolute */
	char *images[IMAGE_POOLS]; /* files */
	char *output;              /* file: what the program had written before the cut */
	char **environment;        /* NULL-terminated */
	double limit;              /* seconds */
	char **program;
	char *command, *input;
};

/*
 * Finds what was kept under an id or the beginning of one. NULL, and *reason
 * says for people why; both are to be freed.
 */
struct kept *keep_load(const char *directory, const char *id, char **reason);
void keep_free(struct kept *kept);

#endif
