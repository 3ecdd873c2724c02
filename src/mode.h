/* mode.h: what the environment and the two switches of 2013 ask for */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_MODE_H
#define PMEM_MODE_H

enum mode {
	MODE_BEST,  /* each mapping by what its media can do */
	MODE_MSYNC, /* pmem_msync_mode(), or PMEM_IS_PMEM_FORCE=0 */
	MODE_FIT,   /* pmem_fit_mode() */
	MODE_FORCE, /* PMEM_IS_PMEM_FORCE=1: everything is persistent memory */
};

/* Asked when a mapping is made or registered, and for ranges that are not. */
enum mode mode_now(void);

/* What PMEM_NO_FLUSH says of the processor's caches. */
enum caches {
	CACHES_BY_DOMAIN,  /* nothing: each region knows its persistence domain */
	CACHES_PERSISTENT, /* PMEM_NO_FLUSH=1: a fence is enough */
	CACHES_VOLATILE,   /* PMEM_NO_FLUSH=0: flush, whatever the region says */
};

enum caches mode_caches(void);

#endif
