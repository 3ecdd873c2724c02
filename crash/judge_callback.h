/* judge_callback.h: a judge that calls a unit test's check, in this process */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_JUDGE_CALLBACK_H
#define PMEM_CRASH_JUDGE_CALLBACK_H

#include "judge.h"

#include <pmem_crash.h>
#include <sys/types.h>

struct statics;
struct watch;

struct callback_judge {
	struct judge judge;
	const struct pmem_crash_test *test;
	unsigned char *pool; /* the same address in every process */
	size_t size;         /* bytes */
	bool isolated;       /* a process for each check */
	bool hooks;          /* the compiler's hooks tell what the check reads and writes */

	/* Inside. */
	bool in_worker;
	bool whole; /* the pool may differ from the base anywhere */
	unsigned trials;
	uint64_t *written, *read;
	struct statics *statics;
	struct watch *watch;
};

/* hooks: the test was compiled with them. False without memory. */
bool callback_judge_make(struct callback_judge *judge, const struct pmem_crash_test *test, unsigned char *pool,
			 bool hooks);

void callback_judge_free(struct callback_judge *judge);

#endif
