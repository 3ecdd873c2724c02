/* memory.h: records what a unit test does to memory of its own, in its own process */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_RECORD_MEMORY_H
#define PMEM_CRASH_RECORD_MEMORY_H

#include "../trace.h"

/*
 * From now on what this process does to [pool, pool + size) is appended to the
 * trace, as pool 0. What the pool holds now counts as told. One recording at a
 * time. False without memory, or while pmem crash records the process itself.
 */
bool memory_start(void *pool, size_t size, uint32_t unit, struct trace *trace);

/* What the test promises the world: a TRACE_OUTPUT. Ignored where nothing is recorded. */
void memory_promise(const void *bytes, size_t length, const void *site);

/*
 * Tells the rest and ends the recording. The hooks go on watching the range for
 * visits (visit.h). False: memory ran out, the trace is not whole.
 */
bool memory_stop(void);

/* The range is nothing to the recorder any more. */
void memory_forget(void);

/* Was some of this process compiled with hooks? */
bool memory_has_hooks(void);

#endif
