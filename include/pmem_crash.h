/* pmem_crash.h: power cuts in a unit test */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A test gives three functions: one that makes a pool, one that changes it, and
 * one that recovers it and checks the result. The second is run once, and every
 * store, flush and fence of it is recorded. Then the third is run on each of the
 * contents that a power cut could have left behind, tens of thousands a second.
 *
 *     static int append(void *pool, size_t size, void *arg)
 *     {
 *             for (uint64_t i = 1; i <= 10; i++) {
 *                     queue_append(pool, i);
 *                     pmem_crash_acknowledge(i);
 *             }
 *             return 0;
 *     }
 *
 *     static int check(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
 *     {
 *             return queue_recover(pool) == 0 && queue_length(pool) >= promises->count ? 0 : 1;
 *     }
 *
 *     const struct pmem_crash_test test = {
 *             .sz = sizeof(test), .name = "append", .pool_size = 65536, .run = append, .check = check,
 *     };
 *     assert(pmem_crash_explore(&test, NULL) == 0);
 *
 * READ THIS FIRST
 *
 * - Link with -lpmem_crash before -lpmem: the flushes of pmem.h and of PMDK's
 *   libpmem.h are seen because they are found there first. `pkg-config --libs
 *   libpmem_crash` has the order.
 * - Compile with "pmem cc" in place of the compiler, and every store is seen with
 *   its source line, in its order, and undoing what recovery did costs no more
 *   than what it did. With a plain compiler stores are found by comparing: lines
 *   are old or new then, and findings name the flush, not the store.
 * - The pool is at the same address in all three functions, so that pointers
 *   into it stay good. Pointers to anything else do not survive a power cut, and
 *   a check that follows one is not told apart from one that may.
 * - The check runs in processes that were forked from the test, many times in
 *   each. What it changes in the pool and in the program's static data is undone
 *   after each time; what it leaves on the heap, in files and in libraries is
 *   not. A check that crashes, aborts or hangs is a finding; one that calls
 *   exit() is too, and slow. PMEM_CRASH_ISOLATED gives each its own process.
 * - A search that did not come to its end is no proof: look at complete.
 *
 * Threads: one exploration at a time in a process. The functions may start
 * threads, which must have ended when they return; their stores are recorded in
 * the order in which they came, and one order is tried.
 */
#ifndef PMEM_CRASH_H
#define PMEM_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What a power cut may leave behind. */
enum pmem_crash_model {
	PMEM_CRASH_X86,  /* of each cache line any prefix of its stores since it was last flushed and fenced */
	PMEM_CRASH_EADR, /* every store at once, in order: persistent caches */
	PMEM_CRASH_PAGE  /* sectors of 512 bytes, in any version since their page was last synced */
};

/* Each check in a process of its own: slower by a factor of 100, and nothing that it leaves behind counts. */
#define PMEM_CRASH_ISOLATED 0x1u
/* No report on stderr. */
#define PMEM_CRASH_QUIET 0x2u

/* What run() had acknowledged before the power cut: the arguments of pmem_crash_acknowledge(), in order. */
struct pmem_crash_promises {
	size_t count;
	const uint64_t *values;
};

struct pmem_crash_test {
	size_t sz;        /* sizeof(struct pmem_crash_test): later versions append members */
	const char *name; /* for the report; NULL: "test" */
	size_t pool_size; /* bytes */

	/* Makes the pool, of zeros at first; all of it counts as durable when it returns. 0, or an error. NULL: zeros. */
	int (*setup)(void *pool, size_t size, void *arg);

	/* Does what a power cut will interrupt. 0, or an error, which ends the test as one that could not run. */
	int (*run)(void *pool, size_t size, void *arg);

	/*
	 * Recovers the pool, as the program would at its next start, and checks it
	 * against what was promised. 0: fine; else a finding with this number.
	 */
	int (*check)(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg);

	void *arg; /* passed on */
	enum pmem_crash_model model;
	unsigned flags;   /* PMEM_CRASH_ISOLATED, PMEM_CRASH_QUIET */
	double budget;    /* seconds; 0: 10 */
	unsigned jobs;    /* processes; 0: one for each processor */
	uint64_t seed;    /* of what is tried by chance */
	const char *html; /* write the report as a page to this file too; NULL: no */
	const char *json; /* and as JSON */
};

struct pmem_crash_summary {
	size_t sz; /* sizeof(struct pmem_crash_summary), set by the caller */
	size_t findings;
	size_t states; /* tried */
	size_t failure_points;
	double seconds; /* of the search */
	bool complete;  /* every planned state was tried */
	bool isolated;  /* each in a process of its own, asked for or because undoing was not possible */
};

/*
 * Runs the test. Findings are told on stderr, in the words of pmem crash.
 *
 * Returns the number of findings, at least 0, or -1 with errno and the reason
 * on stderr: EINVAL (a member of *test makes no sense), ENOMEM, ECANCELED (setup
 * or run returned an error, or the check does not pass without a power cut),
 * EBUSY (another exploration is going on), EACCES and others (a report could
 * not be written).
 * *summary is filled unless it is NULL.
 */
int pmem_crash_explore(const struct pmem_crash_test *test, struct pmem_crash_summary *summary);

/*
 * Called by run(): promises the world something that must survive a power cut
 * from now on. Outside of a recorded run() it does nothing.
 */
void pmem_crash_acknowledge(uint64_t value);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
