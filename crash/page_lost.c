/* page_lost.c: which stores are missing in an image, for the page of report_html.c */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "page_trace.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT_MOST = 512 };

/* A unit as the stores have made it so far, beside what it is in the image. */
struct replayed {
	uint32_t pool;
	uint64_t offset;
	bool matched;  /* it has been as in the image */
	size_t *since; /* numbers of the stores since it was the last time */
	size_t count, room;
	unsigned char bytes[UNIT_MOST], wanted[UNIT_MOST];
};

static int compare(const void *left, const void *right)
{
	const struct replayed *a = left, *b = right;

	if (a->pool != b->pool)
		return a->pool < b->pool ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int compare_unit(const void *left, const void *right)
{
	const struct replayed *a = left;
	const struct image_unit *b = right;

	if (a->pool != b->pool)
		return a->pool < b->pool ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static void compare_with_image(struct replayed *unit, uint32_t size)
{
	if (memcmp(unit->bytes, unit->wanted, size) != 0)
		return;
	unit->matched = true;
	unit->count = 0;
}

static struct replayed *open_unit(void **tree, const struct image *image, uint32_t pool, uint64_t offset)
{
	const struct start *start = image->start;
	struct replayed wanted = {.pool = pool, .offset = offset}, *unit;
	struct replayed **found = tfind(&wanted, tree, compare);
	const struct image_unit *changed;
	uint64_t length = start->unit;

	if (found)
		return *found;
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		return NULL;
	unit->pool = pool;
	unit->offset = offset;
	if (offset < start->pools[pool].size) {
		length = start->pools[pool].size - offset < length ? start->pools[pool].size - offset : length;
		memcpy(unit->bytes, start->pools[pool].bytes + offset, length);
	}
	changed = bsearch(unit, image->units, image->unit_count, sizeof(image->units[0]), compare_unit);
	memcpy(unit->wanted, changed ? changed->bytes : unit->bytes, start->unit);
	compare_with_image(unit, start->unit);
	if (!tsearch(unit, tree, compare)) {
		free(unit);
		return NULL;
	}
	return unit;
}

static bool note_store(struct replayed *unit, size_t number)
{
	if (unit->count == unit->room) {
		const size_t room = unit->room * 2 + 8;
		size_t *more = realloc(unit->since, room * sizeof(more[0]));

		if (!more)
			return false;
		unit->since = more;
		unit->room = room;
	}
	unit->since[unit->count++] = number;
	return true;
}

static bool replay_store(void **tree, const struct image *image, const struct trace_event *event, size_t number)
{
	const uint64_t size = image->start->unit, end = event->offset + event->length;

	for (uint64_t offset = event->offset / size * size; offset < end; offset += size) {
		const uint64_t first = offset < event->offset ? event->offset : offset;
		const uint64_t last = offset + size < end ? offset + size : end;
		struct replayed *unit = open_unit(tree, image, event->pool, offset);

		if (!unit || !note_store(unit, number))
			return false;
		memcpy(unit->bytes + (first - offset), event->payload + (first - event->offset), last - first);
		compare_with_image(unit, (uint32_t)size);
	}
	return true;
}

/* --- The whole ------------------------------------------------------------------------- */

static void mark_lost(const void *node, VISIT visit, void *lost)
{
	const struct replayed *unit = *(struct replayed *const *)node;

	if (visit != postorder && visit != leaf)
		return;
	for (size_t i = 0; unit->matched && i < unit->count; i++)
		((bool *)lost)[unit->since[i]] = true;
}

static void free_unit(void *node)
{
	free(((struct replayed *)node)->since);
	free(node);
}

bool page_run_write_lost(FILE *out, const struct page_run *run, const struct finding *finding)
{
	const size_t cut = page_run_number(run, finding->at);
	bool *lost = calloc(cut + 1, sizeof(lost[0]));
	bool whole = lost != NULL, any = false;
	void *tree = NULL;

	for (size_t i = 0; whole && finding->image && i < cut; i++) {
		if (run->events[i]->kind == TRACE_STORE)
			whole = replay_store(&tree, finding->image, run->events[i], i);
	}
	twalk_r(tree, mark_lost, lost);
	fputc('[', out);
	for (size_t i = 0; lost && i < cut; i++) {
		if (!lost[i] || (finding->torn && run->events[i] == finding->store.event))
			continue;
		fprintf(out, "%s%zu", any ? "," : "", i);
		any = true;
	}
	fputc(']', out);
	tdestroy(tree, free_unit);
	free(lost);
	return whole;
}
