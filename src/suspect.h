/* suspect.h: files whose write-back failed, for mappings that nobody registered */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A registered mapping carries its failure itself. A program's own mapping has
 * no record, so the file is remembered by the numbers that /proc/self/maps
 * shows. All functions want the registry's lock, where they do not say otherwise.
 */
#ifndef PMEM_SUSPECT_H
#define PMEM_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

/* Is there any? Cheap, for the way on which there is none. Needs no lock. */
bool suspect_any(void);

/* Remembers the files mapped in [start, end), and marks every registered mapping of them. */
void suspect_add(uintptr_t start, uintptr_t end, int error);

/* The error of a file mapped in [start, end), 0 if none of them is suspect. */
int suspect_error(uintptr_t start, uintptr_t end);

/*
 * msync_range() where no cursor of ours would tell us of an error: what fails is
 * remembered, and what another thread was told of the same file meanwhile holds
 * here too. 0 or an errno value; EINVAL and a hole (ENOMEM) are not the file's
 * fault. Takes the registry's lock itself.
 */
int suspect_msync(uintptr_t start, uintptr_t end);

/*
 * Held, by any number of threads, from before an msync until its failure is
 * marked. The kernel tells an error to one of several threads, and 0 to the
 * others; suspect_msync() lets those wait until it is marked. Taken before the
 * cursors' and the registry's lock.
 */
void suspect_hold(void);
void suspect_release(void);

/* The files mapped in [start, end) were mapped or registered anew: forgets them. */
void suspect_clear(uintptr_t start, uintptr_t end);

#endif
