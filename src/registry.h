/* registry.h: address to mapping, without a lock */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A radix tree over the 48 bits of address that user programs have: a root of
 * 16 GiB steps, leaves of 2 MiB granules, and, in granules that several
 * mappings share, a table of pages. pmem_map's own mappings have their granules
 * to themselves, so that their look-up is two loads. Tables appear when they
 * are needed and stay.
 *
 * An entry speaks for a whole granule or page; whether the address lies in the
 * mapping is for the reader to compare. Not found always means "ask the kernel",
 * never "persistent memory".
 */
#ifndef PMEM_REGISTRY_H
#define PMEM_REGISTRY_H

#include "mapping.h"

#include <stddef.h>

enum {
	ADDRESS_BITS = 48,
	LEAF_BITS = 34,    /* address bits that one leaf covers */
	GRANULE_BITS = 21, /* 2 MiB: a huge page */
	PAGE_BITS = 12,    /* the smallest page of any processor */
	LEAF_ENTRIES = 1 << (LEAF_BITS - GRANULE_BITS),
	PAGE_ENTRIES = 1 << (GRANULE_BITS - PAGE_BITS),
	ROOT_ENTRIES = 1 << (ADDRESS_BITS - LEAF_BITS),
};

#define GRANULE_SIZE ((uintptr_t)1 << GRANULE_BITS)

/* What lies above is found by no look-up, and so goes through the kernel. */
#define ADDRESS_LIMIT ((uintptr_t)1 << ADDRESS_BITS)

/* A mapping, or a table of pages with the lowest bit set, or 0. */
typedef _Atomic uintptr_t granule_entry;

#define ENTRY_IS_PAGES ((uintptr_t)1)

extern _Atomic(granule_entry *) registry_root[ROOT_ENTRIES];

/* What the registry says of an address, not yet compared with the mapping's bounds. */
static inline struct mapping *registry_entry(uintptr_t address)
{
	granule_entry *leaf, *pages;
	uintptr_t entry;

	if (address >> ADDRESS_BITS)
		return NULL;
	leaf = atomic_load_explicit(&registry_root[address >> LEAF_BITS], memory_order_acquire);
	if (!leaf)
		return NULL;
	entry = atomic_load_explicit(&leaf[(address >> GRANULE_BITS) % LEAF_ENTRIES], memory_order_acquire);
	if (__builtin_expect(entry & ENTRY_IS_PAGES, 0)) {
		pages = (granule_entry *)(entry - ENTRY_IS_PAGES);
		entry = atomic_load_explicit(&pages[(address >> PAGE_BITS) % PAGE_ENTRIES], memory_order_acquire);
	}
	return (struct mapping *)entry;
}

/* Does the range, not empty, lie in the mapping? */
static inline bool mapping_holds(const struct mapping *mapping, uintptr_t address, size_t length)
{
	const uintptr_t start = atomic_load_explicit(&mapping->start, memory_order_relaxed);
	const uintptr_t end = atomic_load_explicit(&mapping->end, memory_order_relaxed);

	return address - start < end - start && length - 1 < end - address;
}

/* What the processor can do for the range alone; CPU_NOT_ENOUGH for an empty one. Wait-free. */
static inline enum cpu_work registry_work(uintptr_t address, size_t length)
{
	const struct mapping *mapping = registry_entry(address);

	if (__builtin_expect(mapping && mapping_holds(mapping, address, length), 1))
		return atomic_load_explicit(&mapping->cpu_work, memory_order_relaxed);
	return CPU_NOT_ENOUGH;
}

/* The mapping that holds an address, NULL if none does. Wait-free. */
static inline struct mapping *registry_find(uintptr_t address)
{
	struct mapping *mapping = registry_entry(address);

	return mapping && mapping_holds(mapping, address, 1) ? mapping : NULL;
}

/* The first registered address in [address, limit), limit if there is none. Wait-free. */
uintptr_t registry_next(uintptr_t address, uintptr_t limit);

/* Below this line: for the holder of the lock. */

void registry_lock(void);
void registry_unlock(void);

/* A blank record, NULL if there is no memory. */
struct mapping *registry_new(void);

/* Gives back a record that was never added. */
void registry_discard(struct mapping *mapping);

/*
 * Makes a complete record visible, whose range is free and lies below
 * ADDRESS_LIMIT. 0, or -1 if there is no memory for the tables.
 */
int registry_add(struct mapping *mapping);

/*
 * Takes [start, end), whole pages, out of every record. 0, or -1 if there is
 * no memory to split one; nothing has changed then. Releases files.
 */
int registry_remove(uintptr_t start, uintptr_t end);

/* Is this 2 MiB granule free of mappings? */
bool registry_granule_is_free(uintptr_t address);

/* Records that are gone and that no pending range refers to any more can be used again. */
void registry_reap(void);

/* Marks every mapping of a file as failed: it had an error in writing back. */
void registry_fail(const struct file *file, int error);

#endif
