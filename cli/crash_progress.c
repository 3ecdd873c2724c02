/* crash_progress.c: how far pmem crash has come, on a line of stderr */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "crash_progress.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void crash_progress_begin(struct crash_progress *progress, bool asked)
{
	const char *terminal = getenv("TERM");

	progress->terminal = isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
	progress->wanted = progress->terminal || asked;
	progress->shown = false;
	progress->last = -1; /* the first is told at once */
}

void crash_progress_report(const struct progress *now, void *arg)
{
	struct crash_progress *progress = arg;
	char states[32], rate[32];

	if (!progress->wanted || (!progress->terminal && now->seconds - progress->last < 1))
		return;
	progress->last = now->seconds;
	fprintf(stderr, "%s%.0f s: %s states (%s/s), %zu finding%s; trying: %s%s", progress->terminal ? "\r\033[K" : "",
		now->seconds, text_number(now->states, states),
		text_number(now->seconds > 0 ? (size_t)((double)now->states / now->seconds) : 0, rate), now->findings,
		now->findings == 1 ? "" : "s", now->round ? now->round : "", progress->terminal ? "" : "\n");
	progress->shown = true;
	fflush(stderr);
}

void crash_progress_end(struct crash_progress *progress)
{
	if (progress->terminal && progress->shown)
		fputs("\r\033[K", stderr);
}
