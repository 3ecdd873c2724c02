/* media_fit.c: fault injection: a store that was not flushed never reaches the file */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "arch/arch.h"
#include "media.h"

#include <string.h>

/* Whole lines, as the processor would: what lies beside the range in its first and last line goes along. */
int fit_flush(struct mapping *mapping, uintptr_t start, uintptr_t end)
{
	const uintptr_t first = line_of(start);
	const uintptr_t last = line_of(end + flush_line - 1);

	memcpy((void *)(first + mapping->behind), (const void *)first, last - first);
	return 0;
}
