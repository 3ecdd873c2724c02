/* hints.h: what is worth a look and breaks nothing */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_HINTS_H
#define PMEM_CRASH_HINTS_H

#include "worker.h"

/* Goes through the trace once more and fills the result's hints. False without memory. */
bool hints_collect(struct result *result, const struct start *start, const struct shared *shared,
		   const struct explore_options *options);

/* A state at this event failed and, tried again, did not. */
void hints_add_flaky(struct result *result, const struct trace_event *at);

#endif
