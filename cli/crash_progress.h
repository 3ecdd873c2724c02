/* crash_progress.h: how far pmem crash has come, on a line of stderr */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_PROGRESS_H
#define PMEM_CRASH_PROGRESS_H

#include "result.h"

struct crash_progress {
	bool wanted;
	bool terminal; /* one line, written again and again; else a line each second */
	bool shown;
	double last; /* seconds */
};

/* Quiet where stderr is no terminal, unless asked for. */
void crash_progress_begin(struct crash_progress *progress, bool asked);

/* arg: a struct crash_progress. */
void crash_progress_report(const struct progress *now, void *arg);

/* The line is gone. */
void crash_progress_end(struct crash_progress *progress);

#endif
