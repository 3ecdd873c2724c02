/* next.c: finds the functions that the interposers stand in for */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "next.h"

#include <dlfcn.h>

void *next_function(void **found, const char *name)
{
	if (!*found)
		*found = dlsym(RTLD_NEXT, name);
	return *found;
}
