/* media_unknown.c: ranges that the program mapped itself and did not register */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel is asked at the flush already, not at the fence: by then the
 * program may have unmapped the range, and a mapping of another file may stand
 * at its addresses. A registered mapping is known by more than its address.
 */
#include "arch/arch.h"
#include "arena.h"
#include "classify.h"
#include "failure.h"
#include "media.h"
#include "mode.h"
#include "pages.h"
#include "proc.h"
#include "registry.h"
#include "suspect.h"

#include <errno.h>

static int remembered_error(uintptr_t start, uintptr_t end)
{
	int error;

	registry_lock();
	error = suspect_error(start, end);
	registry_unlock();
	return error;
}

/* One mapping inside a range that msync as a whole refused with EINVAL. 0 or an errno value. */
static int persist_vma(const struct vma *vma, void *arg)
{
	const uintptr_t *range = arg;
	const uintptr_t start = vma->start > range[0] ? vma->start : range[0];
	const uintptr_t end = vma->end < range[1] ? vma->end : range[1];

	if (!cpu.proven || !vma_is_device_dax(vma))
		return suspect_msync(start, end);
	cpu.persist(start, end);
	return 0;
}

/* Device-dax has no msync. Everything else in the range has. */
static int persist_each_vma(uintptr_t start, uintptr_t end)
{
	uintptr_t range[] = {start, end};
	const int result = proc_each_vma(start, end, VMA_BRIEF, persist_vma, range);

	return result < 0 ? EINVAL : result;
}

int unknown_sync(uintptr_t start, uintptr_t end)
{
	const uintptr_t first = page_down(start), last = page_up(end);
	int error;

	if (address_range_has_hole(first, last))
		return fail_range(ENOMEM, start, end, "NOT durable: %zu bytes at %p: not all of it is mapped",
				  (size_t)(end - start), (void *)start);
	error = suspect_any() ? remembered_error(first, last) : 0;
	if (error)
		return fail_range(error, start, end,
				  "NOT durable: %zu bytes at %p: an earlier write-back of this file failed (%m); "
				  "pmem_map() or pmem_register() it anew",
				  (size_t)(end - start), (void *)start);
	error = suspect_msync(first, last);
	if (error == EINVAL)
		error = persist_each_vma(first, last);
	if (error == 0)
		return 0;
	return fail_range(error, start, end, "NOT durable: %zu bytes at %p: msync failed: %m", (size_t)(end - start),
			  (void *)start);
}

int unknown_persist(uintptr_t start, uintptr_t end)
{
	if (mode_now() != MODE_FORCE)
		return unknown_sync(start, end);
	cpu.persist(start, end);
	return 0;
}
