/* describe.c: findings and hints in words */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 512 };

struct name {
	char text[NAME_MAX_LENGTH];
};

/* NULL without memory: a report goes without the sentence then. */
__attribute__((format(printf, 1, 2))) static char *say(const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	return text;
}

/* --- Names of places --------------------------------------------------------------------- */

static const char *what_of(const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_STORE:
		return event->flags & STORE_BY_KERNEL ? "the write" : "the store";
	case TRACE_FLUSH:
	case TRACE_FLUSH_ORDERED:
		return "the flush";
	case TRACE_FENCE:
		return "the fence";
	case TRACE_SYNC:
		return "the sync";
	case TRACE_SIZE:
		return "the change of size";
	case TRACE_OUTPUT:
		return "the output";
	default:
		return "the event";
	}
}

/* "the store at queue.c:41", as exact as it is known. */
static struct name name_of(const struct place *place)
{
	struct name name;
	const struct trace_event *event = place->event;
	const char *what;

	if (!event) {
		snprintf(name.text, sizeof(name.text), "the end of the program");
		return name;
	}
	what = what_of(event);
	if (place->file)
		snprintf(name.text, sizeof(name.text), "%s at %s:%d", what, place->file, place->line);
	else if (place->seen_file)
		snprintf(name.text, sizeof(name.text),
			 "a store before %s:%d (%" PRIu64 " bytes at offset 0x%" PRIx64 ")", place->seen_file,
			 place->seen_line, event->length, event->offset);
	else if (!trace_has_place(event))
		snprintf(name.text, sizeof(name.text), "a store to the %" PRIu64 " bytes at offset 0x%" PRIx64,
			 event->length, event->offset);
	else if (place->function)
		snprintf(name.text, sizeof(name.text), "%s in %s", what, place->function);
	else
		snprintf(name.text, sizeof(name.text), "%s at address 0x%" PRIx64, what, event->site);
	return name;
}

/* Where a store that was found by comparing was made is not known; the flush that made it known is the next best. */
static struct name name_of_store(const struct finding *finding)
{
	const struct place *flush = &finding->flush;
	struct name name = name_of(&finding->store);

	if (finding->how == FINDING_LOST && !finding->store.file && flush->file && flush->event &&
	    finding->store.event && finding->store.event->kind == TRACE_STORE)
		snprintf(name.text, sizeof(name.text), "what %s:%d flushes", flush->file, flush->line);
	return name;
}

static const char *not_durable(enum model_kind model)
{
	return model == MODEL_PAGE ? "was not on the disk yet" : "was still in the cache";
}

/* --- What happened --------------------------------------------------------------------------- */

static char *say_lost(const struct finding *finding, enum model_kind model)
{
	const struct name store = name_of_store(finding), other = name_of(&finding->other);
	const struct name cut = name_of(&finding->cut);

	if (finding->torn)
		return say("%s was torn: some of its aligned 8-byte parts were durable, others were not", store.text);
	if (!finding->other.event)
		return say("%s %s at a cut before %s", store.text, not_durable(model), cut.text);
	if (finding->other.event->kind == TRACE_OUTPUT)
		return say("%s %s when the program had promised it by %s", store.text, not_durable(model), other.text);
	return say("%s %s when %s became durable", store.text, not_durable(model), other.text);
}

static char *say_early(const struct finding *finding)
{
	const struct name store = name_of(&finding->store), other = name_of(&finding->other);

	return say("%s became durable before %s, which comes after it in the program", store.text, other.text);
}

static char *say_cut(const struct finding *finding)
{
	const struct name store = name_of(&finding->store), after = name_of(&finding->after);
	const struct name other = name_of(&finding->other);

	if (finding->other.event && finding->store.event)
		return say("%s promised something before %s made it true", other.text, store.text);
	if (!finding->store.event)
		return say("a cut after %s, with everything durable, breaks recovery", after.text);
	if (!finding->after.event)
		return say("a cut before %s, the first one, breaks recovery", store.text);
	return say("a cut between %s and %s breaks recovery, with every store durable", after.text, store.text);
}

