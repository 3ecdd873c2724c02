/* recording.h: a recording as one process sees it: pools, thread, and where events go */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_RECORDING_H
#define PMEM_CRASH_RECORDING_H

#include "record.h"
#include "../session.h"

struct origin;

/* Where events go: the ring of a session, or a trace in memory. All is called with the lock held. */
struct record_sink {
	/* Room for an event of this size; NULL where it cannot be had, and then recording has ended. */
	void *(*reserve)(size_t size);
	/* What was written there is told. */
	void (*commit)(size_t size);

	/* Tells a store of 8 bytes whose stack is not known. NULL: it has no way of its own for these. */
	void (*store)(unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t word);
};

struct recorded_pool {
	const unsigned char *contents; /* the recorder's own view of the working file */
	unsigned char *shadow;         /* what the trace has told so far */
	uint64_t size;                 /* bytes of the pool, as the trace has told them */
	uint64_t viewed;               /* bytes that contents and shadow are mapped for */
	uint64_t inode;                /* of the file that contents are a view of */
};

struct recording {
	bool on;           /* events are written */
	bool follows;      /* it is known which addresses are pools: for events, or for load maps */
	bool instrumented; /* the compiler's hooks tell every store */
	bool counted;      /* among the processes that opened a pool */
	uint32_t unit;
	uint32_t pool_count;
	struct recorded_pool pools[SESSION_POOLS];
	const struct record_sink *sink;
	struct writers_lock *lock;
	uint32_t epoch;                              /* counts the recordings of this process */
	_Atomic uint32_t threads;                    /* numbers given out, where there is no session */
	_Atomic unsigned char *loads[SESSION_POOLS]; /* load maps, NULL where none are wanted */
	struct session *session;                     /* NULL where a unit test records itself */
};
extern struct recording recording;

/* Who does something, as events say it. */
struct origin {
	const void *site;
	uint32_t stack;
	unsigned visits; /* how often this place was here, this time included */
};

/* A store that a hook has announced; its bytes are read later. */
struct pending_store {
	const void *address;
	size_t size;
	unsigned flags;
	struct origin origin;
};

/* A flush that a signal handler made while its thread was in the recorder. */
struct deferred_flush {
	const void *address;
	size_t size; /* 0: a fence */
	const void *site;
	bool ordered;
};

enum { DEFERRED_FLUSHES = 32 };

struct record_thread {
	volatile bool inside; /* the recorder */
	uint32_t epoch;       /* of the recording that has given it its number */
	bool unfenced;        /* it has flushed since its last fence */
	uint16_t number;
	uint32_t id;                  /* the kernel's, 0 if not asked yet */
	bool in_atomic;               /* between begin and end: the lock is held */
	bool is_owner;                /* it holds the lock as its owner */
	struct pending_store pending; /* size 0: none */
	volatile unsigned deferred_count;
	struct deferred_flush deferred[DEFERRED_FLUSHES];
};
extern _Thread_local struct record_thread record_self;

/* lock.c: the writers' lock. It survives the death of its holder. */
void record_lock(void);
void record_unlock(void);
/* A new program of the process starts, whatever the one before it was doing. */
void record_lock_restart(struct writers_lock *lock);
uint32_t record_thread_id(void);
/* As /proc tells it of any thread: S for one that sleeps, Z and X for the dead. */
char record_thread_state(uint32_t id);

/* sink_ring.c: the session's ring, which is mapped twice in a row. path: of the session file. */
extern const struct record_sink ring_sink;
void ring_use(struct session *session, const char *path);

/* stacks.c: the place in the program; frame is an address in the stack frame of whoever was called. */
struct origin stack_origin(const void *site, const void *frame);
/* The same for calls that also come from the C and C++ libraries: the innermost code that is the program's own. */
struct origin stack_origin_of_call(const void *site, const void *frame);
/* After fork: what was told so far belongs to another process. */
void stack_forget(void);

