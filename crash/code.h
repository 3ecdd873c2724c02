/* code.h: which file of machine code an address of a recorded process lies in */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_CODE_H
#define PMEM_CRASH_CODE_H

#include "trace.h"

struct code;

/* Collects what the trace tells of mapped code. NULL without memory. */
struct code *code_open(const struct trace *trace);

/*
 * The file that an event's site lies in, and the address there as the file
 * itself counts: of the instruction that the site returns behind. The path is
 * valid until code_close(). NULL where not known.
 */
const char *code_find(const struct code *code, const struct trace_event *event, uint64_t *address);

void code_close(struct code *code);

#endif
