/* placement.c: mappings where PMEM_MMAP_HINT wants them */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The arena is left aside here: whoever sets the variable wants addresses that
 * are the same in each run, to debug a program.
 */
#define _GNU_SOURCE
#include "placement.h"

#include "failure.h"
#include "pages.h"
#include "proc.h"

#include <errno.h>
#include <pmem.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static uintptr_t hint_of_environment;

/* Once, so that a later setenv changes nothing; never for a set-user-ID program. */
__attribute__((constructor(101))) static void read_hint(void)
{
	const char *text = secure_getenv("PMEM_MMAP_HINT");
	char *end;
	unsigned long long hint;

	if (!text || !*text)
		return;
	errno = 0;
	hint = strtoull(text, &end, 16);
	if (*end == '\0' && errno == 0)
		hint_of_environment = (uintptr_t)hint;
}

uintptr_t placement_hint(void)
{
	return hint_of_environment;
}

/* Mappings of any length may get huge pages later; PMDK steps by them, too. */
static uintptr_t alignment_of(size_t len)
{
	return len >= 2 * GIB ? GIB : 2 * MIB;
}

static uintptr_t align_up(uintptr_t address, uintptr_t alignment)
{
	return (address + alignment - 1) / alignment * alignment;
}

struct gap {
	uintptr_t start; /* the first aligned address behind the mappings seen so far */
	size_t length;
	uintptr_t alignment;
};

static int skip_vma(const struct vma *vma, void *arg)
{
	struct gap *gap = arg;

	if (vma->start >= gap->start && vma->start - gap->start >= gap->length)
		return 1;
	gap->start = align_up(vma->end, gap->alignment);
	return 0;
}

/* 0 with errno and message. */
static uintptr_t find_gap(uintptr_t hint, size_t length)
{
	struct gap gap = {.length = length, .alignment = alignment_of(length)};

	gap.start = align_up(hint, gap.alignment);
	if (proc_each_vma(gap.start, UINTPTR_MAX, VMA_BRIEF, skip_vma, &gap) >= 0)
		return gap.start;
	fail(errno, "/proc/self/maps cannot be read, to place a mapping as PMEM_MMAP_HINT says: %m");
	return 0;
}

/* Reserves a gap, which another thread may have taken in between. 0 with errno and message. */
static uintptr_t reserve_gap(uintptr_t hint, size_t length)
{
	uintptr_t start = hint;
	void *at;

	while ((start = find_gap(start, length))) {
		at = mmap((void *)start, length, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
		if (at == (void *)start)
			return start;
		if (at != MAP_FAILED) {
			munmap(at, length); /* before Linux 4.17 NOREPLACE is a hint */
		} else if (errno != EEXIST) {
			fail(errno, "reserving %zu bytes at %p, as PMEM_MMAP_HINT says: %m", length, (void *)start);
			return 0;
		}
	}
	return 0;
}

static void *map_over(uintptr_t start, int fd, size_t length)
{
	const int protection = PROT_READ | PROT_WRITE;
	void *at = mmap((void *)start, length, protection, MAP_SHARED_VALIDATE | MAP_SYNC | MAP_FIXED, fd, 0);

	if (at == MAP_FAILED && (errno == EOPNOTSUPP || errno == EINVAL))
		at = mmap((void *)start, length, protection, MAP_SHARED | MAP_FIXED, fd, 0);
	return at;
}

void *placement_map(uintptr_t hint, int fd, size_t len)
{
	const size_t length = page_up(len);
	const uintptr_t start = reserve_gap(hint, length);
	void *at;
	int error;

	if (!start)
		return NULL;
	at = map_over(start, fd, length);
	if (at == MAP_FAILED) {
		fail(errno, "mapping %zu bytes at %p, as PMEM_MMAP_HINT says: %m", length, (void *)start);
	} else if (pmem_register(at, length) == 0) {
		return at;
	}
	error = errno;
	munmap((void *)start, length);
	errno = error;
	return NULL;
}
