/* mode.c: what the environment and the two switches of 2013 ask for */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "mode.h"

#include <pmem.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(enum mode) mode = MODE_BEST;

/* Once, so that a later setenv changes nothing; never for a set-user-ID program. */
__attribute__((constructor(101))) static void read_environment(void)
{
	const char *force = secure_getenv("PMEM_IS_PMEM_FORCE");

	if (!force)
		return;
	if (strcmp(force, "1") == 0)
		atomic_store(&mode, MODE_FORCE);
	else if (strcmp(force, "0") == 0)
		atomic_store(&mode, MODE_MSYNC);
}

enum mode mode_now(void)
{
	return atomic_load_explicit(&mode, memory_order_relaxed);
}

void pmem_msync_mode(void)
{
	atomic_store(&mode, MODE_MSYNC);
}

void pmem_fit_mode(void)
{
	atomic_store(&mode, MODE_FIT);
}
