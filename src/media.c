/* media.c: a range over mappings of any media, each part in its own way */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "media.h"

#include "arch/arch.h"
#include "cancel.h"
#include "failure.h"
#include "pages.h"
#include "registry.h"

#include <errno.h>

struct ways {
	int (*flush)(struct mapping *mapping, uintptr_t start, uintptr_t end);
	int (*persist)(struct mapping *mapping, uintptr_t start, uintptr_t end);
	int (*sync)(struct mapping *mapping, uintptr_t start, uintptr_t end);
};

enum way { WAY_FLUSH, WAY_PERSIST, WAY_SYNC };

static const struct ways ways_of[] = {
	[MEDIA_PM] = {.flush = cpu_flush, .persist = cpu_flush, .sync = cpu_sync},
	[MEDIA_VOLATILE] = {.flush = cpu_flush, .persist = cpu_flush, .sync = cpu_sync},
	[MEDIA_PAGE] = {.flush = page_flush, .persist = page_persist, .sync = page_persist},
	[MEDIA_FIT] = {.flush = fit_flush, .persist = fit_flush, .sync = fit_flush},
};

static int do_mapping(struct mapping *mapping, uintptr_t start, uintptr_t end, enum way way)
{
	const struct ways *ways = &ways_of[mapping->media];

	if (way == WAY_FLUSH)
		return ways->flush(mapping, start, end);
	return (way == WAY_PERSIST ? ways->persist : ways->sync)(mapping, start, end);
}

/* The part of [start, end) that begins at start and is of one mapping, or of none; tells where it ends. */
static int do_part(uintptr_t start, uintptr_t end, enum way way, uintptr_t *part_end)
{
	struct mapping *mapping = registry_find(start);
	uintptr_t mapping_end;

	if (!mapping) {
		*part_end = registry_next(start, end);
		return (way == WAY_SYNC ? unknown_sync : unknown_persist)(start, *part_end);
	}
	mapping_end = atomic_load_explicit(&mapping->end, memory_order_relaxed);
	*part_end = mapping_end < end ? mapping_end : end;
	return do_mapping(mapping, start, *part_end, way);
}

/* Goes on after a part that failed, so that what can be durable becomes so; the last failure is told. */
static int do_range(uintptr_t address, size_t length, enum way way)
{
	int result = 0, error = 0, cancel;
	uintptr_t part_end;

	if (length == 0)
		return 0;
	if (range_wraps(address, length))
		return fail_range(EINVAL, address, address,
				  "NOT durable: %zu bytes at %p wrap around the address space", length,
				  (void *)address);
	cancel = cancel_forbid();
	for (uintptr_t at = address; at < address + length; at = part_end) {
		if (do_part(at, address + length, way, &part_end) < 0) {
			result = -1;
			error = errno;
		}
	}
	cancel_allow(cancel);
	if (result < 0)
		errno = error;
	return result;
}

int media_flush(uintptr_t address, size_t length)
{
	return do_range(address, length, WAY_FLUSH);
}

int media_fence(void)
{
	cpu.fence();
	return page_pending ? page_complete() : 0;
}

int media_persist(uintptr_t address, size_t length)
{
	const int result = do_range(address, length, WAY_PERSIST);
	const int error = errno;

	if (length == 0)
		return 0;
	if (media_fence() < 0)
		return -1;
	errno = error;
	return result;
}

int media_sync(uintptr_t address, size_t length)
{
	return do_range(address, length, WAY_SYNC);
}
