/* judge_process.h: tries states by starting a program on files that hold them */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_JUDGE_PROCESS_H
#define PMEM_CRASH_JUDGE_PROCESS_H

#include "check.h"
#include "judge.h"

/*
 * Each worker has a room of its own below the directory. promise: what the
 * program had written before, the same for all states; NULL: each state has its
 * own. Everything must outlive the judge. NULL without memory.
 */
struct judge *judge_process_new(const struct start *start, const struct check *check, const char *directory,
				const char *promise, size_t promise_length);

/*
 * The check has passed a control run already, of another judge: limit is the
 * seconds after which it hangs, as after that run. For explore_options.control.
 */
void judge_process_has_passed(struct judge *judge, double limit);

void judge_process_free(struct judge *judge);

#endif
