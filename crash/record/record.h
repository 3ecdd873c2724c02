/* record.h: what the parts of the recorder tell each other */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The recorder lives inside the recorded program. Its interposers (of pmem.h's
 * and PMDK's functions and of the C library's) and the compiler's hooks report
 * here; here the pools' mappings are known, contents compared with the shadow,
 * and events written.
 *
 * All functions may be called from any thread and in signal handlers. site is
 * the return address in the program's code. What is reported while the thread
 * is in the recorder already is not the program's doing, and ignored.
 */
#ifndef PMEM_CRASH_RECORD_H
#define PMEM_CRASH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All mapped pools lie in [low, high); low is UINTPTR_MAX while nothing is recorded. For hooks, before anything else.
 */
struct record_bounds {
	uintptr_t low, high;
};
extern struct record_bounds record_bounds;

/* May [address, address + size) touch a pool? Most of a program's accesses do not. */
static inline bool record_may_touch(const void *address, size_t size)
{
	return (uintptr_t)address < record_bounds.high && (uintptr_t)address + size > record_bounds.low;
}

/*
 * The thread is inside the recorder until record_leave(); false if it was there
 * already, and then what it does is not the program's and not recorded.
 */
bool record_enter(void);
void record_leave(void);

/*
 * The code at site is about to store to [address, address + size). What it
 * stores is read at this thread's next event, or any that comes first.
 * flags: STORE_UNORDERED or 0.
 */
void record_before_store(const void *address, size_t size, unsigned flags, const void *site);

/* The code at site has stored, or is the cause that the kernel has. flags: of TRACE_STORE. */
void record_stored(const void *address, size_t size, unsigned flags, const void *site);

/* The code at site has read. */
void record_load(const void *address, size_t size, const void *site);

/* The recorder is about to store there itself: what the program has stored to these units is told before. */
void record_observe(const void *address, size_t size, const void *site);

/*
 * The range is on its way; ordered: as by clflush. Contents are compared with the shadow first.
 * Returns whether some of the range is in a pool.
 */
bool record_flush(const void *address, size_t size, bool ordered, const void *site);

/* A flush of the range and a fence: nothing of the program comes between. Returns as record_flush(). */
bool record_persist(const void *address, size_t size, const void *site);

/* The thread's flushes are complete. */
void record_fence(const void *site);

/* A locked instruction: from begin to end no other thread's event comes between; it is a fence too. */
void record_atomic_begin(const void *address, size_t size, const void *site);
void record_atomic_end(const void *address, size_t size, bool stored, const void *site);

/* The store that the thread has announced is made: it is told now. Before the thread or the process ends, or waits. */
void record_settle(void);

/* The thread has executed a locked instruction somewhere: a fence for what it has flushed. */
void record_locked_instruction(const void *site);

/* Is some of the range in a pool, and recorded? */
bool record_covers(const void *address, size_t size);

/* Is it pmem crash that records, and not a unit test? */
bool record_is_session(void);

/* For people: something that the recorder does not see, or has changed. A literal; told once by each process. */
void record_remark(const char *text);

/* This process was compiled with hooks: every store should be seen. */
void record_instrumented(void);

#endif
