/* session.h: what the command and the recorder inside a program share */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One file in memory (tmpfs), named by the environment variable PMEM_CRASH_SESSION,
 * mapped by the command and by the recorder in every process of the program: a
 * header, and a ring through which events go to the command. The ring is used
 * again and again: freshly touched memory would cost more than everything else.
 */
#ifndef PMEM_CRASH_SESSION_H
#define PMEM_CRASH_SESSION_H

#include "trace.h"

#include <limits.h>
#include <stdatomic.h>

#define SESSION_VARIABLE "PMEM_CRASH_SESSION"

enum {
	SESSION_VERSION = 4,
	SESSION_POOLS = 16,
	SESSION_RING = 8 << 20,  /* bytes; a power of two */
	SESSION_LOADS_UNIT = 64, /* pool bytes that one bit of a load map stands for */
};

/*
 * The command holds a lock (flock) on the session file as long as it reads the
 * ring. A recorder that finds no room and can have that lock is alone, and stops.
 */

/* What the recorder is asked to do. Redirection is always on. */
enum session_mode {
	SESSION_REDIRECT = 0,    /* the pools' names lead to the working files, and that is all */
	SESSION_RECORD = 1 << 0, /* write a trace to the ring */
	SESSION_LOADS = 1 << 1, /* note in the load maps which units were read, where the program was compiled for it */
};

struct session_pool {
	char name[PATH_MAX];    /* absolute, links resolved: what the program asks for */
	char work[PATH_MAX];    /* what it gets */
	char shadow[PATH_MAX];  /* a file of the same size or more: the contents as the trace has told them so far */
	char loads[PATH_MAX];   /* a load map: one bit for each SESSION_LOADS_UNIT bytes */
	uint64_t size;          /* bytes, at the start */
	uint64_t device, inode; /* of the user's file: any name that leads to it is the pool's */

	/* Set by the recorders, under the lock. */
	_Atomic uint32_t opened;                  /* by some process */
	_Atomic uint64_t work_device, work_inode; /* of the working file: a program may remove it and make it anew */
	_Atomic uint64_t work_size;               /* bytes, as the trace has told them so far */
};

/*
 * One for all threads of all processes of the program. Zero: nobody holds it,
 * and the first who takes it becomes its owner (record/lock.c).
 */
struct writers_lock {
	_Atomic uint32_t holder; /* the thread that holds it, 0 when free (futex) */
	_Atomic uint32_t owner;  /* the thread that need not take it */
	_Atomic uint32_t inside; /* the owner, while it has what the lock protects */
};

/*
 * What is in the ring is events, and in place of the event of most stores, those
 * of 8 bytes that hooks tell, this: it takes half of the room, and to bring cache
 * lines from one processor to the other is what telling a store costs most.
 */
struct ring_store {
	uint32_t head;   /* RING_STORE, flags << 8, thread << 16; an event's size is a multiple of 8 */
	uint32_t offset; /* lower ones than RING_STORE_END only */
	uint64_t place;  /* site, pool << 48 */
	uint64_t word;   /* the bytes */
};

enum { RING_STORE = 1, RING_STORE_POOL = 48 };
#define RING_STORE_END ((uint64_t)1 << 32) /* no int, as an enumeration's values are */

struct session {
	uint32_t version;
	uint32_t mode;
	uint32_t pool_count;
	uint32_t unit;         /* bytes that are compared and told in one piece: 64 or 512 */
	uint64_t seed;         /* of the schedule of threads; 0 leaves them to the kernel, one event at a time */
	char output[PATH_MAX]; /* the file that is the program's standard output */

	/* Set by the recorders. */
	_Atomic uint32_t processes;    /* that have opened a pool */
	_Atomic uint32_t instrumented; /* of these, compiled with hooks */
	_Atomic uint32_t threads;      /* numbers given out */
	_Atomic uint32_t overrun;      /* something could not be told: the trace is not whole */
	_Atomic uint32_t untracked; /* several processes, or streams, store: what the kernel notes in one is not all */
	_Atomic uint64_t output_told; /* bytes of the output file that events have told */

	_Alignas(64) struct writers_lock lock;
	/* Bytes ever written and ever read; a writer that finds no room waits. */
	_Alignas(64) _Atomic uint64_t written;
	_Alignas(64) _Atomic uint64_t read;

	_Alignas(4096) struct session_pool pools[SESSION_POOLS];

	/* Events may wrap around the end: both sides map the ring twice in a row. */
	_Alignas(4096) unsigned char ring[SESSION_RING];
};

/*
 * A new session file at path, mapped. The ring is there, prefaulted, if mode
 * has SESSION_RECORD. NULL with errno.
 */
struct session *session_create(const char *path, uint32_t mode);

/*
 * Whatever leads to the file called name (absolute, links resolved) leads to
 * work from now on. The paths of shadow and load map are the caller's to set.
 * False with errno.
 */
bool session_add_pool(struct session *session, const char *name, const char *work);

/* The file stays. */
void session_unmap(struct session *session);

/*
 * The environment of a program that is to be recorded or redirected: this
 * process's, with the recorder preloaded, PMEM_IS_PMEM_FORCE=1, and more
 * (NAME=VALUE, NULL at the end; NULL for none). Without a path (NULL) nothing is
 * preloaded. One allocation: free() it. NULL without memory.
 */
char **session_environment(const char *path, const char *recorder, const char *const *more);

#endif
