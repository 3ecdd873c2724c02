/* statics.h: the program's static data, saved and brought back */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_STATICS_H
#define PMEM_CRASH_STATICS_H

struct statics;

/*
 * Saves the static data of the program itself, not of libraries. NULL without
 * memory. Data of more than 16 MiB is left alone.
 */
struct statics *statics_save(void);

/* As it was when it was saved. */
void statics_restore(struct statics *statics);

void statics_free(struct statics *statics);

#endif
