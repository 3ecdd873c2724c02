/* difference.h: what of a unit has changed */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_DIFFERENCE_H
#define PMEM_CRASH_DIFFERENCE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t difference_word(const unsigned char *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The aligned 8-byte parts that differ, from the first to the last: [*from, returned). They do differ. */
static inline size_t difference(const unsigned char *now, const unsigned char *before, size_t length, size_t *from)
{
	size_t end = length;

	*from = 0;
	while (*from + 8 < length && difference_word(now + *from) == difference_word(before + *from))
		*from += 8;
	while (end > *from + 8 && end % 8 == 0 && difference_word(now + end - 8) == difference_word(before + end - 8))
		end -= 8;
	return end;
}

#endif
