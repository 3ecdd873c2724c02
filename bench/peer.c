/* peer.c: another libpmem, loaded beside this one and measured against it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "peer.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct peer peer;

static const struct {
	const char *name;
	void *function; /* where in peer the address goes */
} wanted[] = {
	{"pmem_persist", &peer.persist},
	{"pmem_flush", &peer.flush},
	{"pmem_drain", &peer.drain},
	{"pmem_msync", &peer.msync},
	{"pmem_memcpy_persist", &peer.memcpy_persist},
	{"pmem_memcpy_nodrain", &peer.memcpy_nodrain},
	{"pmem_memset_persist", &peer.memset_persist},
	{"pmem_memset_nodrain", &peer.memset_nodrain},
	{"pmem_map_file", &peer.map_file},
	{"pmem_unmap", &peer.unmap},
};

/* Where a symbol is has the last word on which file was loaded. */
static int check_origin(void *symbol, const char *path)
{
	char wanted_path[PATH_MAX], loaded_path[PATH_MAX];
	Dl_info info;

	if (dladdr(symbol, &info) && realpath(path, wanted_path) && realpath(info.dli_fname, loaded_path) &&
	    strcmp(wanted_path, loaded_path) == 0)
		return 0;
	fprintf(stderr, "pmem bench: %s: the loader gave us another library instead\n", path);
	return -1;
}

/* pmem_persist has two meanings, where a library has both interfaces; PMDK's is in the node LIBPMEM_1.0. */
static void *find_function(void *library, const char *name)
{
	void *function = dlvsym(library, name, "LIBPMEM_1.0");

	return function ? function : dlsym(library, name);
}

int peer_load(const char *path)
{
	void *library = dlmopen(LM_ID_NEWLM, path, RTLD_NOW | RTLD_LOCAL), *function;

	if (!library) {
		fprintf(stderr, "pmem bench: %s\n", dlerror());
		return -1;
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		function = find_function(library, wanted[i].name);
		if (!function) {
			fprintf(stderr, "pmem bench: %s has no %s: it is no libpmem with PMDK's interface\n", path,
				wanted[i].name);
			return -1;
		}
		if (check_origin(function, path) < 0)
			return -1;
		memcpy(wanted[i].function, &function, sizeof(function));
	}
	return 0;
}
