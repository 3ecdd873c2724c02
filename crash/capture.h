/* capture.h: calling somebody's function and surviving its crash, abort or hang */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_CAPTURE_H
#define PMEM_CRASH_CAPTURE_H

#include <setjmp.h>
#include <stdbool.h>

/* What ended the call. */
struct capture {
	int signal;
	bool hung;
};

/* Handlers for the signals of a crash, and a thread that looks whether a call takes too long. NULL: cannot be had. */
struct watch *watch_start(void);
void watch_stop(struct watch *watch);

/* The signals of a crash end the process, whoever had handlers for them. */
void capture_nothing(void);

/* Where a signal goes back to. */
sigjmp_buf *capture_begin(struct watch *watch, double limit, struct capture *capture);

/* After the call, whichever way it came back. */
void capture_end(struct watch *watch);

/*
 * True at first; false when the code behind it has crashed or taken longer than
 * limit seconds, with the reason in *capture. A macro, since a jump must not go
 * back into a function that has returned. The mask of signals is not saved: the
 * handlers block none.
 */
#define CAPTURE(watch, limit, capture) (sigsetjmp(*capture_begin(watch, limit, capture), 0) == 0)

#endif
