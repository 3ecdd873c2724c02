/* next.h: the functions that the interposers stand in for */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_NEXT_H
#define PMEM_CRASH_NEXT_H

/*
 * The next definition of name in the order of the loader; found names a static
 * variable that keeps it. NULL: there is none.
 */
void *next_function(void **found, const char *name);

#endif
