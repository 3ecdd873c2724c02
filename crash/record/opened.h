/* opened.h: opening a pool under one of its names */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_OPENED_H
#define PMEM_CRASH_OPENED_H

#include "recording.h"

/*
 * Around a call that opens a pool, and may create or truncate its working file:
 * no event falls between the call and what it does to the pool.
 */
struct opening {
	int pool; /* IDENTITY_OTHER: nothing of this concerns us */
	bool entered;
	const void *site, *frame;
};

struct opening opening_begin(const struct redirection *redirection, const void *site, const void *frame);

/* fd: what was opened, negative if that failed. */
void opening_end(struct opening *opening, int fd);

#endif
