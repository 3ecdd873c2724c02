/* script.h: traces written by hand, and a judge that is a function */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_TESTS_SCRIPT_H
#define PMEM_TESTS_SCRIPT_H

#include "explore.h"

enum { SCRIPT_POOL = 4096 }; /* bytes */

struct script {
	struct trace trace;
	uint16_t thread; /* of the events that follow */
};

/* The site of each event is its line in a test's own numbering: what a finding is to blame. */
void script_store(struct script *script, uint64_t site, uint64_t offset, uint64_t value);
void script_store_bytes(struct script *script, uint64_t site, uint64_t offset, const void *bytes, size_t length,
			unsigned flags);
void script_flush(struct script *script, uint64_t site, uint64_t offset, size_t length);
void script_flush_ordered(struct script *script, uint64_t site, uint64_t offset, size_t length);
void script_fence(struct script *script, uint64_t site);
void script_persist(struct script *script, uint64_t site, uint64_t offset, size_t length);
void script_sync(struct script *script, uint64_t site, uint64_t offset, size_t length);
void script_size(struct script *script, uint64_t site, uint64_t size);
void script_output(struct script *script, uint64_t site, const char *text);

/* What a power cut left; words are 8 bytes. 0: fine. */
struct left {
	const unsigned char *bytes;
	uint64_t size;
	const char *output;
	size_t output_length;
};
typedef int script_check(const struct left *left);

uint64_t left_word(const struct left *left, uint64_t offset);

/* Explores the script from a pool of zeros, with one worker and no end of time. */
enum explore_status script_explore(const struct script *script, enum model_kind model, script_check *check,
				   struct result *result);

/* How many states the check has seen that make this true, and whether it saw any; reset by script_explore(). */
size_t script_states_seen(void);

#endif
