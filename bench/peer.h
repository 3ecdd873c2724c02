/* peer.h: another libpmem, loaded beside this one and measured against it */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <sys/types.h>

/* Functions of PMDK's interface, which every libpmem.so.1 has. */
struct peer {
	void (*persist)(const void *addr, size_t len);
	void (*flush)(const void *addr, size_t len);
	void (*drain)(void);
	int (*msync)(const void *addr, size_t len);
	void *(*memcpy_persist)(void *dst, const void *src, size_t len);
	void *(*memcpy_nodrain)(void *dst, const void *src, size_t len);
	void *(*memset_persist)(void *dst, int byte, size_t len);
	void *(*memset_nodrain)(void *dst, int byte, size_t len);
	void *(*map_file)(const char *path, size_t len, int flags, mode_t mode, size_t *mapped_len, int *is_pmem);
	int (*unmap)(void *addr, size_t len);
};

extern struct peer peer;

/*
 * Loads the library at path into a name space of its own: it has the same
 * soname as this one, and must be neither taken for it nor mixed up with it.
 * 0, or -1 after a message on stderr.
 */
int peer_load(const char *path);

#endif
