/* mappings.c: which addresses of this process are pools */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct mapping {
	uintptr_t start, end;
	uint64_t offset;
	uint32_t pool;
	bool tracked;
};

enum { FIRST_ROOM = 4096 / sizeof(struct mapping) };

/* Sorted by address, without overlaps. Under the lock. */
static struct mapping *mappings;
static size_t count, room;
static _Atomic size_t found; /* the last time: a program stays in a mapping for a while */

struct record_bounds record_bounds = {.low = UINTPTR_MAX, .high = 0};

static void set_bounds(void)
{
	record_bounds.high = count ? mappings[count - 1].end : 0;
	record_bounds.low = count ? mappings[0].start : UINTPTR_MAX;
}

/* Two more entries: what an addition or a removal in the middle takes. malloc is the program's. */
static bool make_room(void)
{
	const size_t larger = room ? 2 * room : FIRST_ROOM;
	void *fresh;

	if (count + 2 <= room)
		return true;
	fresh = (void *)syscall(SYS_mmap, NULL, larger * sizeof(mappings[0]), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
	if (fresh == MAP_FAILED)
		return false;
	/* The old table stays: record_load() may be looking at it. */
	if (mappings)
		memcpy(fresh, mappings, count * sizeof(mappings[0]));
	mappings = fresh;
	room = larger;
	return true;
}

/* The first that ends after the address. */
static size_t find(uintptr_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void insert(size_t at, struct mapping mapping)
{
	memmove(&mappings[at + 1], &mappings[at], (count - at) * sizeof(mappings[0]));
	mappings[at] = mapping;
	count++;
}

static void erase(size_t at)
{
	memmove(&mappings[at], &mappings[at + 1], (count - at - 1) * sizeof(mappings[0]));
	count--;
}

void mapping_remove(const void *address, size_t length)
{
	const uintptr_t start = (uintptr_t)address, end = start + length;
	size_t i;

	if (!make_room())
		return;
	i = find(start);
	while (i < count && mappings[i].start < end) {
		const struct mapping old = mappings[i];

		erase(i);
		if (old.start < start)
			insert(i++, (struct mapping){old.start, start, old.offset, old.pool, old.tracked});
		if (old.end > end)
			insert(i++,
			       (struct mapping){end, old.end, old.offset + (end - old.start), old.pool, old.tracked});
	}
	set_bounds();
}

bool mapping_add(const void *address, size_t length, uint32_t pool, uint64_t offset)
{
	const uintptr_t start = (uintptr_t)address;

	mapping_remove(address, length);
	if (!make_room())
		return false;
	insert(find(start), (struct mapping){start, start + length, offset, pool, tracking_begin(address, length)});
	set_bounds();
	return true;
}

bool mapping_find(const void *address, size_t length, struct mapped_part *part)
{
	const uintptr_t wanted = (uintptr_t)address;
	size_t i;
	uintptr_t start, end;

	if (!record_may_touch(address, length))
		return false;
	i = atomic_load_explicit(&found, memory_order_relaxed);
	if (i >= count || wanted < mappings[i].start || wanted >= mappings[i].end) {
		i = find(wanted);
		atomic_store_explicit(&found, i, memory_order_relaxed);
	}
	if (i == count || mappings[i].start >= wanted + length)
		return false;
	start = mappings[i].start > wanted ? mappings[i].start : wanted;
	end = mappings[i].end < wanted + length ? mappings[i].end : wanted + length;
	*part = (struct mapped_part){
		.address = (const unsigned char *)start,
		.length = end - start,
		.offset = mappings[i].offset + (start - mappings[i].start),
		.pool = mappings[i].pool,
	};
	return true;
}

bool mapping_each_tracked(uint32_t pool,
			  bool (*each)(const void *address, size_t length, uint64_t offset, void *argument),
			  void *argument)
{
	for (size_t i = 0; i < count; i++) {
		if (mappings[i].pool == pool && !mappings[i].tracked)
			return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (mappings[i].pool == pool &&
		    !each((const void *)mappings[i].start, mappings[i].end - mappings[i].start, mappings[i].offset,
			  argument))
			return false;
	}
	return true;
}

void mapping_forget_tracking(void)
{
	for (size_t i = 0; i < count; i++)
		mappings[i].tracked = false;
}
