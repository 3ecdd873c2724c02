/* page_trace.c: a trace as the page of report_html.c draws it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "page_trace.h"

#include "places.h"
#include "source.h"
#include "text.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum {
	EVENTS_MOST = 300000, /* drawn of a run: those before the last cut that was found */
	EVENTS_AFTER = 2000,  /* drawn after that, if there are more */
	LINES_MOST = 20000,   /* of a file that is put into the page */
	TEXT_MOST = 400,      /* bytes of an output that are put into the page */
};

/* --- Places ---------------------------------------------------------------------------- */

struct page_place {
	char *file; /* NULL: not known */
	int line;
	char *function;
	size_t number;
};

struct page_places {
	void *tree; /* of struct page_place */
	struct page_place **list;
	size_t count, room;
};

static int compare_text(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_places(const void *left, const void *right)
{
	const struct page_place *a = left, *b = right;
	const int files = compare_text(a->file, b->file);

	if (files || a->line != b->line)
		return files ? files : (a->line > b->line) - (a->line < b->line);
	return compare_text(a->function, b->function);
}

struct page_places *page_places_new(void)
{
	return calloc(1, sizeof(struct page_places));
}

void page_places_free(struct page_places *places)
{
	for (size_t i = 0; i < places->count; i++) {
		tdelete(places->list[i], &places->tree, compare_places);
		free(places->list[i]->file);
		free(places->list[i]->function);
		free(places->list[i]);
	}
	free(places->list);
	free(places);
}

static struct page_place *add_place(struct page_places *places, const struct page_place *place)
{
	struct page_place *added = malloc(sizeof(*added));

	if (!added)
		return NULL;
	if (places->count == places->room) {
		const size_t room = places->room * 2 + 64;
		struct page_place **more = realloc(places->list, room * sizeof(more[0]));

		if (!more) {
			free(added);
			return NULL;
		}
		places->list = more;
		places->room = room;
	}
	*added = *place;
	added->number = places->count;
	if (!tsearch(added, &places->tree, compare_places)) {
		free(added);
		return NULL;
	}
	places->list[places->count++] = added;
	return added;
}

/* The number of a place, SIZE_MAX without memory. Takes its texts over. */
static size_t number_of(struct page_places *places, struct place *place)
{
	const struct page_place wanted = {
		.file = place->file ? place->file : place->seen_file,
		.line = place->file ? place->line : place->seen_line,
		.function = place->function,
	};
	struct page_place *const *found = tfind(&wanted, &places->tree, compare_places);
	const struct page_place *known = found ? *found : add_place(places, &wanted);

	if (found || !known)
		place_free(place);
	return known ? known->number : SIZE_MAX;
}

static void write_file(FILE *out, const char *name)
{
	struct source *source = source_open(name);
	char *clean = text_clean_string(name);

	fputs("{\"name\":", out);
	text_write_json(out, clean);
	fputs(",\"lines\":", out);
	if (source && source->count <= LINES_MOST) {
		for (size_t i = 0; i < source->count; i++) {
			fputs(i ? ",\n" : "[", out);
			text_write_json(out, source->lines[i]);
		}
		fputs("]}", out);
	} else {
		fputs("null}", out);
	}
	source_close(source);
	free(clean);
}

/* Which of the files that were written so far it is; their number is *count. */
static long file_number(const struct page_places *places, size_t place, const char **files, size_t *count)
{
	const char *file = places->list[place]->file;

	if (!file)
		return -1;
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(files[i], file) == 0)
			return (long)i;
	}
	files[*count] = file;
	return (long)(*count)++;
}

void page_places_write(FILE *out, const struct page_places *places)
{
	const char **files = calloc(places->count + 1, sizeof(files[0]));
	size_t count = 0;

	fputs("\"places\":[", out);
	for (size_t i = 0; files && i < places->count; i++) {
		char *function = text_clean_string(places->list[i]->function);

		fprintf(out, "%s[%ld,%d,", i ? "," : "", file_number(places, i, files, &count), places->list[i]->line);
		text_write_json(out, function);
		fputc(']', out);
		free(function);
	}
	fputs("],\n\"files\":[", out);
	for (size_t i = 0; files && i < count; i++) {
		fputs(i ? ",\n" : "", out);
		write_file(out, files[i]);
	}
	fputc(']', out);
	free(files);
}

