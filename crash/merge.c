/* merge.c: what the workers found, each bug once */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One missing flush shows as many failing states. Records are the same bug if
 * the same store is lost or early; if they lost stores that were made one after
 * the other, with no flush or fence between them, and become durable together;
 * and if a cut fails at all instants from one to the other.
 */
#include "merge.h"

#include <stdlib.h>
#include <string.h>

struct merger {
	const struct trace *trace;
	const uint64_t *newest_hashes;
	struct record *records;
	size_t count;
};

static const struct trace_event *event_at(const struct merger *merger, size_t at)
{
	return at == NO_EVENT ? NULL : (const struct trace_event *)(merger->trace->bytes + at);
}

/* Stores found by comparing have no place of their own: the flush that found them stands for it. */
static bool same_site(const struct merger *merger, size_t left, size_t right)
{
	const struct trace_event *a = event_at(merger, left), *b = event_at(merger, right);

	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->site == b->site && (a->site != 0 || a->offset == b->offset);
}

static bool makes_durable(const struct trace_event *event)
{
	return event->kind == TRACE_FLUSH || event->kind == TRACE_FLUSH_ORDERED || event->kind == TRACE_FENCE ||
	       event->kind == TRACE_SYNC || event->kind == TRACE_OUTPUT;
}

static bool one_after_the_other(const struct merger *merger, size_t left, size_t right)
{
	const struct trace_event *event = event_at(merger, left < right ? left : right);
	const struct trace_event *last = event_at(merger, left < right ? right : left);

	while (event && event < last && !makes_durable(event))
		event = trace_next(merger->trace, event);
	return event == last;
}

/* Did a cut fail at each failure point between two of which it is known? */
static bool one_window(const struct merger *merger, const struct record *first, const struct record *last)
{
	for (size_t point = first->point + 1; point < last->point; point++) {
		if (merger->newest_hashes[point] != merger->newest_hashes[first->point] &&
		    merger->newest_hashes[point] != merger->newest_hashes[last->point])
			return false;
	}
	return true;
}

static bool lost_is_same(const struct merger *merger, const struct record *a, const struct record *b)
{
	if (same_site(merger, a->store, b->store))
		return true;
	return same_site(merger, a->flush, b->flush) && one_after_the_other(merger, a->store, b->store);
}

/* a was found first, at an earlier point or the same. */
static bool is_same_bug(const struct merger *merger, const struct record *a, const struct record *b)
{
	switch (a->kind) {
	case FINDING_LOST:
		if (b->kind == FINDING_LOST)
			return lost_is_same(merger, a, b);
		return b->kind == FINDING_EARLY && same_site(merger, a->store, b->other);
	case FINDING_EARLY:
		if (b->kind == FINDING_EARLY)
			return same_site(merger, a->store, b->store);
		if (b->kind == FINDING_CUT)
			return same_site(merger, a->store, b->after);
		return b->kind == FINDING_LOST && same_site(merger, a->other, b->store);
	case FINDING_CUT:
		if (b->kind == FINDING_CUT)
			return same_site(merger, a->after, b->after) || one_window(merger, a, b);
		return b->kind == FINDING_EARLY && same_site(merger, a->after, b->store);
	default:
		return false;
	}
}

/* Which of two records explains more. */
static int rank(const struct record *record)
{
	return record->kind == FINDING_LOST ? 2 : record->kind == FINDING_EARLY ? 1 : 0;
}

/* The smaller set of units says more. */
static bool is_clearer(const struct record *from, const struct record *into)
{
	if (rank(from) != rank(into))
		return rank(from) > rank(into);
	return from->count > 0 && from->count < into->count;
}

static void join(struct record *into, const struct record *from)
{
	const uint64_t states = into->states + from->states;

	if (is_clearer(from, into))
		*into = *from;
	into->states = states;
}

static int by_point(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	if (a->point != b->point)
		return a->point < b->point ? -1 : 1;
	if (rank(a) != rank(b))
		return rank(b) - rank(a);
	return (a->store > b->store) - (a->store < b->store);
}

/* Joins until nothing joins any more: a record that was joined may be the same as one that was not. */
static void merge(struct merger *merger)
{
	bool joined;

	do {
		joined = false;
		qsort(merger->records, merger->count, sizeof(merger->records[0]), by_point);
		for (size_t i = 0; i < merger->count; i++) {
			for (size_t j = i + 1; j < merger->count;) {
				if (!is_same_bug(merger, &merger->records[i], &merger->records[j])) {
					j++;
					continue;
				}
				join(&merger->records[i], &merger->records[j]);
				merger->records[j] = merger->records[--merger->count];
				joined = true;
			}
		}
	} while (joined);
}

struct merged *merge_records(const struct shared *shared, unsigned workers, const struct trace *trace,
			     const uint64_t *newest_hashes)
{
	struct merged *merged = calloc(1, sizeof(*merged));
	struct merger merger = {.trace = trace, .newest_hashes = newest_hashes};
	size_t total = 0;

	for (unsigned i = 0; i < workers; i++)
		total += shared->slots[i].record_count;
	merger.records = calloc(total + 1, sizeof(merger.records[0]));
	if (!merged || !merger.records) {
		free(merged);
		free(merger.records);
		return NULL;
	}
	for (unsigned i = 0; i < workers; i++) {
		const size_t count = shared->slots[i].record_count;

		memcpy(merger.records + merger.count, shared->slots[i].records, count * sizeof(merger.records[0]));
		merger.count += count;
	}
	merge(&merger);
	merged->records = merger.records;
	merged->count = merger.count;
	return merged;
}

void merge_free(struct merged *merged)
{
	if (merged)
		free(merged->records);
	free(merged);
}
