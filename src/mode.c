/* mode.c: what the environment and the two switches of 2013 ask for */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "mode.h"

#include <pmem.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(enum mode) mode = MODE_BEST;
static enum caches caches = CACHES_BY_DOMAIN;

static bool is_set_to(const char *variable, const char *wanted)
{
	const char *value = secure_getenv(variable);

	return value && strcmp(value, wanted) == 0;
}

/* Once, so that a later setenv changes nothing; never for a set-user-ID program. */
__attribute__((constructor(101))) static void read_environment(void)
{
	if (is_set_to("PMEM_IS_PMEM_FORCE", "1"))
		atomic_store(&mode, MODE_FORCE);
	else if (is_set_to("PMEM_IS_PMEM_FORCE", "0"))
		atomic_store(&mode, MODE_MSYNC);
	if (is_set_to("PMEM_NO_FLUSH", "1"))
		caches = CACHES_PERSISTENT;
	else if (is_set_to("PMEM_NO_FLUSH", "0"))
		caches = CACHES_VOLATILE;
}

enum mode mode_now(void)
{
	return atomic_load_explicit(&mode, memory_order_relaxed);
}

enum caches mode_caches(void)
{
	return caches;
}

void pmem_msync_mode(void)
{
	atomic_store(&mode, MODE_MSYNC);
}

void pmem_fit_mode(void)
{
	atomic_store(&mode, MODE_FIT);
}
