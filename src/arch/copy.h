/* copy.h: copying and filling by the processor, and the way that was chosen for this one */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_ARCH_COPY_H
#define PMEM_ARCH_COPY_H

#include "arch.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Stores length bytes at dst, any alignment, starts writing back every line of
 * them, and, if fence is true, waits for that: one fence a call. A length of 0
 * stores nothing. A copy may overlap its source in either direction. An
 * aligned copy of 8 bytes is never torn.
 *
 * Returns dst: the hot path is a look-up and a jump here.
 */
struct copy_way {
	void *(*copy)(void *dst, const void *src, size_t length, bool fence);
	void *(*fill)(void *dst, int byte, size_t length, bool fence);
};

/*
 * One width of store, with each way to flush. Which store is best and which
 * flush is best are separate questions; select.c answers both.
 */
struct copy_method {
	const char *name;
	/* Does this processor have it? Called once, at load, after the way to flush was chosen. */
	bool (*usable)(void);
	/* No functions where the method is not built with that flush. */
	struct copy_way with[FLUSH_KINDS];
};

/* The choice, made together with that of the way to flush. */
extern struct copy_way cpu_copy;
extern const char *cpu_copy_name;

/* memmove(3), except that an aligned copy of 8 bytes is never torn, which the C library does not promise. */
static inline void move_untorn(void *dst, const void *src, size_t length)
{
	typedef uint64_t __attribute__((may_alias)) word;
	word value;

	if (length != sizeof(value) || (uintptr_t)dst % sizeof(value) != 0) {
		memmove(dst, src, length);
		return;
	}
	memcpy(&value, src, sizeof(value));
	__atomic_store_n((word *)dst, value, __ATOMIC_RELAXED);
}

#endif
