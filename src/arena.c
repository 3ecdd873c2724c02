/* arena.c: the part of the address space where pmem_map's mappings live */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arena.h"

#include "pages.h"
#include "registry.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define GIB ((uintptr_t)1 << 30)
#define TIB ((uintptr_t)1 << 40)

#define WINDOW_SIZE GIB

enum {
	WINDOWS_MAX = 8192,
	GRANULES_PER_WINDOW = 1 << (30 - GRANULE_BITS),
};

/*
 * Where the arena may lie, best first: low in the address space, and above
 * every heap.
 *
 * The first fits processors with 47 bits of address for programs and more, and
 * lies above AddressSanitizer's shadow; the second is for ThreadSanitizer and
 * Valgrind, which want low addresses; the third for 39 bits and fewer.
 */
static const struct place {
	uintptr_t base;
	unsigned windows;
} places[] = {
	{.base = 24 * TIB, .windows = WINDOWS_MAX},
	{.base = 256 * GIB, .windows = 192},
	{.base = 32 * GIB, .windows = 24},
};

enum window {
	WINDOW_FRESH,    /* never used */
	WINDOW_RESERVED, /* ours, PROT_NONE where nothing is mapped */
	WINDOW_OPEN,     /* not reserved: large mappings, or no address space to reserve */
};

static const struct place *_Atomic place; /* NULL before the first use */
static _Atomic unsigned char windows[WINDOWS_MAX];
static unsigned windows_seen; /* windows beyond this one are fresh */

