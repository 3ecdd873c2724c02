/* double-buffer-toggle.c: the switch to the other buffer becomes durable before what is in it */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct state {
	_Alignas(LINE) uint64_t words[8];
};

struct document {
	_Alignas(LINE) uint64_t current;
	struct state buffers[2];
};

static void save(struct document *document, uint64_t version)
{
	const uint64_t other = !document->current;

	for (unsigned i = 0; i < 8; i++)
		document->buffers[other].words[i] = version; /* BUG */
	if (IS_FIXED)
		pmem_persist(&document->buffers[other], sizeof(struct state), 0);
	document->current = other;
	pmem_persist(document, sizeof(*document), 0);
}

static void run(void *pool)
{
	for (uint64_t version = 1; version <= 3; version++)
		save(pool, version);
}

static bool check(void *pool, size_t promised)
{
	const struct document *document = pool;
	const struct state *state = &document->buffers[document->current];

	(void)promised;
	if (document->current > 1)
		return false;
	for (unsigned i = 1; i < 8; i++) {
		if (state->words[i] != state->words[0])
			return false;
	}
	return document->current == 0 || state->words[0] != 0;
}
