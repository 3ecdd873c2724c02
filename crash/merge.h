/* merge.h: what the workers found, each bug once */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_MERGE_H
#define PMEM_CRASH_MERGE_H

#include "worker.h"

struct merged {
	struct record *records; /* by failure point */
	size_t count;
};

/* newest_hashes: of the state with every store, by failure point. NULL without memory. */
struct merged *merge_records(const struct shared *shared, unsigned workers, const struct trace *trace,
			     const uint64_t *newest_hashes);

void merge_free(struct merged *merged);

#endif
