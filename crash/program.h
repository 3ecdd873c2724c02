/* program.h: the program that is to be tested: where it is, and whether it can be recorded */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PROGRAM_H
#define PMEM_CRASH_PROGRAM_H

#include <stdbool.h>

/*
 * The path of the file that execvp(3) would execute. NULL, and *reason says for
 * people why there is none, or why the recorder could not be loaded into it:
 * not found, not executable, statically linked, for another processor,
 * set-user-ID. Both are to be freed.
 */
char *program_find(const char *name, char **reason);

/*
 * The recorder's object file, where the build or the installation has put it;
 * PMEM_CRASH_RECORDER in the environment names another. NULL with a reason.
 */
char *program_recorder(char **reason);

#endif
