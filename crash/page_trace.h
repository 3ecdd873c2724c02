/* page_trace.h: a trace as the page of report_html.c draws it */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PAGE_TRACE_H
#define PMEM_CRASH_PAGE_TRACE_H

#include "report.h"

/* Source places and files, each once, of all runs on the page. */
struct page_places;

struct page_places *page_places_new(void);
void page_places_free(struct page_places *places);

/* "places":[[file,line,"function"],...],"files":[{"name":"...","lines":[...]},...] */
void page_places_write(FILE *out, const struct page_places *places);

/* The events of one exploration that are drawn, in the trace's order. */
struct page_run {
	const struct exploration_report *exploration;
	const struct trace_event **events;
	size_t count;
	size_t first; /* events before these that are left out, where there are too many */
};

/* False without memory. */
bool page_run_collect(struct page_run *run, const struct exploration_report *exploration);
void page_run_free(struct page_run *run);

/* {"name":"...","first":0,"events":[...],"texts":{...}}; adds the events' places. False without memory. */
bool page_run_write(FILE *out, const struct page_run *run, struct page_places *places);

/* The number of an event, or of the first one drawn after it; run->count: there is none. */
size_t page_run_number(const struct page_run *run, const struct trace_event *event);

/*
 * Writes the numbers of the stores before the cut that are not in the finding's
 * image, as a JSON list: what was lost. False without memory.
 */
bool page_run_write_lost(FILE *out, const struct page_run *run, const struct finding *finding);

#endif