/* --- Events ---------------------------------------------------------------------------------- */

static bool is_drawn(const struct trace_event *event)
{
	return event->kind >= TRACE_STORE && event->kind <= TRACE_OUTPUT;
}

/* Of very many events those that matter: up to the last cut that was found, and some after it. */
static void choose_window(struct page_run *run)
{
	const struct result *result = &run->exploration->result;
	size_t end = 0;

	if (run->count <= EVENTS_MOST)
		return;
	for (size_t i = 0; i < result->finding_count; i++) {
		const size_t at = page_run_number(run, result->findings[i].at);

		end = at > end ? at : end;
	}
	end = end + EVENTS_AFTER < run->count ? end + EVENTS_AFTER : run->count;
	end = end < EVENTS_MOST ? EVENTS_MOST : end;
	run->first = end - EVENTS_MOST;
	run->count = EVENTS_MOST;
	memmove(run->events, run->events + run->first, run->count * sizeof(run->events[0]));
}

bool page_run_collect(struct page_run *run, const struct exploration_report *exploration)
{
	const struct trace *trace = &exploration->trace;

	*run = (struct page_run){.exploration = exploration};
	run->events = malloc((trace->events + 1) * sizeof(run->events[0]));
	if (!run->events)
		return false;
	for (const struct trace_event *event = trace_next(trace, NULL); event; event = trace_next(trace, event)) {
		if (is_drawn(event))
			run->events[run->count++] = event;
	}
	choose_window(run);
	return true;
}

void page_run_free(struct page_run *run)
{
	free(run->events);
}

size_t page_run_number(const struct page_run *run, const struct trace_event *event)
{
	size_t low = 0, high = run->count;

	while (event && low < high) { /* a trace is one piece of memory */
		const size_t middle = (low + high) / 2;

		if (run->events[middle] < event)
			low = middle + 1;
		else
			high = middle;
	}
	return event ? low : run->count;
}

static void write_texts(FILE *out, const struct page_run *run)
{
	bool any = false;

	fputs("\"texts\":{", out);
	for (size_t i = 0; i < run->count; i++) {
		const struct trace_event *event = run->events[i];
		char *text;

		if (event->kind != TRACE_OUTPUT)
			continue;
		text = text_clean((const char *)event->payload, event->length < TEXT_MOST ? event->length : TEXT_MOST);
		fprintf(out, "%s\"%zu\":", any ? "," : "", i);
		text_write_json(out, text);
		free(text);
		any = true;
	}
	fputc('}', out);
}

bool page_run_write(FILE *out, const struct page_run *run, struct page_places *all)
{
	struct places *places = places_open(&run->exploration->trace);
	char *name = text_clean_string(run->exploration->what);
	bool whole = places != NULL;

	fputs("{\"name\":", out);
	text_write_json(out, name                                ? name
			     : run->exploration->result.schedule ? "another schedule of threads"
								 : "the program");
	fprintf(out, ",\"first\":%zu,\"events\":[", run->first);
	for (size_t i = 0; whole && i < run->count; i++) {
		const struct trace_event *event = run->events[i];
		struct place place;
		size_t number;

		places_find(places, event, &place);
		number = number_of(all, &place);
		whole = number != SIZE_MAX;
		fprintf(out, "%s%u,%u,%u,%u,%" PRIu64 ",%" PRIu64 ",%zu", i ? "," : "", event->kind, event->flags,
			event->thread, event->pool, event->offset, event->length, number);
		if (i % 16 == 15)
			fputc('\n', out);
	}
	fputs("],\n", out);
	write_texts(out, run);
	fputc('}', out);
	if (places)
		places_close(places);
	free(name);
	return whole;
}