/* modules.c: tells what code has been mapped since the last time. */
void modules_tell(void);
void modules_forget(void);
/* Is this code the recorder's, the C library's or the C++ library's? */
bool modules_is_system(uintptr_t code);

/* Everything below writes events, and is called with the lock held. */

/* tell.c: one event each. */
void tell(enum trace_kind kind, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t length);
void tell_payload(enum trace_kind kind, unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset,
		  const void *payload, size_t length);
/* A store of 8 bytes. */
void tell_word(unsigned flags, const struct origin *origin, uint32_t pool, uint64_t offset, uint64_t word);
void tell_module(const char *path, uint64_t bias, uint64_t length);

/* contents.c: compares units of the pool with the shadow, tells what differs. source: the bytes at offset. */
void contents_tell(uint32_t pool, uint64_t offset, uint64_t length, const unsigned char *source, unsigned flags,
		   const struct origin *origin);
/* The flags of what is found by comparing. */
unsigned contents_flags(void);
/* All pools, wherever they are mapped. */
void contents_tell_all(const struct origin *origin);
/* The same, as often as its cost allows: at flushes and fences. */
void contents_tell_all_sometimes(const struct origin *origin);
/* One store of known extent, not widened to units. */
void contents_tell_store(uint32_t pool, uint64_t offset, uint64_t length, const unsigned char *source, unsigned flags,
			 const struct origin *origin);
/* Something was done to the working file: its size is told if it is new. */
void contents_resized(uint32_t pool, uint64_t size, const struct origin *origin);
/* The recorder's own view covers the pool's present size. False: it could not be had. */
bool contents_view(uint32_t pool);

/* The part of a pool that an address range covers. */
struct mapped_part {
	const unsigned char *address;
	uint64_t length;
	uint64_t offset;
	uint32_t pool;
};

/* mappings.c: which addresses are pools. */
bool mapping_add(const void *address, size_t length, uint32_t pool, uint64_t offset);
void mapping_remove(const void *address, size_t length);
/* The first part of [address, address + length) that is in a pool; false: none. */
bool mapping_find(const void *address, size_t length, struct mapped_part *part);

/*
 * Every mapping of the pool that this process has, or none, if tracking was
 * begun for all of them: then each is passed on, and true returned.
 */
bool mapping_each_tracked(uint32_t pool,
			  bool (*each)(const void *address, size_t length, uint64_t offset, void *argument),
			  void *argument);

/* tracking.c: the kernel notes which pages of a mapping are stored to. False: it does not, or it is not worth it. */
enum { TRACKING_PAYS = 2 << 20 }; /* bytes of a mapping, from which on it is cheaper than comparing */
bool tracking_begin(const void *address, size_t length);
/* Passes on the pages that were stored to since the last time, all of them at first. False: it is not known. */
bool tracking_written(const void *address, size_t length,
		      void (*found)(const void *start, size_t length, void *argument), void *argument);
/* After fork: nothing is tracked. */
void tracking_forget(void);
void mapping_forget_tracking(void);

/* pending.c: the stores that hooks have announced. */
void pending_tell_store(struct record_thread *thread);

static inline void pending_tell(struct record_thread *thread)
{
	if (thread->pending.size)
		pending_tell_store(thread);
}

/* output.c: the program's standard output. */
/* What the output file holds and no event has told yet is told. */
void output_catch_up(const struct origin *origin);
/* A write appended these bytes to the file. */
void output_tell(const void *bytes, size_t length, const struct origin *origin);
/* stdout is from now on a stream whose writes are seen. */
void output_replace_stream(void);

/* identify.c: which pool a descriptor is, or whether it is the program's standard output. */
enum { IDENTITY_OTHER = -1, IDENTITY_OUTPUT = -2 };
int identify(int fd, uint64_t *size);
void identify_output(void);

/* The name to use in place of path, and which pool it is; path itself and IDENTITY_OTHER for others. */
struct redirection {
	const char *path;
	int pool;
};
struct redirection redirect(int directory, const char *path, bool follow_links);

#endif
