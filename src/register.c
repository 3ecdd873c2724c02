/* register.c: mappings of the program's own, and what a mapping is */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arena.h"
#include "cancel.h"
#include "classify.h"
#include "failure.h"
#include "file.h"
#include "pages.h"
#include "proc.h"
#include "registry.h"
#include "suspect.h"

#include <errno.h>
#include <pmem.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int check_call(uintptr_t address, size_t len)
{
	if (len == 0 || range_wraps(address, len))
		return fail(EINVAL, "%zu bytes at %p: empty, or beyond all addresses", len, (void *)address);
	return 0;
}

static struct file *file_of_vma(const struct vma *vma, int *earlier)
{
	struct file *file;
	struct stat status;
	const int fd = vma_open(vma, &status);

	if (fd < 0)
		return file_acquire_unopened(makedev(vma->major, vma->minor), vma->inode, earlier);
	file = file_acquire(fd, &status, earlier);
	close(fd);
	return file;
}

/* The part of a mapping that lies in the range gets a record. 1 without memory. */
static int register_vma(const struct vma *vma, void *arg)
{
	const uintptr_t *range = arg;
	struct mapping *mapping;
	struct verdict verdict;
	int earlier = 0;

	/* Found by no look-up, or not to be read by the processor's flush: the kernel serves it. */
	if (vma->end > ADDRESS_LIMIT || !vma->readable)
		return 0;
	mapping = registry_new();
	if (!mapping)
		return 1;
	classify_vma(vma, &verdict);
	mapping->start = vma->start > range[0] ? vma->start : range[0];
	mapping->end = vma->end < range[1] ? vma->end : range[1];
	mapping->cpu_work = verdict.cpu_work;
	mapping->media = verdict.media;
	mapping->device_dax = verdict.device_dax;
	mapping->to_offset = (uintptr_t)vma->offset - vma->start;
	if (verdict.media == MEDIA_PAGE)
		mapping->file = file_of_vma(vma, &earlier);
	if (earlier)
		registry_fail(mapping->file, earlier);
	if ((verdict.media == MEDIA_PAGE && !mapping->file) || registry_add(mapping) < 0) {
		if (mapping->file)
			file_release(mapping->file);
		registry_discard(mapping);
		return 1;
	}
	return 0;
}

/* The first address in [at, end) that pmem_map() mapped, end if there is none. */
static uintptr_t next_in_arena(uintptr_t at, uintptr_t end)
{
	at = registry_next(at, end);
	while (at < end && !registry_find(at)->in_arena)
		at = registry_next(registry_find(at)->end, end);
	return at;
}

/*
 * Calls each for the parts of a range that pmem_map() did not map, until one
 * returns other than 0. What it did map stays registered, whatever is asked:
 * its records are also how the arena knows which of its addresses are taken.
 */
static int each_foreign_part(uintptr_t start, uintptr_t end, int (*each)(uintptr_t start, uintptr_t end))
{
	uintptr_t from = start, at;
	int result = 0;

	while (result == 0 && from < end) {
		at = next_in_arena(from, end);
		if (from < at)
			result = each(from, at);
		from = at < end ? (uintptr_t)registry_find(at)->end : end;
	}
	return result;
}

static int register_part(uintptr_t start, uintptr_t end)
{
	uintptr_t range[] = {start, end};
	int result;

	if (registry_remove(start, end) < 0)
		return fail(ENOMEM, "no memory to split a registration");
	result = proc_each_vma(start, end, VMA_FLAGS, register_vma, range);
	if (result < 0)
		return fail(errno, "/proc/self/smaps cannot be read: %m");
	if (result > 0)
		return fail(ENOMEM, "no memory to register a mapping");
	suspect_clear(start, end);
	return 0;
}

static int register_range(uintptr_t start, uintptr_t end)
{
	int error;

	if (address_range_has_hole(start, end))
		return fail(ENOMEM, "registering %zu bytes at %p: not all of it is mapped", (size_t)(end - start),
			    (void *)start);
	if (each_foreign_part(start, end, register_part) == 0)
		return 0;
	error = errno;
	each_foreign_part(start, end, registry_remove);
	errno = error;
	return -1;
}

int pmem_register(void *addr, size_t len)
{
	const uintptr_t address = (uintptr_t)addr;
	int result, cancel;

	if (check_call(address, len) < 0)
		return -1;
	cancel = cancel_forbid();
	cursors_lock();
	registry_lock();
	result = register_range(page_down(address), page_up(address + len));
	registry_unlock();
	cursors_unlock();
	cancel_allow(cancel);
	return result;
}

int pmem_unregister(void *addr, size_t len)
{
	const uintptr_t address = (uintptr_t)addr;
	int result, cancel;

	if (check_call(address, len) < 0)
		return -1;
	cancel = cancel_forbid();
	registry_lock();
	result = each_foreign_part(page_down(address), page_up(address + len), registry_remove);
	registry_unlock();
	cancel_allow(cancel);
	return result < 0 ? fail(ENOMEM, "no memory to split a registration") : 0;
}

/* --- Granularity ------------------------------------------------------------------------------ */

static void coarsen(enum pmem_granularity *coarsest, enum pmem_granularity granularity)
{
	if (granularity > *coarsest)
		*coarsest = granularity;
}

static int coarsen_by_vma(const struct vma *vma, void *arg)
{
	struct verdict verdict;

	classify_vma(vma, &verdict);
	coarsen(arg, granularity_of(verdict.media, verdict.cpu_work));
	return 0;
}

/* Where /proc cannot be read, persisting goes through msync: pages, as far as anybody can tell. */
static enum pmem_granularity granularity_of_unknown(uintptr_t start, uintptr_t end)
{
	enum pmem_granularity coarsest = PMEM_GRANULARITY_BYTE;

	if (address_range_has_hole(page_down(start), page_up(end))) {
		errno = ENOMEM;
		return PMEM_GRANULARITY_NONE;
	}
	if (proc_each_vma(start, end, VMA_FLAGS, coarsen_by_vma, &coarsest) < 0)
		return PMEM_GRANULARITY_PAGE;
	return coarsest;
}

enum pmem_granularity pmem_granularity(const void *addr, size_t len)
{
	const uintptr_t address = (uintptr_t)addr;
	enum pmem_granularity coarsest = PMEM_GRANULARITY_BYTE;
	const struct mapping *mapping;
	uintptr_t at = address, end;
	int cancel;

	if (range_wraps(address, len ? len : 1)) {
		errno = ENOMEM;
		return PMEM_GRANULARITY_NONE;
	}
	end = address + (len ? len : 1);
	cancel = cancel_forbid();
	while (at < end) {
		mapping = registry_find(at);
		if (mapping) {
			coarsen(&coarsest, granularity_of(mapping->media, mapping->cpu_work));
			at = mapping->end;
		} else {
			const uintptr_t next = registry_next(at, end);

			coarsen(&coarsest, granularity_of_unknown(at, next));
			at = next;
		}
	}
	cancel_allow(cancel);
	return coarsest;
}
