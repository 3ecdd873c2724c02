/* stacks.c: where in the program an event comes from */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A backtrace costs more than everything else that is done at a flush. It is
 * taken once for each pair of return address and depth of the stack; the rest
 * is a look-up.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

/* One pair, or one backtrace (frame 0, site its hash). */
struct known {
	uintptr_t site, frame;
	uint32_t stack;
	uint32_t visits;
};

enum { FIRST_ROOM = 4096 }; /* a power of two */

static struct known *table;
static size_t room, used;
static uint32_t stacks; /* numbers given out */

static size_t slot_of(const struct known *in, size_t size, uintptr_t site, uintptr_t frame)
{
	size_t slot = (size_t)((site * 0x9e3779b97f4a7c15u ^ frame * 0xc2b2ae3d27d4eb4fu) >> 20) & (size - 1);

	while (in[slot].site && (in[slot].site != site || in[slot].frame != frame))
		slot = (slot + 1) & (size - 1);
	return slot;
}

static bool grow(void)
{
	const size_t larger = room ? 2 * room : FIRST_ROOM;
	struct known *fresh = (void *)syscall(SYS_mmap, NULL, larger * sizeof(*fresh), PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);

	if (fresh == MAP_FAILED)
		return false;
	for (size_t i = 0; i < room; i++) {
		if (table[i].site)
			fresh[slot_of(fresh, larger, table[i].site, table[i].frame)] = table[i];
	}
	if (table)
		syscall(SYS_munmap, table, room * sizeof(*table));
	table = fresh;
	room = larger;
	return true;
}

/* The entry for a pair, new ones with stack STACK_NONE. NULL without memory. */
static struct known *look_up(uintptr_t site, uintptr_t frame)
{
	struct known *known;

	if (2 * used >= room && !grow())
		return NULL;
	known = &table[slot_of(table, room, site, frame)];
	if (!known->site) {
		known->site = site;
		known->frame = frame;
		used++;
	}
	known->visits++;
	return known;
}

struct backtrace {
	uintptr_t from; /* this address first; 0: the first that is the program's */
	size_t depth;
	uint64_t addresses[STACK_DEPTH];
};

static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *argument)
{
	struct backtrace *taken = argument;
	const uintptr_t address = _Unwind_GetIP(context);

	if (address == 0)
		return _URC_END_OF_STACK;
	if (taken->depth == 0 && taken->from && address != taken->from)
		return _URC_NO_REASON;
	if (taken->depth == 0 && !taken->from && modules_is_system(address))
		return _URC_NO_REASON;
	taken->addresses[taken->depth++] = address;
	return taken->depth == STACK_DEPTH ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static uintptr_t hash_of(const struct backtrace *taken)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < taken->depth; i++)
		hash = (hash ^ taken->addresses[i]) * 0x100000001b3u ^ hash >> 29;
	return (uintptr_t)(hash | 1);
}

/* The number of a backtrace; the trace learns of it if it is new. */
static struct known *number(const struct backtrace *taken)
{
	struct known *known = look_up(hash_of(taken), 0);

	if (known && known->stack == STACK_NONE) {
		known->stack = ++stacks;
		tell_payload(TRACE_STACK, 0, &(struct origin){.stack = known->stack}, 0, 0, taken->addresses,
			     taken->depth * sizeof(taken->addresses[0]));
	}
	return known;
}

struct origin stack_origin(const void *site, const void *frame)
{
	struct known *known = look_up((uintptr_t)site, (uintptr_t)frame);
	struct origin origin = {.site = site, .visits = known ? known->visits : 1};
	struct backtrace taken = {.from = (uintptr_t)site};

	if (known && known->stack != STACK_NONE) {
		origin.stack = known->stack;
		return origin;
	}
	modules_tell();
	_Unwind_Backtrace(step, &taken);
	if (taken.depth == 0)
		taken.addresses[taken.depth++] = taken.from;
	known = number(&taken);
	origin.stack = known ? known->stack : STACK_NONE;
	/* The table may have moved. */
	known = look_up((uintptr_t)site, (uintptr_t)frame);
	if (known) {
		known->stack = origin.stack;
		known->visits--;
	}
	return origin;
}

static struct origin origin_of_program(void)
{
	struct backtrace taken = {0};
	struct known *known;

	_Unwind_Backtrace(step, &taken);
	if (taken.depth == 0)
		return (struct origin){.visits = 1};
	known = number(&taken);
	return (struct origin){
		.site = (const void *)(uintptr_t)taken.addresses[0],
		.stack = known ? known->stack : STACK_NONE,
		.visits = known ? known->visits : 1,
	};
}

struct origin stack_origin_of_call(const void *site, const void *frame)
{
	modules_tell();
	return modules_is_system((uintptr_t)site) ? origin_of_program() : stack_origin(site, frame);
}

void stack_forget(void)
{
	if (table)
		memset(table, 0, room * sizeof(*table));
	used = 0;
	stacks = 0;
	modules_forget();
}
