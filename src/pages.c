/* pages.c: whole pages: rounding to them, writing them back, and holes between them */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pages.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

uintptr_t page_down(uintptr_t address)
{
	return address & ~(page_size() - 1);
}

uintptr_t page_up(uintptr_t address)
{
	return page_down(address + page_size() - 1);
}

bool range_wraps(uintptr_t address, size_t length)
{
	const uintptr_t last = UINTPTR_MAX - page_size();

	return address > last || length > last - address;
}

/* MS_ASYNC does nothing on Linux but tell, by ENOMEM, whether there is a hole in the range. */
bool range_has_hole(uintptr_t start, uintptr_t end)
{
	return msync((void *)start, end - start, MS_ASYNC) < 0 && errno == ENOMEM;
}

int msync_range(uintptr_t start, uintptr_t end)
{
	int result;

	do {
		result = msync((void *)start, end - start, MS_SYNC);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? errno : 0;
}
