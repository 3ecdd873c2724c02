/* media_page.c: the page cache: flushed ranges wait for the fence, which has the kernel write them */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cancel.h"
#include "failure.h"
#include "file.h"
#include "media.h"
#include "pages.h"
#include "proc.h"
#include "registry.h"
#include "suspect.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	RUNS_FIRST = 64,
	RUNS_MAX = 16384, /* beyond this a flush writes at once */
	/*
	 * Two runs become one across a gap of so many pages, so few of which are
	 * dirty: an msync less has the disk empty its cache once less, which takes
	 * as long as many a page, and to look at the gap takes 34 us at the most.
	 */
	GAP_PAGES_MAX = 1024,
	GAP_DIRTY_MAX = 4,
};

/* Adjacent pages of one mapping that one msync will write. */
struct run {
	struct mapping *mapping; /* counted in its pending, which keeps the record */
	uintptr_t start, end;
	unsigned syncs;  /* of the mapping, begun before the last flush into this run */
	int start_error; /* errno value with which starting to write it failed */
};

/* This thread's runs; page_pending says how many. */
static _Thread_local struct {
	struct run *runs;
	unsigned room;
	bool full; /* and merged: it stays so until the fence */
	bool busy; /* a signal handler that finds this set keeps its hands off */
} list __attribute__((tls_model("initial-exec")));

_Thread_local unsigned page_pending __attribute__((tls_model("initial-exec")));

static pthread_key_t list_key;
static bool have_list_key;

/* A thread that ends without a fence: nothing that it flushed is lost. */
static void end_thread(void *runs)
{
	if (page_pending > 0 && page_complete() < 0)
		failure_report();
	list.runs = NULL;
	list.room = 0;
	free(runs);
}

__attribute__((constructor(101))) static void page_start(void)
{
	have_list_key = pthread_key_create(&list_key, end_thread) == 0;
}

/* --- Writing one run ------------------------------------------------------------ */

/* format has the length, the address, the file's path and, by %m, the error. */
__attribute__((format(printf, 3, 0))) static int tell(const struct run *run, int error, const char *format)
{
	char path[PATH_MAX] = "";

	if (run->mapping->file->cursor >= 0)
		proc_descriptor_path(run->mapping->file->cursor, path, sizeof(path));
	return fail_range(error, run->start, run->end, format, (size_t)(run->end - run->start), (void *)run->start,
			  path[0] ? path : "a file");
}

/* The pages are no longer mapped, but what was stored to them is in the page cache still. */
static int sync_unmapped(const struct run *run)
{
	const int error = file_sync_all(run->mapping->file);

	if (error != EBADF)
		return error;
	return run->mapping->syncs_done > run->syncs ? 0 : ENOMEM;
}

/* A part of the mapping may have gone since, by pmem_unmap() (the record knows) or munmap (the kernel does). */
static int sync_mapped(const struct run *run, bool *hole)
{
	const bool cut = run->start < run->mapping->start || run->end > run->mapping->end;
	int error = cut ? ENOMEM : msync_range(run->start, run->end);

	*hole = cut || (error == ENOMEM && range_has_hole(run->start, run->end));
	return error;
}

static void mark_failed(const struct run *run, int error)
{
	registry_lock();
	registry_fail(run->mapping->file, error);
	if (!run->mapping->gone)
		suspect_add(run->start, run->end, error);
	registry_unlock();
}

/*
 * Makes a run durable. 0 or an errno value; a failure of the file is marked,
 * before any thread that persists a mapping of the program's own looks for it.
 * Our own cursor is asked too: somebody else may have had msync's report.
 * Without a cursor the report of an error can be had only once, so that no other
 * thread may msync the file between our msync and our mark.
 */
static int sync_run(const struct run *run, bool flushed_before)
{
	struct mapping *mapping = run->mapping;
	const bool alone = mapping->gone || mapping->file->cursor < 0;
	bool hole = false;
	int error;

	if (alone)
		cursors_lock();
	error = mapping->gone ? sync_unmapped(run) : sync_mapped(run, &hole);
	if (!alone)
		cursors_lock();
	if (hole && flushed_before)
		error = sync_unmapped(run);
	if (error == 0)
		error = run->start_error;
	if (error == 0)
		error = mapping->failed;
	if (error == 0)
		error = file_check(mapping->file);
	if (error != 0 && !(error == ENOMEM && hole))
		mark_failed(run, error);
	cursors_unlock();
	return error;
}

static int persist_run(const struct run *run, bool flushed_before)
{
	int error = run->mapping->failed;

	if (error)
		return tell(run, error,
			    "NOT durable: %zu bytes at %p of %s: an earlier write-back of the file failed (%m); "
			    "unmap it and map it anew");
	suspect_hold();
	error = sync_run(run, flushed_before);
	suspect_release();
	if (error == 0)
		return 0;
	if (error == ENOMEM)
		return tell(run, error, "NOT durable: %zu bytes at %p of %s: not all of it is mapped");
	return tell(run, error, "NOT durable: %zu bytes at %p of %s: %m");
}