/* By a mere hint: ThreadSanitizer turns a fixed address that it does not like into 0, and keeps it fixed. */
static bool can_map_at(uintptr_t address)
{
	void *at = mmap((void *)address, GRANULE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return false;
	munmap(at, GRANULE_SIZE);
	return at == (void *)address;
}

/* Below a third of the address space, where bottom-up placement begins? The first stack lies at the top of it. */
static bool is_low(const struct place *at)
{
	return 3 * (at->base + at->windows * WINDOW_SIZE) <= getauxval(AT_RANDOM);
}

/* The last place is taken if none is good: at worst it refuses every mapping. */
static const struct place *find_place(void)
{
	size_t i = 0;

	while (i + 1 < sizeof(places) / sizeof(places[0]) && !(is_low(&places[i]) && can_map_at(places[i].base)))
		i++;
	return &places[i];
}

static uintptr_t window_start(unsigned window)
{
	return place->base + window * WINDOW_SIZE;
}

static unsigned window_of(uintptr_t address)
{
	return (unsigned)((address - place->base) / WINDOW_SIZE);
}

bool arena_holds(uintptr_t start, uintptr_t end)
{
	return place && start >= place->base && start < end && end <= window_start(place->windows);
}

/* PROT_NONE over a range that is ours, or, with MAP_FIXED_NOREPLACE, nobody's. */
static bool reserve(uintptr_t start, uintptr_t end, int fixed)
{
	void *at =
		mmap((void *)start, end - start, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);

	if (at == MAP_FAILED)
		return false;
	if (at == (void *)start)
		return true;
	munmap(at, end - start); /* before Linux 4.17 NOREPLACE is a hint */
	errno = EEXIST;
	return false;
}

/* Where the program's address space is limited (RLIMIT_AS), a reservation would take from it. */
static bool may_reserve(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

static void open_window(unsigned window)
{
	const uintptr_t start = window_start(window);
	const bool reserved = may_reserve() && reserve(start, start + WINDOW_SIZE, MAP_FIXED_NOREPLACE);

	windows[window] = reserved ? WINDOW_RESERVED : WINDOW_OPEN;
	if (windows_seen <= window)
		windows_seen = window + 1;
}

/* The first run of free granules in a window, the window's end if there is none. */
static uintptr_t find_in_window(unsigned window, size_t granules, uintptr_t from)
{
	const uintptr_t end = window_start(window) + WINDOW_SIZE;
	uintptr_t run = from;

	for (uintptr_t at = from; at < end; at += GRANULE_SIZE) {
		if (!registry_granule_is_free(at))
			run = at + GRANULE_SIZE;
		else if (at + GRANULE_SIZE - run == granules * GRANULE_SIZE)
			return run;
	}
	return end;
}

static bool is_free_for_large(unsigned window)
{
	const uintptr_t start = window_start(window);

	if (windows[window] == WINDOW_RESERVED)
		return false;
	return windows[window] == WINDOW_FRESH || registry_next(start, start + WINDOW_SIZE) == start + WINDOW_SIZE;
}

/*
 * Maps at an address of our choice, never over somebody else's mapping: always
 * into a reservation. (MAP_FIXED_NOREPLACE itself cannot be had together with
 * MAP_SYNC: the kernel takes it for an unknown flag then.)
 */
static void *map_at(uintptr_t address, size_t length, int protection, int flags, int fd, off_t offset)
{
	const bool reserved = windows[window_of(address)] == WINDOW_RESERVED;
	void *at;
	int error;

	if (!reserved && !reserve(address, address + length, MAP_FIXED_NOREPLACE))
		return MAP_FAILED;
	at = mmap((void *)address, length, protection, flags | MAP_FIXED, fd, offset);
	if (at != MAP_FAILED)
		return at;
	error = errno;
	if (reserved)
		reserve(address, address + length, MAP_FIXED); /* some refusals come after the place was cleared */
	else
		munmap((void *)address, length);
	errno = error;
	return MAP_FAILED;
}

static void *map_large(size_t granules, uintptr_t shift, size_t length, int protection, int flags, int fd, off_t offset)
{
	const unsigned needed = (unsigned)((granules + GRANULES_PER_WINDOW - 1) / GRANULES_PER_WINDOW);
	unsigned run = 0;
	void *at;

	for (unsigned window = 0; window < place->windows; window++) {
		run = is_free_for_large(window) ? run + 1 : 0;
		if (run < needed)
			continue;
		for (unsigned i = window + 1 - needed; i <= window; i++)
			windows[i] = WINDOW_OPEN;
		if (windows_seen <= window)
			windows_seen = window + 1;
		at = map_at(window_start(window + 1 - needed) + shift, length, protection, flags, fd, offset);
		if (at != MAP_FAILED || errno != EEXIST)
			return at;
		run = 0;
	}
	errno = ENOMEM;
	return MAP_FAILED;
}

static void *map_in_window(unsigned window, size_t granules, uintptr_t shift, size_t length, int protection, int flags,
			   int fd, off_t offset)
{
	const uintptr_t end = window_start(window) + WINDOW_SIZE;
	uintptr_t from = find_in_window(window, granules, window_start(window));
	void *at;

	while (from < end) {
		at = map_at(from + shift, length, protection, flags, fd, offset);
		if (at != MAP_FAILED || errno != EEXIST)
			return at;
		from = find_in_window(window, granules, from + GRANULE_SIZE);
	}
	errno = EEXIST;
	return MAP_FAILED;
}

static void *map_small(size_t granules, uintptr_t shift, size_t length, int protection, int flags, int fd, off_t offset)
{
	void *at;

	for (unsigned window = 0; window < place->windows; window++) {
		if (windows[window] == WINDOW_FRESH)
			open_window(window);
		at = map_in_window(window, granules, shift, length, protection, flags, fd, offset);
		if (at != MAP_FAILED || errno != EEXIST)
			return at;
	}
	errno = ENOMEM;
	return MAP_FAILED;
}

void *arena_map(size_t length, int protection, int flags, int fd, off_t offset)
{
	const uintptr_t shift = (uintptr_t)offset % GRANULE_SIZE;
	size_t granules;

	if (length > WINDOWS_MAX * WINDOW_SIZE) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (!place)
		place = find_place();
	granules = (length + shift + GRANULE_SIZE - 1) / GRANULE_SIZE;
	if (granules > GRANULES_PER_WINDOW / 2)
		return map_large(granules, shift, length, protection, flags, fd, offset);
	return map_small(granules, shift, length, protection, flags, fd, offset);
}

/* Gives a range inside of one window back to what the window is made of. */
static int unmap_in_window(uintptr_t start, uintptr_t end)
{
	if (windows[window_of(start)] == WINDOW_RESERVED && reserve(start, end, MAP_FIXED))
		return 0;
	return munmap((void *)start, end - start);
}

int arena_unmap(uintptr_t start, uintptr_t end)
{
	while (start < end) {
		const uintptr_t window_end = window_start(window_of(start) + 1);
		const uintptr_t part_end = end < window_end ? end : window_end;

		if (unmap_in_window(start, part_end) < 0)
			return -1;
		start = part_end;
	}
	return 0;
}

/* Does some address of a range that is registered nowhere lie in a window of ours? */
static bool is_partly_reserved(uintptr_t start, uintptr_t end)
{
	uintptr_t at = start > place->base ? start : place->base;

	while (at < end && arena_holds(at, at + 1)) {
		if (windows[window_of(at)] == WINDOW_RESERVED)
			return true;
		at = window_start(window_of(at) + 1);
	}
	return false;
}

bool address_range_has_hole(uintptr_t start, uintptr_t end)
{
	const struct mapping *mapping;
	uintptr_t at = start, next;

	if (range_has_hole(start, end))
		return true;
	while (place && at < end) {
		next = registry_next(at, end);
		if (next > at && is_partly_reserved(at, next))
			return true;
		mapping = next < end ? registry_find(next) : NULL;
		at = mapping ? (uintptr_t)mapping->end : end;
	}
	return false;
}

/*
 * Removes what is no longer mapped of a range. What can be reserved is free
 * from end to end; otherwise the holes are in one half, or the other, or both.
 */
static void remove_holes(uintptr_t start, uintptr_t end, uintptr_t page)
{
	uintptr_t middle;

	if (!range_has_hole(start, end))
		return;
	if (reserve(start, end, MAP_FIXED_NOREPLACE)) {
		registry_remove(start, end);
		if (windows[window_of(start)] != WINDOW_RESERVED)
			munmap((void *)start, end - start);
		return;
	}
	if (end - start <= page) {
		registry_remove(start, end);
		return;
	}
	middle = start + (end - start) / 2 / page * page;
	remove_holes(start, middle, page);
	remove_holes(middle, end, page);
}

static void reap_window(unsigned window)
{
	const uintptr_t limit = window_start(window) + WINDOW_SIZE;
	const uintptr_t page = page_size();
	uintptr_t at = registry_next(window_start(window), limit), end;

	while (at < limit) {
		end = registry_find(at)->end;
		remove_holes(at, end, page);
		at = registry_next(end, limit);
	}
}

void arena_reap(void)
{
	for (unsigned window = 0; window < windows_seen; window++) {
		const uintptr_t start = window_start(window);

		if (windows[window] != WINDOW_RESERVED || range_has_hole(start, start + WINDOW_SIZE))
			reap_window(window);
	}
	registry_reap();
}
