/* known.h: what a worker has seen already: verdicts by hash, places in the program */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_KNOWN_H
#define PMEM_CRASH_KNOWN_H

#include "result.h"

struct known_verdict {
	uint64_t hash;
	bool passed;
	bool killer; /* told by another worker, which it killed; not proposed yet in this one */
	enum failure failure;
	int status;
};

struct known *known_new(void);

/* NULL if the state was never tried. */
const struct known_verdict *known_find(const struct known *known, uint64_t hash);

/* Valid until the next one is added; NULL without memory. */
const struct known_verdict *known_add(struct known *known, uint64_t hash, struct known_verdict verdict);

void known_add_killer(struct known *known, uint64_t hash, enum failure failure, int status);
bool known_is_killer(const struct known *known, uint64_t hash);
void known_forget_killer(struct known *known, uint64_t hash);

/* Places in the program: how often each was visited since the last rewind, and hangs there. */
struct places_seen *places_seen_new(void);
void places_rewind(struct places_seen *places);

/* Counts a visit. True for the first two, and then ever more seldom. */
bool places_visit(struct places_seen *places, uint64_t place);

unsigned places_hangs(const struct places_seen *places, uint64_t place);
void places_note_hang(struct places_seen *places, uint64_t place);

#endif
