/* mapping.h: one mapping that the library knows */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_MAPPING_H
#define PMEM_MAPPING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct file;

enum media {
	MEDIA_PM,       /* DAX with MAP_SYNC, or device-dax: the processor's flush makes it durable */
	MEDIA_VOLATILE, /* tmpfs, anonymous, private...: treated as PM, durable never */
	MEDIA_PAGE,     /* page cache: msync */
	MEDIA_FIT,      /* private working copy, flushed lines go to the file */
};

/* What the hot path has to do; decided once, when the mapping is made. */
enum cpu_work {
	CPU_NOT_ENOUGH, /* leave the hot path */
	CPU_FLUSH,      /* flush the lines, then fence */
	CPU_FENCE,      /* the caches are in the persistence domain: fence */
};

/*
 * start, end and cpu_work are read by look-ups that hold no lock. Records are
 * used again but their memory is never given back, so that a look-up that comes
 * late reads a wrong record and not a wild pointer. Everything else is the
 * registry lock's, where it is not atomic.
 */
struct mapping {
	_Atomic uintptr_t start;
	_Atomic uintptr_t end; /* page-aligned */
	_Atomic(enum cpu_work) cpu_work;
	enum media media;
	bool device_dax;          /* msync says EINVAL here */
	size_t unit;              /* bytes in its pages: what it can be unmapped by */
	bool in_arena;            /* made by pmem_map in the library's own address space */
	_Atomic int failed;       /* errno of the write-back that failed, 0 while none has */
	_Atomic bool gone;        /* unmapped; the record waits for pending ranges that refer to it */
	_Atomic unsigned pending; /* such ranges, in any thread */
	/* Times that the whole was made durable because a part was unmapped: begun, and the last that succeeded. */
	_Atomic unsigned syncs_begun, syncs_done;
	struct file *file;   /* page cache only, else NULL */
	uintptr_t to_offset; /* page cache only: added to an address it gives the place in the file */
	uintptr_t behind;    /* fit only: leads from here to the shared mapping behind the working copy */
	struct mapping *previous, *next;
};

#endif
