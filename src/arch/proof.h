/* proof.h: executing an instruction once, where it may turn out not to exist */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_ARCH_PROOF_H
#define PMEM_ARCH_PROOF_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Runs attempt on a line of its own, in a child process, and tells whether the
 * child survived. For processors whose feature bits have been seen to promise
 * instructions that then raise SIGILL (emulators do). The calling process's
 * signal handlers, children and descriptors are not touched.
 */
bool proof_by_execution(int (*attempt)(uintptr_t start, uintptr_t end));

#endif