int page_persist(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	const struct run run = {.mapping = mapping, .start = page_down(start), .end = page_up(end)};

	return persist_run(&run, false);
}

/* --- The list -------------------------------------------------------------------- */

static bool touches(const struct run *run, const struct run *other)
{
	return run->mapping == other->mapping && other->start <= run->end && run->start <= other->end;
}

/* Takes in a run that touches it. */
static void widen(struct run *run, const struct run *other)
{
	if (other->start < run->start)
		run->start = other->start;
	if (other->end > run->end)
		run->end = other->end;
	if (other->syncs > run->syncs)
		run->syncs = other->syncs;
}

static int by_start(const void *left, const void *right)
{
	const struct run *a = left, *b = right;

	return (a->start > b->start) - (a->start < b->start);
}

/* Sorts, and makes one run of those that overlap or touch; returns how many are left. */
static unsigned merge(void)
{
	unsigned kept = 0;

	if (page_pending < 2)
		return page_pending;
	qsort(list.runs, page_pending, sizeof(list.runs[0]), by_start);
	for (unsigned i = 1; i < page_pending; i++) {
		const struct run *run = &list.runs[i];

		if (touches(&list.runs[kept], run)) {
			widen(&list.runs[kept], run);
			run->mapping->pending--;
		} else {
			list.runs[++kept] = *run;
		}
	}
	page_pending = kept + 1;
	return page_pending;
}

static bool grow(void)
{
	const unsigned room = list.room ? list.room * 2 : RUNS_FIRST;
	struct run *runs;

	if (room > RUNS_MAX || !have_list_key)
		return false;
	runs = realloc(list.runs, room * sizeof(list.runs[0]));
	if (!runs)
		return false;
	list.runs = runs;
	if (pthread_setspecific(list_key, runs) != 0)
		return false;
	list.room = room;
	return true;
}

/* Room for one more run; false if there is no memory, or no end to the list. */
static bool make_room(void)
{
	unsigned used;

	if (page_pending < list.room)
		return true;
	if (list.full)
		return false;
	used = merge();
	list.full = !(list.room > 0 && used <= list.room / 2) && !grow() && used >= list.room;
	return !list.full;
}

static bool note(const struct run *run)
{
	if (page_pending > 0 && touches(&list.runs[page_pending - 1], run)) {
		widen(&list.runs[page_pending - 1], run);
		return true;
	}
	if (!make_room())
		return false;
	run->mapping->pending++;
	list.runs[page_pending++] = *run;
	return true;
}

int page_flush(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	const struct run run = {
		.mapping = mapping,
		.start = page_down(start),
		.end = page_up(end),
		.syncs = mapping->syncs_begun,
	};
	bool noted;

	if (list.busy)
		return page_persist(mapping, start, end);
	list.busy = true;
	noted = note(&run);
	list.busy = false;
	return noted ? 0 : page_persist(mapping, start, end);
}

/* Is it cheaper to write what lies between two runs than to msync each? */
static bool can_span(const struct run *run, const struct run *next)
{
	const struct mapping *mapping = run->mapping;
	const uintptr_t gap = next->start - run->end;

	return next->mapping == mapping && !mapping->gone && gap <= GAP_PAGES_MAX * page_size() &&
	       file_dirty_pages(mapping->file, (off_t)(run->end + mapping->to_offset), (off_t)gap) <= GAP_DIRTY_MAX;
}

/* Of runs that are merged: makes one of those that one msync covers best. */
static void span_gaps(void)
{
	unsigned kept = 0;

	for (unsigned i = 1; i < page_pending; i++) {
		const struct run *run = &list.runs[i];

		if (can_span(&list.runs[kept], run)) {
			widen(&list.runs[kept], run);
			run->mapping->pending--;
		} else {
			list.runs[++kept] = *run;
		}
	}
	page_pending = kept + 1;
}

/*
 * The device writes all runs while the first msync waits. Each run has its own
 * msync all the same: a start makes nothing durable, and it may leave out pages.
 * But it can find errors, and where it gives up a page the msync behind it finds
 * a clean one: what the start returns counts as if msync had.
 */
static void start_writing(void)
{
	for (unsigned i = 0; i < page_pending; i++) {
		struct run *run = &list.runs[i];

		run->start_error = file_start_writing(run->mapping->file, (off_t)(run->start + run->mapping->to_offset),
						      (off_t)(run->end - run->start));
	}
}

int page_complete(void)
{
	int result = 0, error = 0, cancel;

	if (list.busy)
		return 0;
	cancel = cancel_forbid();
	list.busy = true;
	if (merge() > 1)
		span_gaps();
	if (page_pending > 1)
		start_writing();
	for (unsigned i = 0; i < page_pending; i++) {
		const struct run *run = &list.runs[i];

		if (persist_run(run, true) < 0) {
			result = -1;
			error = errno;
		}
		run->mapping->pending--;
	}
	page_pending = 0;
	list.full = false;
	list.busy = false;
	cancel_allow(cancel);
	if (result < 0)
		errno = error;
	return result;
}
