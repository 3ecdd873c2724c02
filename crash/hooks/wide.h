/* wide.h: atomic access to 16 bytes, without a library for it */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_HOOKS_WIDE_H
#define PMEM_HOOKS_WIDE_H

#include <stdbool.h>

typedef unsigned __int128 wide;

/* Stores desired where *expected is found; otherwise *expected becomes what was found. */
#if defined(__x86_64__)
static inline bool wide_compare_exchange(volatile wide *address, wide *expected, wide desired)
{
	unsigned long low = (unsigned long)*expected, high = (unsigned long)(*expected >> 64);
	bool same;

	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@cce"(same), "+m"(*address), "+a"(low), "+d"(high)
			 : "b"((unsigned long)desired), "c"((unsigned long)(desired >> 64))
			 : "memory");
	*expected = (wide)high << 64 | low;
	return same;
}
#elif defined(__aarch64__)
static inline bool wide_compare_exchange(volatile wide *address, wide *expected, wide desired)
{
	const wide wanted = *expected;
	unsigned long low, high;
	unsigned failed;

	/* What was found is stored again where it is not what was expected: only so is it known to be one piece. */
	do {
		__asm__ volatile("ldaxp %0, %1, %2" : "=r"(low), "=&r"(high) : "Q"(*address) : "memory");
		*expected = (wide)high << 64 | low;
		if (*expected == wanted)
			*expected = desired;
		__asm__ volatile("stlxp %w0, %2, %3, %1"
				 : "=&r"(failed), "=Q"(*address)
				 : "r"((unsigned long)*expected), "r"((unsigned long)(*expected >> 64))
				 : "memory");
		*expected = (wide)high << 64 | low;
	} while (failed); /* cppcheck-suppress uninitvar ; it cannot read assembly */
	return *expected == wanted;
}
#else
#error "16-byte atomics are written for x86-64 and arm64"
#endif

/* Writes back what it finds: the address must be writable, as it must for libatomic. */
static inline wide wide_load(volatile wide *address)
{
	wide found = 0;

	wide_compare_exchange(address, &found, 0);
	return found;
}

static inline wide wide_exchange(volatile wide *address, wide value)
{
	wide found = wide_load(address);

	while (!wide_compare_exchange(address, &found, value))
		;
	return found;
}

#define WIDE_FETCH(name, expression)                                                                                   \
	static inline wide wide_fetch_##name(volatile wide *address, wide value)                                       \
	{                                                                                                              \
		wide found = wide_load(address);                                                                       \
                                                                                                                       \
		while (!wide_compare_exchange(address, &found, expression))                                            \
			;                                                                                              \
		return found;                                                                                          \
	}

WIDE_FETCH(add, found + value)
WIDE_FETCH(sub, found - value)
WIDE_FETCH(and, found &value)
WIDE_FETCH(or, found | value)
WIDE_FETCH(xor, found ^ value)
WIDE_FETCH(nand, ~(found &value))

#undef WIDE_FETCH

#endif