static char *say_what(const struct finding *finding, enum model_kind model)
{
	char *what, *whole;

	if (finding->how == FINDING_LOST)
		what = say_lost(finding, model);
	else if (finding->how == FINDING_EARLY)
		what = say_early(finding);
	else
		what = say_cut(finding);
	if (finding->kind != FINDING_RECOVERY || !what)
		return what;
	whole = say("when recovery itself is cut: %s", what);
	free(what);
	return whole;
}

/* --- What would have prevented it --------------------------------------------------------------- */

static bool in_one_unit(const struct finding *finding, enum model_kind model)
{
	const struct trace_event *store = finding->store.event, *other = finding->other.event;
	const uint64_t unit = model == MODEL_PAGE ? 512 : 64;

	return store && other && store->pool == other->pool && store->offset / unit == other->offset / unit;
}

static bool came_before_the_cut(const struct finding *finding, const struct place *place)
{
	return place->event && (!finding->at || place->event < finding->at);
}

static char *advise_lost(const struct finding *finding)
{
	const struct name flush = name_of(&finding->flush), fence = name_of(&finding->fence);
	const bool promised = finding->other.event && finding->other.event->kind == TRACE_OUTPUT;
	const char *before = promised ? "before the promise" : "before the other store";

	if (finding->torn)
		return say("keep it to 8 aligned bytes, or let recovery tell a torn one, by a checksum for example");
	if (finding->store.event && finding->store.event->kind == TRACE_SIZE)
		return say("fsync the file after its size was changed, %s", before);
	if (!finding->flush.event)
		return say("nothing ever makes it durable: persist it %s", before);
	if (!came_before_the_cut(finding, &finding->flush))
		return say("%s comes too late: make it durable %s", flush.text, before);
	if (!finding->fence.event)
		return say("it was flushed (%s), but no fence follows: fence %s", flush.text, before);
	return say("it was flushed (%s), but the fence that completes it (%s) comes too late: fence %s", flush.text,
		   fence.text, before);
}

static char *advise(const struct finding *finding, enum model_kind model)
{
	const struct name other = name_of(&finding->other);

	if (finding->how == FINDING_LOST)
		return advise_lost(finding);
	if (finding->how == FINDING_EARLY && in_one_unit(finding, model))
		return say("both are in one line, in which stores become durable in the order of the program: make %s "
			   "first",
			   other.text);
	if (finding->how == FINDING_EARLY)
		return say("make %s, and make it durable, first", other.text);
	if (finding->other.event)
		return say("promise only what is durable already");
	if (!finding->store.event)
		return say("the next recovery must accept what this one leaves when it has ended");
	return say("recovery must accept what lies between the two, or a store that makes the change valid must come "
		   "last");
}

/* --- Ids ---------------------------------------------------------------------------------------- */

static uint32_t mix_text(uint32_t hash, const char *text)
{
	while (text && *text)
		hash = (hash ^ (unsigned char)*text++) * 16777619u;
	return (hash ^ 0xff) * 16777619u;
}

static uint32_t mix_place(uint32_t hash, const struct place *place)
{
	char line[16];

	snprintf(line, sizeof(line), "%d %d", place->line, place->seen_line);
	return mix_text(mix_text(mix_text(mix_text(hash, place->file), line), place->function), place->seen_file);
}

/* FNV-1a over what does not change from run to run; the index keeps those apart that nothing else does. */
static void set_id(struct finding *finding, size_t index)
{
	uint32_t hash = 2166136261u + finding->kind * 8u + finding->how;

	hash = mix_place(mix_place(mix_place(hash, &finding->store), &finding->other), &finding->after);
	if (!finding->store.file)
		hash = mix_place(hash, &finding->flush) + (uint32_t)index;
	snprintf(finding->id, sizeof(finding->id), "%08" PRIx32, hash);
}

/* --- One finding a source line -------------------------------------------------------------------- */

static bool same_line(const struct place *a, const struct place *b)
{
	return a->file && b->file && a->line == b->line && strcmp(a->file, b->file) == 0;
}

