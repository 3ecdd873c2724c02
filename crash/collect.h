/* collect.h: brings what recorders have written into a trace */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_COLLECT_H
#define PMEM_CRASH_COLLECT_H

#include "session.h"

/* Moves all that is in the ring to the end of the trace. False: the trace would be too long. */
bool collect_ring(struct session *session, struct trace *trace);

/*
 * The recorded processes are no more: what they had not told is found in the
 * working files and in the output, and told in their place. False without memory.
 */
bool collect_rest(struct session *session, struct trace *trace, const char *output, size_t output_length);

#endif
