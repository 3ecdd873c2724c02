/* suspect.c: files whose write-back failed, for mappings that nobody registered */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "suspect.h"

#include "pages.h"
#include "proc.h"
#include "registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { SUSPECTS_MAX = 128 };

struct suspect {
	unsigned major, minor;
	ino_t inode;
	int error;
};

static struct suspect suspects[SUSPECTS_MAX];
static _Atomic unsigned count;

/* More files than there is room for, or one that /proc could not name: all are suspect, for good. */
static _Atomic int everything;

bool suspect_any(void)
{
	return atomic_load(&count) > 0 || atomic_load(&everything) != 0;
}

static struct suspect *find(const struct vma *vma)
{
	for (unsigned i = 0; i < count; i++) {
		if (suspects[i].major == vma->major && suspects[i].minor == vma->minor &&
		    suspects[i].inode == vma->inode)
			return &suspects[i];
	}
	return NULL;
}

struct failed_range {
	int error;
	bool named; /* /proc knew a file in it */
};

static int remember(const struct vma *vma, void *arg)
{
	struct failed_range *range = arg;

	if (vma->inode == 0 || !vma->shared)
		return 0;
	range->named = true;
	if (find(vma))
		return 0;
	if (count == SUSPECTS_MAX) {
		atomic_store(&everything, range->error);
		return 0;
	}
	suspects[count] = (struct suspect){
		.major = vma->major,
		.minor = vma->minor,
		.inode = vma->inode,
		.error = range->error,
	};
	count++;
	return 0;
}

static int mark_if_suspect(const struct vma *vma, void *arg)
{
	const struct suspect *suspect = find(vma);
	struct mapping *mapping;
	uintptr_t at;

	(void)arg;
	if (!suspect)
		return 0;
	at = registry_next(vma->start, vma->end);
	mapping = at < vma->end ? registry_find(at) : NULL;
	if (mapping && mapping->file)
		registry_fail(mapping->file, suspect->error);
	return 0;
}

void suspect_add(uintptr_t start, uintptr_t end, int error)
{
	struct failed_range range = {.error = error};

	proc_each_vma(start, end, VMA_BRIEF, remember, &range);
	if (!range.named)
		atomic_store(&everything, error);
	proc_each_vma(0, UINTPTR_MAX, VMA_BRIEF, mark_if_suspect, NULL);
}

static int error_of(const struct vma *vma, void *arg)
{
	const struct suspect *suspect = find(vma);

	(void)arg;
	return suspect ? suspect->error : 0;
}

int suspect_error(uintptr_t start, uintptr_t end)
{
	const int result = proc_each_vma(start, end, VMA_BRIEF, error_of, NULL);

	return result > 0 ? result : atomic_load(&everything);
}

/* --- Reports that are on their way ---------------------------------------------- */

/* Those who wait come before those who want to hold anew: a wait is for one msync, not for a stream of them. */
static const pthread_rwlock_t fresh_reports = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t reports = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

void suspect_hold(void)
{
	pthread_rwlock_rdlock(&reports);
}

void suspect_release(void)
{
	pthread_rwlock_unlock(&reports);
}

/* A child has none of the threads that held. */
static void after_fork_in_child(void)
{
	reports = fresh_reports;
}

__attribute__((constructor(101))) static void suspect_start(void)
{
	pthread_atfork(NULL, NULL, after_fork_in_child);
}

/* Until every report that was taken before this call is marked. */
static void wait_for_reports(void)
{
	pthread_rwlock_wrlock(&reports);
	pthread_rwlock_unlock(&reports);
}

static int msync_and_mark(uintptr_t start, uintptr_t end)
{
	int error;

	suspect_hold();
	error = msync_range(start, end);
	if (error != 0 && error != EINVAL && !(error == ENOMEM && range_has_hole(start, end))) {
		registry_lock();
		suspect_add(start, end, error);
		registry_unlock();
	}
	suspect_release();
	return error;
}

int suspect_msync(uintptr_t start, uintptr_t end)
{
	int error = msync_and_mark(start, end);

	if (error != 0)
		return error;
	wait_for_reports();
	if (!suspect_any())
		return 0;
	registry_lock();
	error = suspect_error(start, end);
	registry_unlock();
	return error;
}

static int forget(const struct vma *vma, void *arg)
{
	struct suspect *suspect = find(vma);

	(void)arg;
	if (suspect) {
		count--;
		*suspect = suspects[count];
	}
	return 0;
}

void suspect_clear(uintptr_t start, uintptr_t end)
{
	if (suspect_any())
		proc_each_vma(start, end, VMA_BRIEF, forget, NULL);
}
