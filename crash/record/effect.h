/* effect.h: a system call that changes a pool or the program's output, as an interposer tells it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *	struct effect effect = effect_begin(fd, site, frame);
 *	result = next(...);
 *	effect_wrote(&effect, bytes, result);
 *
 * Between the two no other thread's event is written, where fd is a pool or the
 * output; everywhere else nothing happens. Every effect is ended by one of the
 * functions below, and none of them changes errno.
 */
#ifndef PMEM_CRASH_EFFECT_H
#define PMEM_CRASH_EFFECT_H

#include "recording.h"

struct effect {
	bool concerns; /* a pool, or the output */
	int identity;  /* identify() */
	int fd;
	int cancel_state; /* of the thread, before */
	uint64_t size;    /* bytes of the file before */
	struct origin origin;
};

struct effect effect_begin(int fd, const void *site, const void *frame);

/* The call wrote at the descriptor's position, or at offset. bytes may be NULL; they are read from the file then. */
void effect_wrote(struct effect *effect, const void *bytes, ssize_t length);
void effect_wrote_at(struct effect *effect, off_t offset, ssize_t length, bool synchronous);

/* The call may have changed anything in the file, its size too. */
void effect_changed(struct effect *effect, bool succeeded);

/* The call has made [offset, offset + length) of the file durable. */
void effect_synced(struct effect *effect, bool succeeded, uint64_t offset, uint64_t length);

/* A sync of everything: all pools are durable. */
struct effect effect_begin_everything(const void *site, const void *frame);
void effect_synced_everything(struct effect *effect, bool succeeded);

/* msync(2): whole pages of what is mapped there are durable. */
struct effect effect_begin_mapped(const void *address, size_t length, const void *site, const void *frame);
void effect_synced_mapped(struct effect *effect, bool succeeded, const void *address, size_t length);

#endif
