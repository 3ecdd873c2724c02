/* registry.c: address to mapping, without a lock */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "registry.h"

#include "file.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

_Atomic(granule_entry *) registry_root[ROOT_ENTRIES];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct mapping *in_use;
static struct mapping *gone; /* unmapped; pending ranges may still refer to them */
static struct mapping *spare;

void registry_lock(void)
{
	pthread_mutex_lock(&mutex);
}

void registry_unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

/*
 * A child must not inherit a lock that a thread of its parent held, nor an error
 * cursor. A new cursor does not tell of what the kernel has told somebody
 * already, so that this is found out now.
 */
static void before_fork(void)
{
	cursors_lock();
	registry_lock();
	file_check_all(registry_fail);
}

static void after_fork_in_parent(void)
{
	registry_unlock();
	cursors_unlock();
}

static void after_fork_in_child(void)
{
	file_after_fork();
	registry_unlock();
	cursors_unlock();
}

__attribute__((constructor(101))) static void registry_start(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static granule_entry *new_table(size_t entries)
{
	void *table = mmap(NULL, entries * sizeof(granule_entry), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return table == MAP_FAILED ? NULL : table;
}

/* The leaf's entry for an address; NULL without a leaf, unless one could be made. */
static granule_entry *granule_of(uintptr_t address, bool make)
{
	_Atomic(granule_entry *) *root = &registry_root[address >> LEAF_BITS];
	granule_entry *leaf = atomic_load_explicit(root, memory_order_relaxed);

	if (!leaf && make) {
		leaf = new_table(LEAF_ENTRIES);
		atomic_store_explicit(root, leaf, memory_order_release);
	}
	return leaf ? &leaf[(address >> GRANULE_BITS) % LEAF_ENTRIES] : NULL;
}

static uintptr_t granule_start(uintptr_t address)
{
	return address & ~(GRANULE_SIZE - 1);
}

static void set_pages(granule_entry *pages, uintptr_t granule_at, uintptr_t start, uintptr_t end, uintptr_t entry)
{
	const uintptr_t first = start > granule_at ? start - granule_at : 0;
	const uintptr_t last = end - granule_at < GRANULE_SIZE ? end - granule_at : GRANULE_SIZE;

	for (uintptr_t page = first >> PAGE_BITS; page < last >> PAGE_BITS; page++)
		atomic_store_explicit(&pages[page], entry, memory_order_release);
}

/* Turns a granule's one entry into a table of pages that says the same. */
static granule_entry *split_granule(granule_entry *granule, uintptr_t granule_at)
{
	const uintptr_t entry = atomic_load_explicit(granule, memory_order_relaxed);
	const struct mapping *mapping = (const struct mapping *)entry;
	granule_entry *pages;

	if (entry & ENTRY_IS_PAGES)
		return (granule_entry *)(entry - ENTRY_IS_PAGES);
	pages = new_table(PAGE_ENTRIES);
	if (!pages)
		return NULL;
	if (mapping)
		set_pages(pages, granule_at, mapping->start, mapping->end, entry);
	atomic_store_explicit(granule, (uintptr_t)pages | ENTRY_IS_PAGES, memory_order_release);
	return pages;
}

/* May one entry speak for the granule, the part outside of [start, end) being nobody's? */
static bool needs_pages(granule_entry *granule, uintptr_t granule_at, uintptr_t start, uintptr_t end, bool in_arena)
{
	const uintptr_t entry = atomic_load_explicit(granule, memory_order_relaxed);

	if (entry & ENTRY_IS_PAGES)
		return true;
	return !in_arena && (start > granule_at || end - granule_at < GRANULE_SIZE);
}

/* All tables that a change of [start, end) needs, so that the change itself cannot fail. */
static int prepare_tables(uintptr_t start, uintptr_t end, bool in_arena)
{
	for (uintptr_t at = granule_start(start); at < end; at += GRANULE_SIZE) {
		granule_entry *granule = granule_of(at, true);

		if (!granule)
			return -1;
		if (needs_pages(granule, at, start, end, in_arena) && !split_granule(granule, at))
			return -1;
	}
	return 0;
}

/* After prepare_tables() on the same range. */
static void set_entries(uintptr_t start, uintptr_t end, struct mapping *mapping)
{
	for (uintptr_t at = granule_start(start); at < end; at += GRANULE_SIZE) {
		granule_entry *granule = granule_of(at, false);
		const uintptr_t old = atomic_load_explicit(granule, memory_order_relaxed);

		if (old & ENTRY_IS_PAGES)
			set_pages((granule_entry *)(old - ENTRY_IS_PAGES), at, start, end, (uintptr_t)mapping);
		else
			atomic_store_explicit(granule, (uintptr_t)mapping, memory_order_release);
	}
}

/* The first address after the entry that speaks for this one. */
static uintptr_t after_entry(uintptr_t address)
{
	granule_entry *granule = granule_of(address, false);
	unsigned bits = GRANULE_BITS;

	if (!granule)
		bits = LEAF_BITS;
	else if (atomic_load_explicit(granule, memory_order_relaxed) & ENTRY_IS_PAGES)
		bits = PAGE_BITS;
	return ((address >> bits) + 1) << bits;
}

uintptr_t registry_next(uintptr_t address, uintptr_t limit)
{
	const struct mapping *mapping;
	uintptr_t start;

	while (address < limit && !(address >> ADDRESS_BITS)) {
		mapping = registry_entry(address);
		if (mapping) {
			start = atomic_load_explicit(&mapping->start, memory_order_relaxed);
			if (mapping_holds(mapping, address, 1))
				return address;
			if (start > address && start < limit && start < after_entry(address))
				return start;
		}
		address = after_entry(address);
	}
	return limit;
}

struct mapping *registry_new(void)
{
	struct mapping *mapping = spare;

	if (!mapping)
		return calloc(1, sizeof(*mapping));
	spare = mapping->next;
	mapping->next = NULL;
	return mapping;
}

/* Field by field: a look-up that comes late may be reading. */
void registry_discard(struct mapping *mapping)
{
	atomic_store(&mapping->cpu_work, CPU_NOT_ENOUGH);
	atomic_store(&mapping->end, 0);
	atomic_store(&mapping->start, 0);
	atomic_store(&mapping->failed, 0);
	atomic_store(&mapping->gone, false);
	mapping->device_dax = false;
	mapping->in_arena = false;
	mapping->unit = 0;
	atomic_store(&mapping->syncs_begun, 0);
	atomic_store(&mapping->syncs_done, 0);
	mapping->file = NULL;
	mapping->behind = 0;
	mapping->next = spare;
	spare = mapping;
}

static void link_into(struct mapping **list, struct mapping *mapping)
{
	mapping->previous = NULL;
	mapping->next = *list;
	if (*list)
		(*list)->previous = mapping;
	*list = mapping;
}

static void unlink_from(struct mapping **list, struct mapping *mapping)
{
	if (mapping->next)
		mapping->next->previous = mapping->previous;
	if (mapping->previous)
		mapping->previous->next = mapping->next;
	else
		*list = mapping->next;
}

int registry_add(struct mapping *mapping)
{
	const uintptr_t start = mapping->start, end = mapping->end;

	if (prepare_tables(start, end, mapping->in_arena) < 0)
		return -1;
	set_entries(start, end, mapping);
	link_into(&in_use, mapping);
	return 0;
}

static bool is_empty(const granule_entry *pages)
{
	size_t i = 0;

	while (i < PAGE_ENTRIES && atomic_load_explicit(&pages[i], memory_order_relaxed) == 0)
		i++;
	return i == PAGE_ENTRIES;
}

bool registry_granule_is_free(uintptr_t address)
{
	granule_entry *granule = granule_of(address, false);
	const uintptr_t entry = granule ? atomic_load_explicit(granule, memory_order_relaxed) : 0;

	return entry & ENTRY_IS_PAGES ? is_empty((granule_entry *)(entry - ENTRY_IS_PAGES)) : entry == 0;
}

/* The part of a record that lies in a range. */
struct part {
	uintptr_t start, end;
	bool whole;  /* it is all of the record */
	bool splits; /* the record goes on at both sides */
};

static struct part part_in(const struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	const uintptr_t from = mapping->start > start ? mapping->start : start;
	const uintptr_t to = mapping->end < end ? mapping->end : end;

	return (struct part){
		.start = from,
		.end = to,
		.whole = from == mapping->start && to == mapping->end,
		.splits = from > mapping->start && to < mapping->end,
	};
}

/* The part of a record behind a hole gets a record of its own, with all that the first knows. */
static void split_tail(struct mapping *mapping, uintptr_t at, struct mapping *tail)
{
	tail->start = at;
	tail->end = (uintptr_t)mapping->end;
	tail->media = mapping->media;
	tail->device_dax = mapping->device_dax;
	tail->in_arena = mapping->in_arena;
	tail->unit = mapping->unit;
	tail->failed = (int)mapping->failed;
	tail->file = mapping->file;
	tail->behind = mapping->behind;
	tail->cpu_work = (enum cpu_work)mapping->cpu_work;
	if (tail->file)
		tail->file->mappings++;
	set_entries(tail->start, tail->end, tail);
	link_into(&in_use, tail);
}

/* Takes a part out of its record; everything that this needs is there. */
static void cut(struct mapping *mapping, const struct part *part)
{
	if (mapping->behind)
		munmap((void *)(part->start + mapping->behind), part->end - part->start);
	if (part->splits)
		split_tail(mapping, part->end, registry_new());
	set_entries(part->start, part->end, NULL);
	if (part->whole) {
		mapping->gone = true;
		unlink_from(&in_use, mapping);
		link_into(&gone, mapping);
	} else if (part->start == mapping->start) {
		mapping->start = part->end;
	} else {
		mapping->end = part->start;
	}
}

/* Tables, and a record for a tail: after this the cut cannot fail. */
static int prepare_cut(const struct mapping *mapping, const struct part *part)
{
	struct mapping *tail;

	if (prepare_tables(part->start, part->end, part->whole && mapping->in_arena) < 0)
		return -1;
	if (!part->splits)
		return 0;
	tail = registry_new();
	if (!tail)
		return -1;
	registry_discard(tail);
	return 0;
}

int registry_remove(uintptr_t start, uintptr_t end)
{
	struct mapping *mapping;
	struct part part;

	for (uintptr_t at = registry_next(start, end); at < end; at = registry_next(part.end, end)) {
		mapping = registry_find(at);
		part = part_in(mapping, start, end);
		if (prepare_cut(mapping, &part) < 0)
			return -1;
	}
	for (uintptr_t at = registry_next(start, end); at < end; at = registry_next(part.end, end)) {
		mapping = registry_find(at);
		part = part_in(mapping, start, end);
		cut(mapping, &part);
	}
	registry_reap();
	return 0;
}

void registry_reap(void)
{
	struct mapping *mapping, *next;

	for (mapping = gone; mapping; mapping = next) {
		next = mapping->next;
		if (mapping->pending > 0)
			continue;
		unlink_from(&gone, mapping);
		if (mapping->file)
			file_release(mapping->file);
		registry_discard(mapping);
	}
}

void registry_fail(const struct file *file, int error)
{
	struct mapping *const lists[] = {in_use, gone};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (struct mapping *mapping = lists[i]; mapping; mapping = mapping->next) {
			if (mapping->file == file && mapping->failed == 0)
				mapping->failed = error;
		}
	}
}
