/* record_text.c: a recorder that writes what hooks tell as text: for the tests of the hooks */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded into a program. Its pool is the first file that it maps shared; each
 * event is a line on the descriptor that HOOKS_TRACE names:
 *
 *     ADDRESS store OFFSET BYTES
 *
 * where ADDRESS is the one before the return address, relative to the program.
 */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* mmap and mmap64 are one, under its first name */
#include "../../../crash/record/record.h"
#include "../../../crash/trace.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct record_bounds record_bounds = {UINTPTR_MAX, 0};

static int descriptor = -1;
static uintptr_t base, size_of_pool;

static int find_program(struct dl_phdr_info *program, size_t size, void *argument)
{
	(void)size;
	(void)argument;
	base = program->dlpi_addr;
	return 1; /* the program comes first */
}

__attribute__((visibility("default"))) void *mmap(void *at, size_t size, int protection, int flags, int fd,
						  off_t offset)
{
	void *mapped = (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);

	if (mapped != MAP_FAILED && (flags & MAP_SHARED) && fd >= 0 && descriptor < 0 && getenv("HOOKS_TRACE")) {
		descriptor = atoi(getenv("HOOKS_TRACE"));
		dl_iterate_phdr(find_program, NULL);
		record_bounds = (struct record_bounds){(uintptr_t)mapped, (uintptr_t)mapped + size};
		size_of_pool = size;
	}
	return mapped;
}

static void tell(const char *what, const void *address, size_t size, const void *site)
{
	const uintptr_t code = (uintptr_t)site - 1 - base;

	if (!address)
		dprintf(descriptor, "%#lx %s\n", code, what);
	else if ((uintptr_t)address - record_bounds.low < size_of_pool)
		dprintf(descriptor, "%#lx %s %lu %lu\n", code, what, (uintptr_t)address - record_bounds.low, size);
	else
		dprintf(descriptor, "%#lx %s elsewhere\n", code, what);
	errno = EIO; /* hooks keep it, whatever a recorder does */
}

static const char *name_of_store(unsigned flags)
{
	if (flags & STORE_NONTEMPORAL)
		return "nontemporal";
	return flags & STORE_UNORDERED ? "unordered" : "store";
}

void record_before_store(const void *address, size_t size, unsigned flags, const void *site)
{
	tell(name_of_store(flags), address, size, site);
}

void record_stored(const void *address, size_t size, unsigned flags, const void *site)
{
	tell(name_of_store(flags), address, size, site);
}

void record_load(const void *address, size_t size, const void *site)
{
	tell("load", address, size, site);
}

bool record_flush(const void *address, size_t size, bool ordered, const void *site)
{
	tell(ordered ? "clflush" : "flush", address, size, site);
	return true;
}

void record_fence(const void *site)
{
	tell("fence", NULL, 0, site);
}

void record_atomic_begin(const void *address, size_t size, const void *site)
{
	tell("atomic", address, size, site);
}

void record_atomic_end(const void *address, size_t size, bool stored, const void *site)
{
	(void)address;
	(void)size;
	tell(stored ? "done" : "unchanged", NULL, 0, site);
}

void record_instrumented(void)
{
}
