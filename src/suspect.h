/* suspect.h: files whose write-back failed, for mappings that nobody registered */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A registered mapping carries its failure itself. A program's own mapping has
 * no record, so the file is remembered by the numbers that /proc/self/maps
 * shows. All functions want the registry's lock, but suspect_any().
 */
#ifndef PMEM_SUSPECT_H
#define PMEM_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

/* Is there any? Cheap, for the way on which there is none. */
bool suspect_any(void);

/* Remembers the files mapped in [start, end), and marks every registered mapping of them. */
void suspect_add(uintptr_t start, uintptr_t end, int error);

/* The error of a file mapped in [start, end), 0 if none of them is suspect. */
int suspect_error(uintptr_t start, uintptr_t end);

/* The files mapped in [start, end) were mapped or registered anew: forgets them. */
void suspect_clear(uintptr_t start, uintptr_t end);

#endif