static bool same_function(const struct place *a, const struct place *b)
{
	return a->file && b->file && a->function && b->function && strcmp(a->file, b->file) == 0 &&
	       strcmp(a->function, b->function) == 0;
}

/* Several stores that one flush would have made durable: a record, part by part. */
static bool lost_together(const struct finding *a, const struct finding *b)
{
	const bool never = !a->flush.event && !b->flush.event;

	return same_function(&a->store, &b->store) && same_line(&a->other, &b->other) &&
	       (never || same_line(&a->flush, &b->flush));
}

static bool is_same_bug(const struct finding *a, const struct finding *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->how == FINDING_CUT && b->how == FINDING_CUT)
		return same_line(&a->after, &b->after);
	if (a->how == b->how && same_line(&a->store, &b->store))
		return true;
	if (a->how == FINDING_LOST && b->how == FINDING_LOST)
		return lost_together(a, b);
	if (a->how == FINDING_EARLY && b->how == FINDING_CUT)
		return same_line(&a->store, &b->after);
	return a->how == FINDING_CUT && b->how == FINDING_EARLY && same_line(&a->after, &b->store);
}

static void drop(struct result *result, size_t index)
{
	finding_free(&result->findings[index]);
	result->finding_count--;
	memmove(&result->findings[index], &result->findings[index + 1],
		(result->finding_count - index) * sizeof(result->findings[0]));
}

/* The smaller set of units says more. */
static void keep_clearer(struct finding *kept, struct finding *other)
{
	const size_t states = kept->states + other->states;
	struct finding swapped;

	if (kept->how == other->how && other->unit_count > 0 && other->unit_count < kept->unit_count) {
		swapped = *kept;
		*kept = *other;
		*other = swapped;
	}
	kept->states = states;
}

static void join_lines(struct result *result)
{
	for (size_t i = 0; i < result->finding_count; i++) {
		for (size_t j = i + 1; j < result->finding_count;) {
			if (!is_same_bug(&result->findings[i], &result->findings[j])) {
				j++;
				continue;
			}
			keep_clearer(&result->findings[i], &result->findings[j]);
			drop(result, j);
		}
	}
}

/* --- Hints ------------------------------------------------------------------------------------------ */

static char *say_hint(const struct hint *hint)
{
	const struct name place = name_of(&hint->place);

	switch (hint->kind) {
	case HINT_REDUNDANT_FLUSH:
		return say("%s flushed what had not changed, %zu times, %" PRIu64 " bytes", place.text, hint->count,
			   hint->bytes);
	case HINT_NEVER_FLUSHED:
		return say("%s was not flushed by the end of the program: %zu times, %" PRIu64 " bytes", place.text,
			   hint->count, hint->bytes);
	case HINT_UNSEEN_STORES:
		return say("%" PRIu64 " bytes had changed before %s without a store that the compiler's hooks showed, "
			   "%zu times",
			   hint->bytes, place.text, hint->count);
	case HINT_FLAKY:
		return say("the check failed on a state before %s, and passed when tried again on the same one",
			   place.text);
	case HINT_SKIPPED:
		return say("%zu states were not tried: others at the same place in the program had hung", hint->count);
	case HINT_REMARK:
		break;
	}
	return NULL;
}

static void find_places(struct finding *finding, struct places *places)
{
	struct place *const all[] = {&finding->cut,   &finding->store, &finding->other,
				     &finding->after, &finding->flush, &finding->fence};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		places_find(places, all[i]->event, all[i]);
}

void describe(struct result *result, struct places *places)
{
	for (size_t i = 0; i < result->finding_count; i++)
		find_places(&result->findings[i], places);
	join_lines(result);
	for (size_t i = 0; i < result->finding_count; i++) {
		struct finding *finding = &result->findings[i];

		set_id(finding, i);
		finding->sentence = say_what(finding, result->model);
		finding->advice = advise(finding, result->model);
	}
	for (size_t i = 0; i < result->hint_count; i++) {
		struct hint *hint = &result->hints[i];

		places_find(places, hint->place.event, &hint->place);
		if (!hint->text)
			hint->text = say_hint(hint);
	}
	result->progress.findings = result->finding_count;
}
