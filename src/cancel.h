/* cancel.h: no function of the library is a cancellation point */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * msync(2), open(2) and others are: a thread that was cancelled in them would
 * take our locks along, and the ranges that it had flushed. So cancellation
 * waits until we are done. The hot path calls nothing that could be cancelled.
 */
#ifndef PMEM_CANCEL_H
#define PMEM_CANCEL_H

#include <pthread.h>

/* Returns what cancel_allow() wants. errno is not touched by either. */
static inline int cancel_forbid(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void cancel_allow(int before)
{
	pthread_setcancelstate(before, NULL);
}

#endif
