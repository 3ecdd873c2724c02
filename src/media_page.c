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
};

/* Adjacent pages of one mapping that one msync will write. */
struct run {
	struct mapping *mapping; /* counted in its pending, which keeps the record */
	uintptr_t start, end;
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
__attribute__((format(printf, 5, 0))) static int tell(const struct mapping *mapping, uintptr_t start, uintptr_t end,
						      int error, const char *format)
{
	char path[PATH_MAX] = "";

	if (mapping->file->cursor >= 0)
		proc_descriptor_path(mapping->file->cursor, path, sizeof(path));
	return fail_range(error, start, end, format, (size_t)(end - start), (void *)start, path[0] ? path : "a file");
}

/* The pages are no longer mapped, but what was stored to them is in the page cache still. */
static int sync_unmapped(const struct mapping *mapping)
{
	const int error = file_sync_all(mapping->file);

	if (error != EBADF)
		return error;
	return mapping->synced ? 0 : ENOMEM;
}

/* A part of the mapping may have gone since, by pmem_unmap() (the record knows) or munmap (the kernel does). */
static int sync_mapped(const struct mapping *mapping, uintptr_t start, uintptr_t end, bool *hole)
{
	const bool cut = start < mapping->start || end > mapping->end;
	int error = cut ? ENOMEM : msync_range(start, end);

	*hole = cut || (error == ENOMEM && range_has_hole(start, end));
	return error;
}

static void mark_failed(const struct mapping *mapping, uintptr_t start, uintptr_t end, int error)
{
	registry_lock();
	registry_fail(mapping->file, error);
	if (!mapping->gone)
		suspect_add(start, end, error);
	registry_unlock();
}

/*
 * Makes a run durable. 0 or an errno value; a failure of the file is marked,
 * before any thread that persists a mapping of the program's own looks for it.
 * Our own cursor is asked too: somebody else may have had msync's report.
 * Without a cursor the report of an error can be had only once, so that no other
 * thread may msync the file between our msync and our mark.
 */
static int sync_run(struct mapping *mapping, uintptr_t start, uintptr_t end, bool flushed_before)
{
	const bool alone = mapping->gone || mapping->file->cursor < 0;
	bool hole = false;
	int error;

	if (alone)
		cursors_lock();
	error = mapping->gone ? sync_unmapped(mapping) : sync_mapped(mapping, start, end, &hole);
	if (!alone)
		cursors_lock();
	if (hole && flushed_before)
		error = sync_unmapped(mapping);
	if (error == 0)
		error = mapping->failed;
	if (error == 0)
		error = file_check(mapping->file);
	if (error != 0 && !(error == ENOMEM && hole))
		mark_failed(mapping, start, end, error);
	cursors_unlock();
	return error;
}

static int persist_run(struct mapping *mapping, uintptr_t start, uintptr_t end, bool flushed_before)
{
	int error = mapping->failed;

	if (error)
		return tell(mapping, start, end, error,
			    "NOT durable: %zu bytes at %p of %s: an earlier write-back of the file failed (%m); "
			    "unmap it and map it anew");
	suspect_hold();
	error = sync_run(mapping, start, end, flushed_before);
	suspect_release();
	if (error == 0)
		return 0;
	if (error == ENOMEM)
		return tell(mapping, start, end, error, "NOT durable: %zu bytes at %p of %s: not all of it is mapped");
	return tell(mapping, start, end, error, "NOT durable: %zu bytes at %p of %s: %m");
}

int page_persist(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	return persist_run(mapping, page_down(start), page_up(end), false);
}

/* --- The list -------------------------------------------------------------------- */

static bool touches(const struct run *run, const struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	return run->mapping == mapping && start <= run->end && run->start <= end;
}

static void widen(struct run *run, uintptr_t start, uintptr_t end)
{
	if (start < run->start)
		run->start = start;
	if (end > run->end)
		run->end = end;
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

		if (touches(&list.runs[kept], run->mapping, run->start, run->end)) {
			widen(&list.runs[kept], run->start, run->end);
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

static bool note(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	if (page_pending > 0 && touches(&list.runs[page_pending - 1], mapping, start, end)) {
		widen(&list.runs[page_pending - 1], start, end);
		return true;
	}
	if (!make_room())
		return false;
	mapping->pending++;
	list.runs[page_pending++] = (struct run){.mapping = mapping, .start = start, .end = end};
	return true;
}

int page_flush(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	bool noted;

	if (list.busy)
		return page_persist(mapping, start, end);
	list.busy = true;
	noted = note(mapping, page_down(start), page_up(end));
	list.busy = false;
	return noted ? 0 : page_persist(mapping, start, end);
}

int page_complete(void)
{
	int result = 0, error = 0, cancel;

	if (list.busy)
		return 0;
	cancel = cancel_forbid();
	list.busy = true;
	merge();
	for (unsigned i = 0; i < page_pending; i++) {
		const struct run *run = &list.runs[i];

		if (persist_run(run->mapping, run->start, run->end, true) < 0) {
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
