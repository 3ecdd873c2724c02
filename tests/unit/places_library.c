/* places_library.c: code in a shared library, for test_places.c */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "places_library.h"

__attribute__((noinline)) static uint64_t here(void)
{
	return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

uint64_t places_library_site(int *line)
{
	const uint64_t site = here();

	*line = __LINE__ - 2;
	return site + (uint64_t)(*line == 0);
}
