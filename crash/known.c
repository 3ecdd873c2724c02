/* known.c: what a worker has seen already: verdicts by hash, places in the program */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "known.h"

#include <stdlib.h>

enum { ENTRIES_FIRST = 4096 };

/* Open addressing; a hash of 0 marks an entry that is free, and counts as 1. */
struct known {
	struct known_verdict *entries;
	size_t count, room;
};

static uint64_t usable(uint64_t hash)
{
	return hash ? hash : 1;
}

struct known *known_new(void)
{
	struct known *known = calloc(1, sizeof(*known));

	if (!known)
		return NULL;
	known->room = ENTRIES_FIRST;
	known->entries = calloc(known->room, sizeof(known->entries[0]));
	if (known->entries)
		return known;
	free(known);
	return NULL;
}

static struct known_verdict *entry_of(const struct known *known, uint64_t hash)
{
	size_t at = hash & (known->room - 1);

	while (known->entries[at].hash != 0 && known->entries[at].hash != hash)
		at = (at + 1) & (known->room - 1);
	return &known->entries[at];
}

const struct known_verdict *known_find(const struct known *known, uint64_t hash)
{
	const struct known_verdict *entry = entry_of(known, usable(hash));

	return entry->hash ? entry : NULL;
}

static bool grow(struct known *known)
{
	struct known larger = {.room = known->room * 2};

	larger.entries = calloc(larger.room, sizeof(larger.entries[0]));
	if (!larger.entries)
		return false;
	for (size_t i = 0; i < known->room; i++) {
		if (known->entries[i].hash)
			*entry_of(&larger, known->entries[i].hash) = known->entries[i];
	}
	free(known->entries);
	known->entries = larger.entries;
	known->room = larger.room;
	return true;
}

const struct known_verdict *known_add(struct known *known, uint64_t hash, struct known_verdict verdict)
{
	struct known_verdict *entry;

	if (known->count * 2 >= known->room && !grow(known))
		return NULL;
	entry = entry_of(known, usable(hash));
	known->count += entry->hash == 0;
	*entry = verdict;
	entry->hash = usable(hash);
	return entry;
}

void known_add_killer(struct known *known, uint64_t hash, enum failure failure, int status)
{
	known_add(known, hash, (struct known_verdict){.killer = true, .failure = failure, .status = status});
}

bool known_is_killer(const struct known *known, uint64_t hash)
{
	return entry_of(known, usable(hash))->killer;
}

void known_forget_killer(struct known *known, uint64_t hash)
{
	entry_of(known, usable(hash))->killer = false;
}

/* --- Places ---------------------------------------------------------------------------- */

enum { PLACES_MAX = 1 << 16 };

/* Places that do not fit count as visited often: they have no first time. */
struct places_seen {
	struct {
		uint64_t place;
		unsigned visits, hangs;
	} entries[PLACES_MAX];
	size_t count;
};

struct places_seen *places_seen_new(void)
{
	return calloc(1, sizeof(struct places_seen));
}

void places_rewind(struct places_seen *places)
{
	for (size_t i = 0; i < PLACES_MAX; i++)
		places->entries[i].visits = 0;
}

static size_t index_of(const struct places_seen *places, uint64_t place)
{
	size_t at = place % PLACES_MAX;

	while (places->entries[at].place != 0 && places->entries[at].place != place)
		at = (at + 1) % PLACES_MAX;
	return at;
}

bool places_visit(struct places_seen *places, uint64_t place)
{
	const size_t at = index_of(places, usable(place));
	unsigned visits;

	if (places->entries[at].place == 0) {
		if (places->count >= PLACES_MAX / 2)
			return false;
		places->entries[at].place = usable(place);
		places->count++;
	}
	visits = ++places->entries[at].visits;
	return (visits & (visits - 1)) == 0;
}

unsigned places_hangs(const struct places_seen *places, uint64_t place)
{
	return places->entries[index_of(places, usable(place))].hangs;
}

void places_note_hang(struct places_seen *places, uint64_t place)
{
	const size_t at = index_of(places, usable(place));

	if (places->entries[at].place)
		places->entries[at].hangs++;
}
