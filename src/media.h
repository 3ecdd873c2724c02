/* media.h: making ranges durable, each in the way of its media */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_MEDIA_H
#define PMEM_MEDIA_H

#include "mapping.h"

#include <stddef.h>

/*
 * All return 0, or -1 with errno and this thread's message set. Where a range
 * has a start and an end, start < end, and end is the byte after the last.
 */

/* Any range, over any number of mappings: starts to make each part durable, as its media wants it. */
int media_flush(uintptr_t address, size_t length);

/* Completes this thread's flushes on every media. */
int media_fence(void);

/* Both in one, on a range that the hot path could not serve. */
int media_persist(uintptr_t address, size_t length);

/*
 * Any range, whatever its media: written by the kernel, with nothing left for
 * the fence. The processor does it only where the kernel refuses (device-dax).
 */
int media_sync(uintptr_t address, size_t length);

/*
 * One file a media. The part of the range that lies in one mapping: flush
 * starts to make it durable, persist leaves no more to do than a CPU fence.
 */
int cpu_flush(struct mapping *mapping, uintptr_t start, uintptr_t end);
int cpu_sync(struct mapping *mapping, uintptr_t start, uintptr_t end);
int page_flush(struct mapping *mapping, uintptr_t start, uintptr_t end);
int page_persist(struct mapping *mapping, uintptr_t start, uintptr_t end);
int fit_flush(struct mapping *mapping, uintptr_t start, uintptr_t end);

/*
 * A part that no mapping of ours covers. The kernel is asked at once; nothing is
 * left for the fence. PMEM_IS_PMEM_FORCE=1 spares unknown_persist() the kernel.
 */
int unknown_persist(uintptr_t start, uintptr_t end);
int unknown_sync(uintptr_t start, uintptr_t end);

/* How many page-cache ranges this thread has flushed and not yet fenced. */
extern _Thread_local unsigned page_pending __attribute__((tls_model("initial-exec")));

/* Makes those ranges durable; none is left, whatever it returns. */
int page_complete(void);

#endif
