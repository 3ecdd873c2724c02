/* places.h: where in the program an event of a trace came from: file, line, function */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PLACES_H
#define PMEM_CRASH_PLACES_H

#include "result.h"

struct places;

/* Knows the code that the trace tells of. The trace must outlive it. NULL without memory. */
struct places *places_open(const struct trace *trace);

/*
 * Fills *place for the event: event, and of its site file, line and function,
 * allocated; NULL and 0 where not known, or for no event. A file below the
 * current directory is named relative to it. A store that was found by
 * comparing (STORE_OBSERVED) has no file and line: where it was made nobody
 * knows. Where the difference became known is in seen_file and seen_line, and in
 * function.
 */
void places_find(struct places *places, const struct trace_event *event, struct place *place);

/*
 * Why lines are missing, for people: what to install or to compile how. NULL
 * where every place that was asked for is known. Valid until places_close().
 */
const char *places_missing(const struct places *places);

void places_close(struct places *places);

#endif
