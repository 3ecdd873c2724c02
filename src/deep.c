/* deep.c: beyond the persistence domain, to the most reliable place that software can reach */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/arch.h"
#include "arena.h"
#include "cancel.h"
#include "classify.h"
#include "failure.h"
#include "pages.h"
#include "proc.h"
#include "registry.h"
#include "suspect.h"
#include "sysfs.h"

#include <errno.h>
#include <pmem.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The region of a device-dax. With persistent caches (eADR) a persist has left the lines in them. */
static int flush_region(const struct vma *vma, uintptr_t start, uintptr_t end)
{
	char region[SYSFS_PATH_SIZE];
	struct stat status;
	const int fd = vma_open(vma, &status);

	if (fd >= 0)
		close(fd);
	if (fd < 0 ||
	    !sysfs_region(DEVICE_CHARACTER, major(status.st_rdev), minor(status.st_rdev), region, sizeof(region)))
		return fail(ENOTSUP, "%s is in no NVDIMM region that could be flushed deeper", vma->path);
	cpu.persist(start, end);
	if (sysfs_deep_flush(region) < 0)
		return fail(errno, "%s/deep_flush: the data is in the persistence domain, and no deeper: %m", region);
	return 0;
}

/* What pmem_try_persist() has made durable, of one mapping, further. 1 stops the walk; the message is set. */
static int deepen_vma(const struct vma *vma, void *arg)
{
	const uintptr_t *range = arg;
	const uintptr_t start = vma->start > range[0] ? vma->start : range[0];
	const uintptr_t end = vma->end < range[1] ? vma->end : range[1];
	int error;

	if (vma_is_device_dax(vma))
		return flush_region(vma, start, end) < 0;
	error = suspect_msync(start, end);
	if (error)
		return fail_range(error, start, end, "%zu bytes at %p: msync failed: %m", (size_t)(end - start),
				  (void *)start) < 0;
	return 0;
}

/* On the page cache the persist was an msync, and nothing lies deeper. */
static bool is_page_cache(uintptr_t address, size_t length)
{
	const struct mapping *mapping = registry_find(address);

	return mapping && mapping->media == MEDIA_PAGE && mapping_holds(mapping, address, length);
}

int pmem_deep_persist(const void *addr, size_t len)
{
	const uintptr_t address = (uintptr_t)addr;
	int result, cancel;

	/* Where PMEM_IS_PMEM_FORCE=1 spares the kernel, a flush would meet the hole. */
	if (len > 0 && !range_wraps(address, len) && address_range_has_hole(page_down(address), page_up(address + len)))
		return fail_range(ENOMEM, address, address + len,
				  "NOT durable: %zu bytes at %p: not all of it is mapped", len, addr);
	if (pmem_try_persist((void *)address, len) < 0)
		return -1;
	if (len == 0 || is_page_cache(address, len))
		return 0;
	cancel = cancel_forbid();
	result = proc_each_vma(page_down(address), page_up(address + len), VMA_BRIEF, deepen_vma,
			       (uintptr_t[]){page_down(address), page_up(address + len)});
	cancel_allow(cancel);
	if (result < 0)
		return fail(errno,
			    "/proc/self/maps cannot be read: %m; the data is in the persistence domain, and no deeper");
	return result ? -1 : 0;
}
