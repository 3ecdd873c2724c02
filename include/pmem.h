/* pmem.h: the Linux Persistent Memory API, version 0.8, and what has grown around it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * READ THIS FIRST
 *
 * - A store becomes durable when the processor or the kernel pleases, and not
 *   later than the return of pmem_persist() on it. Nothing waits for your
 *   call, and nothing larger than an aligned 8-byte store is atomic: after a
 *   power cut any part of what was not yet persisted may be there.
 * - munmap(2) behind our back is allowed on what pmem_map() returned (2013
 *   programs do it), but pmem_unmap() is better. On a range that *you* mapped
 *   and gave to pmem_register(), call pmem_unmap() or pmem_unregister() before
 *   munmap(2) or before you map something else there: a registration left
 *   behind would speak for a mapping that it never saw.
 * - Truncating a file under a mapping makes the pages beyond the new end raise
 *   SIGBUS, and what was stored there is gone, whatever was persisted.
 * - A failed persist means that data is lost, and the kernel says so only once.
 *   The library remembers it for you: see "Failures".
 * - fork(2): parent and child share the mapped memory and the file. Ranges that
 *   were flushed before the fork are completed by the next fence of either.
 * - A SIGBUS is yours to handle; the library installs no signal handler, and
 *   writes to no stream but stderr, there only before it aborts.
 *
 * Threads: every function may be called from any thread. A flush belongs to
 * the thread that made it: a fence completes the flushes of its own thread.
 *
 * Signals: on persistent and volatile media pmem_persist(), pmem_flush_cache(),
 * pmem_fence(), pmem_drain_pm_stores(), pmem_try_persist(),
 * pmem_try_persistv() and the copies and fills may be called in a signal
 * handler. Of the rest only what says so in its contract may.
 *
 * "The document" below is LINUX_PMEM_API.txt, version 0.8, of 2013.
 */
#ifndef PMEM_H
#define PMEM_H

#if defined(LIBPMEM_H) && !defined(PMEM_BUILD)
#error "pmem.h and libpmem.h are two interfaces that share the name pmem_persist(): include one of them in a file"
#endif

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * ---- The Linux Persistent Memory API, version 0.8 -------------------------
 */

/*
 * Maps the first len bytes of the file that fd is open on, shared, for reading
 * and writing. The same as pmem_map_range(fd, 0, len, 0), whose contract it has.
 *
 * Returns the address, or NULL with errno set.
 * Durable on return: nothing new.
 * Source: the document, "pmem_map".
 */
void *pmem_map(int fd, size_t len);

/*
 * Makes [addr, addr + len) durable: flush, fence and drain in one call. Works
 * on every mapping, of this library or not; fast on those that it knows. No
 * flags are defined: pass 0 (others are ignored). A len of 0 does nothing.
 *
 * Returns nothing. If the range could not be made durable, or some range that
 * this thread had flushed before could not, the failure handler is called; by
 * default it prints one line and aborts.
 * Durable on return: the range, and everything that this thread had flushed.
 * Source: the document, "pmem_persist".
 */
void pmem_persist(void *addr, size_t len, int flags);

/*
 * Starts to make [addr, addr + len) durable; pmem_fence() completes it. What is
 * stored to the range between the two may or may not be included. No flags are
 * defined: pass 0 (others are ignored).
 *
 * Failures: as pmem_persist(); those of page-cache ranges are found by the fence.
 * Durable on return: nothing is promised.
 * Source: the document, "pmem_flush_cache".
 */
void pmem_flush_cache(void *addr, size_t len, int flags);

/*
 * Completes the flushes of the calling thread, and orders them: no later store
 * of this thread becomes durable before what was flushed earlier.
 *
 * Failures: as pmem_persist(), for any range flushed since the last fence.
 * Durable on return: every range that this thread has flushed.
 * Source: the document, "pmem_fence".
 */
void pmem_fence(void);

/*
 * Waits until flushed stores have left the buffers of the hardware. All that
 * Linux knows of today drain at the fence, so that this is a second fence, and
 * cheap after the first.
 *
 * Durable on return: every range that this thread has flushed.
 * Source: the document, "pmem_drain_pm_stores".
 */
void pmem_drain_pm_stores(void);

/*
 * ---- Two switches of the 2013 library ---------------------------------------
 * Both are for development. Call them before any other function, from one
 * thread: they hold for mappings that are made afterwards. The later call wins.
 */

/*
 * From now on no mapping counts as persistent memory: every persist goes
 * through msync(2). Device-dax stays as it is, since the kernel refuses to
 * msync it.
 */
void pmem_msync_mode(void);

/*
 * Fault injection: from now on a mapping is a private working copy, and only
 * the cache lines that are flushed reach the file. A store that was never
 * flushed is lost when the program ends, as it might be in a power cut. What
 * was flushed survives the program, not a power cut, so that such a mapping's
 * granularity is PMEM_GRANULARITY_NONE. Two mappings of one file see each
 * other's stores late or never. Device-dax cannot be mapped for writing then,
 * since the kernel makes no private mapping of it.
 */
void pmem_fit_mode(void);

/*
 * ---- Mapping ------------------------------------------------------------------
 */

/* pmem_map_range(): for reading only; a file open for reading is enough. */
#define PMEM_MAP_READONLY 0x1u
/* pmem_map_range(): stores stay in this process and never reach the file (MAP_PRIVATE). */
#define PMEM_MAP_COPY_ON_WRITE 0x2u
/*
 * pmem_map_range(): fault in the whole range now: holes are filled, and a full
 * file system is an error here and not a SIGBUS later.
 */
#define PMEM_MAP_POPULATE 0x4u
/* pmem_map_range(): fail unless the CPU alone can make stores durable. */
#define PMEM_MAP_REQUIRE_PM 0x8u

/*
 * Maps len bytes of fd from offset on, in the best way that the file allows,
 * and registers the mapping, so that persisting it is as fast as its media is.
 * The descriptor may be closed afterwards. offset must be a multiple of the
 * page size (of the device's alignment on device-dax, and there len too).
 *
 * Returns the address, or NULL with errno set and pmem_errormsg() saying more:
 *   EBADF       fd is not an open descriptor, or was opened with O_PATH
 *   EACCES      fd is write-only, or read-only without PMEM_MAP_READONLY or
 *               PMEM_MAP_COPY_ON_WRITE
 *   EINVAL      len is 0, an offset or length is off the alignment, an unknown
 *               flag, or the media cannot do what a flag asks
 *   EOVERFLOW   offset + len does not fit in off_t
 *   ENXIO       the range reaches beyond the end of the file, to the byte
 *   ENODEV      not a regular file and not a device-dax
 *   EOPNOTSUPP  PMEM_MAP_REQUIRE_PM, and it is not persistent memory: the
 *               message says why; or a device-dax on a processor that has no
 *               way to flush it
 *   EFAULT      PMEM_MAP_POPULATE, and a page could not be had
 *   ENOMEM      no memory or address space; any other error of mmap(2)
 * Durable on return: nothing new.
 */
void *pmem_map_range(int fd, off_t offset, size_t len, unsigned flags);

/*
 * Unmaps [addr, addr + len), len rounded up to whole pages (those of hugetlbfs
 * and device-dax are large ones), whoever mapped it, and forgets what was
 * registered of it. May be a part of a mapping, or span several. Ranges that
 * were flushed and not yet fenced stay in their threads' care: their fence still
 * makes them durable.
 *
 * Returns 0, or -1 with errno EINVAL (addr not page-aligned, len 0, or the
 * range wraps) or an error of munmap(2).
 * Durable on return: nothing new.
 */
int pmem_unmap(void *addr, size_t len);

/*
 * Classifies a mapping that the caller made with mmap(2), once, so that
 * persisting it is as fast as on a mapping of pmem_map(). The range is widened
 * to whole pages and may span mappings of different media. Registering again
 * classifies anew, and clears an earlier failure of the file. What pmem_map()
 * mapped is registered already, and stays as it is, failures included; pages
 * that may not be read are left to the kernel.
 *
 * Returns 0, or -1 with errno
 *   EINVAL      len is 0 or the range wraps
 *   ENOMEM      there is a hole in the range, or no memory
 *   other       /proc/self/smaps cannot be read: the range is persisted
 *               correctly all the same, through msync(2)
 * Durable on return: nothing new.
 */
int pmem_register(void *addr, size_t len);

/*
 * Forgets what pmem_register() was told of the range, widened to whole pages;
 * does not unmap. Never fails on a range that is not registered; what pmem_map()
 * mapped stays known until it is unmapped.
 *
 * Returns 0, or -1 with errno EINVAL (len is 0 or the range wraps) or ENOMEM
 * (no memory to split a registration).
 * Durable on return: nothing new.
 */
int pmem_unregister(void *addr, size_t len);

/* The unit in which stores to a mapping become durable, finest first. */
enum pmem_granularity {
	PMEM_GRANULARITY_BYTE,       /* the caches are in the persistence domain (eADR): a fence is enough */
	PMEM_GRANULARITY_CACHE_LINE, /* persistent memory: cache-line flush and fence */
	PMEM_GRANULARITY_PAGE,       /* page cache: msync(2), whole pages */
	PMEM_GRANULARITY_NONE        /* volatile: nothing can make it durable */
};

/*
 * Tells the coarsest granularity in [addr, addr + len); a len of 0 asks for the
 * one byte at addr. Reads /proc where the range is not registered.
 *
 * Returns the granularity; where nothing is mapped PMEM_GRANULARITY_NONE, with
 * errno set to ENOMEM.
 */
enum pmem_granularity pmem_granularity(const void *addr, size_t len);

/*
 * ---- Persisting with a result -------------------------------------------------
 * As pmem_persist(), but a failure is returned and the handler is not called.
 */

/*
 * Makes [addr, addr + len) durable. A len of 0 does nothing.
 *
 * Returns 0, or -1 with errno
 *   EINVAL      the range wraps
 *   ENOMEM      there is a hole in the range
 *   other       the error with which the kernel failed to write the file, now
 *               or earlier: ENOSPC, EIO, EDQUOT, ...
 * Durable on return of 0: the range, and everything that this thread had
 * flushed. On -1: nothing is promised of any of it.
 * Source: SNIA NVM Programming Model, OPTIMIZED_FLUSH.
 */
int pmem_try_persist(void *addr, size_t len);

/*
 * Makes count ranges durable with one fence, which is far cheaper than as many
 * calls. Ranges may overlap and lie on different media. A count of 0 does
 * nothing.
 *
 * Returns and errors: as pmem_try_persist(), for any range; EINVAL too if count
 * is negative.
 * Durable on return of 0: all ranges. On -1: nothing is promised of any.
 */
int pmem_try_persistv(const struct iovec *ranges, int count);

/*
 * Makes [addr, addr + len) durable, and pushes it on to the most reliable place
 * that software can reach: msync(2) on files, the region's flush hints on
 * device-dax.
 *
 * Returns and errors: as pmem_try_persist(); ENOTSUP too if the region of a
 * device-dax has no deep flush (the range is durable in the persistence domain
 * then), and the errors of writing to the region's deep_flush.
 * Durable on return of 0: the range, beyond the persistence domain.
 * Source: SNIA NVM Programming Model 1.2, DEEP_FLUSH.
 */
int pmem_deep_persist(const void *addr, size_t len);

/*
 * ---- Copy and fill --------------------------------------------------------------
 *
 * Storing and making durable in one call, which is faster than memmove(3) and
 * pmem_persist(): the stores are chosen for it. Any alignment, any length, any
 * mix of media in the destination; the source may be any readable memory, and
 * may overlap the destination. All return dst.
 *
 * Of the whole no more is atomic than of ordinary stores: a power cut during
 * the call leaves any part of it. But an aligned copy of 8 bytes is never torn,
 * on media that need no msync(2).
 *
 * A destination that is not mapped, or not for writing, raises SIGSEGV or
 * SIGBUS, as a store there would. A len of 0 does nothing.
 *
 * Failures: as pmem_persist(); the function returns dst if the handler returns.
 * Where the destination wraps around the address space nothing is stored.
 *
 * Signals: may be called in a signal handler where pmem_persist() may.
 */

/*
 * Copies len bytes from src to dst and starts to make them durable;
 * pmem_fence() completes it.
 *
 * Durable on return: nothing is promised.
 */
void *pmem_copy(void *dst, const void *src, size_t len);

/*
 * Copies len bytes from src to dst and makes them durable, with one fence.
 *
 * Durable on return: the destination, and everything that this thread had flushed.
 */
void *pmem_copy_persist(void *dst, const void *src, size_t len);

/*
 * Stores byte, converted to unsigned char, len times from dst on, and starts to
 * make it durable; pmem_fence() completes it.
 *
 * Durable on return: nothing is promised.
 */
void *pmem_fill(void *dst, int byte, size_t len);

/*
 * Stores byte, converted to unsigned char, len times from dst on, and makes it
 * durable, with one fence.
 *
 * Durable on return: the destination, and everything that this thread had flushed.
 */
void *pmem_fill_persist(void *dst, int byte, size_t len);

/*
 * ---- Failures -------------------------------------------------------------------
 *
 * A failed msync(2) means that stores are lost, and the next msync(2) would
 * report success. Therefore a file that failed once stays failed in this
 * process: every later persist of any mapping of it fails too, until that
 * mapping is unmapped and mapped anew with pmem_map(). A mapping of the
 * program's own is cleared by a new pmem_map() or pmem_register() of the file.
 */

struct pmem_failure {
	size_t sz;           /* size of this structure: later versions append members */
	const void *addr;    /* the range that is not durable */
	size_t len;          /* bytes */
	int error;           /* errno value */
	const char *message; /* one line for people, valid until the handler returns */
};

/*
 * Sets the function that is called when a function without a result failed
 * (pmem_persist(), pmem_flush_cache(), pmem_fence(), pmem_drain_pm_stores(), the
 * copies and fills, or the end of a thread that had flushed and not fenced). It runs in the thread
 * that failed, with no lock held, and may not return (longjmp, exec, abort). If
 * it returns, so does the function that failed. NULL brings back the default:
 * the message on stderr, then abort(3).
 *
 * Signals: may not be called in a signal handler.
 */
void pmem_on_failure(void (*handler)(const struct pmem_failure *failure, void *arg), void *arg);

/*
 * Returns the message of this thread's last failure, "" if there was none. The
 * text is valid until the next failure in this thread.
 */
const char *pmem_errormsg(void);

/*
 * ---- What a file is ---------------------------------------------------------------
 * The attributes of SNIA's NVM Programming Model, modes NVM.FILE and
 * NVM.PM.FILE, versions 1.0 to 1.2, and what programs want to know besides.
 * Answers are found out anew in each call: from a mapping that is tried, the file
 * system, and the devices and NVDIMM regions that the file itself is on. What
 * cannot be found out is not guessed. pmem_attribute(3) says of each what it
 * means on Linux and where the answer comes from.
 */

enum pmem_attribute {
	/* of the model; 0 or 1 where nothing else is said */
	PMEM_ATTRIBUTE_MAP_COPY_ON_WRITE_CAPABLE,
	PMEM_ATTRIBUTE_INTERRUPTED_STORE_ATOMICITY,
	PMEM_ATTRIBUTE_FUNDAMENTAL_ERROR_RANGE,        /* bytes */
	PMEM_ATTRIBUTE_FUNDAMENTAL_ERROR_RANGE_OFFSET, /* bytes */
	PMEM_ATTRIBUTE_OPTIMIZED_FLUSH_CAPABLE,
	PMEM_ATTRIBUTE_OPTIMIZED_FLUSH_AND_VERIFY_CAPABLE,
	PMEM_ATTRIBUTE_DEEP_FLUSH_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_MINIMAL_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_PRECISE_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_ERROR_UNIT_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_MAPPED_SUPPORT_CAPABLE,
	PMEM_ATTRIBUTE_ERROR_EVENT_LIVE_SUPPORT_CAPABLE,
	PMEM_ATTRIBUTE_SUPPORTED_MODES, /* enum pmem_file_mode, or-ed; 0: the file is in volatile memory */
	PMEM_ATTRIBUTE_FILE_MODE,       /* enum pmem_file_mode; the one that can be set */
	/* beyond the model */
	PMEM_ATTRIBUTE_GRANULARITY,        /* enum pmem_granularity, of what pmem_map() would make */
	PMEM_ATTRIBUTE_MAPPING_ALIGNMENT,  /* bytes; of offsets, on device-dax of lengths too */
	PMEM_ATTRIBUTE_PERSISTENCE_DOMAIN, /* enum pmem_domain */
	PMEM_ATTRIBUTE_NUMA_NODE,
	PMEM_ATTRIBUTE_UNSAFE_SHUTDOWNS /* count; power losses that the NVDIMMs may not have survived */
};

enum pmem_file_mode {
	PMEM_FILE_MODE_BLOCK = 1, /* NVM.FILE: through the page cache; msync(2) makes durable */
	PMEM_FILE_MODE_PM = 2     /* NVM.PM.FILE: direct access to persistent memory */
};

/* What survives a power failure: weakest first. */
enum pmem_domain {
	PMEM_DOMAIN_UNKNOWN,           /* never the value of an attribute */
	PMEM_DOMAIN_MEMORY_CONTROLLER, /* what has left the caches (ADR) */
	PMEM_DOMAIN_CPU_CACHE          /* what is in the caches (eADR) */
};

/*
 * Tells an attribute of the file that fd is open on; some of them want fd to be
 * open for reading, since they are found out by mapping the file.
 *
 * Returns 0 with *value set, or -1 with errno set and pmem_errormsg() saying more:
 *   ENODATA     the answer is not known on this file
 *   EINVAL      there is no such attribute
 *   EBADF       fd is not an open descriptor, or was opened with O_PATH
 *   EACCES      fd is open for writing only
 *   ENODEV      not a regular file and not a device-dax
 *   ENOMEM      no memory or address space to try a mapping; other errors of
 *               mmap(2)
 * Source: SNIA NVM Programming Model, NVM.FILE.GET_ATTRIBUTE and its like.
 */
int pmem_get_attribute(int fd, enum pmem_attribute attribute, uint64_t *value);

/*
 * Sets an attribute. PMEM_ATTRIBUTE_FILE_MODE alone can be set, and only where
 * the file system decides by file (mounted with dax=inode, its default): the
 * file's DAX flag is set or cleared. The mode itself changes when every process
 * has closed and unmapped the file; until then it reads as it was.
 *
 * Returns 0, or -1 with errno set and pmem_errormsg() saying more:
 *   ENOTSUP     the attribute can only be read; or the file cannot have that
 *               mode: the message says why
 *   EINVAL      there is no such attribute, or no such mode
 *   EPERM, EACCES, EROFS, ...: errors of the file system
 *   other       as pmem_get_attribute()
 * Durable on return: the flag, as any change of a file's metadata, after fsync(2).
 */
int pmem_set_attribute(int fd, enum pmem_attribute attribute, uint64_t value);

/*
 * Returns an attribute's name, as the model spells it: "FILE_MODE"; NULL where
 * there is no such attribute. Attributes are numbered from 0 without a gap.
 *
 * Signals: may be called in a signal handler.
 */
const char *pmem_attribute_name(enum pmem_attribute attribute);

struct pmem_explanation {
	size_t sz;           /* set to sizeof(struct pmem_explanation) before the call: later versions append members */
	char text[256];      /* what pmem_map() would make of the file, and why: one line for people */
	char filesystem[32]; /* "ext4", "device-dax"; "" if it has no name that is known */
	char device[64];     /* the kernel's name: "pmem0", "dax0.1"; "" where the file is on no one device */
};

/*
 * Explains what a mapping of the file would be now, and why it would be no
 * better. The text is the one that pmem_errormsg() has after PMEM_MAP_REQUIRE_PM
 * was refused.
 *
 * Returns 0, or -1 with errno EINVAL (sz is not set) or as pmem_get_attribute().
 */
int pmem_explain(int fd, struct pmem_explanation *explanation);

/*
 * Return the names of what was chosen for this processor when the library was
 * loaded: the instruction that makes stores durable ("clwb", "dc-cvap"; "none" if
 * the processor has no proven one, and everything goes through msync(2)), and the
 * way of pmem_copy() and pmem_fill() ("movdir64b", "plain"). Names are for people
 * and for logs: pmem_granularity() tells what a mapping needs.
 *
 * Signals: may be called in a signal handler.
 */
const char *pmem_flush_method(void);
const char *pmem_copy_method(void);

/* One NVDIMM region: memory that lives and dies together. Pointers are valid until each() returns. */
struct pmem_region {
	size_t sz;             /* size of this structure: later versions append members */
	const char *directory; /* "/sys/devices/.../ndbus0/region0": whatever else there is to know */
	const char *name;      /* "region0" */
	const char *provider;  /* what the kernel found it by: "ACPI.NFIT", "e820", "virtio-pmem"; "" if unknown */
	const char *devices;   /* what is in it, separated by blanks: "pmem0 dax0.1" */
	uint64_t size;         /* bytes; 0 if unknown */
	enum pmem_domain domain;
	int numa_node;            /* -1 if unknown */
	int64_t unsafe_shutdowns; /* -1 if unknown */
	int64_t bad_bytes;        /* bytes known to be lost; -1 if unknown */
};

/*
 * Calls each for every NVDIMM region that the file is on: one mostly, several
 * on a stacked device, none on what is not persistent memory. With an fd of -1,
 * for every region of the machine. Stops when each returns other than 0; each
 * has to return, and is not cancelled. An fd that was opened with O_PATH will do:
 * so a program can ask of a device before it opens it.
 *
 * Returns what each returned last, 0 if it was never called; or -1 with errno
 * EBADF or ENODEV, as pmem_get_attribute().
 */
int pmem_each_region(int fd, int (*each)(const struct pmem_region *region, void *arg), void *arg);

/*
 * ---- Errors of the memory ------------------------------------------------------------
 * Memory can lose what was stored in it. A program learns it by SIGBUS when it
 * touches such memory (the handler is the program's own: the library installs
 * none), and can ask for what is known to be lost. examples/survive.c does all
 * of this.
 */

enum pmem_error_cause {
	PMEM_ERROR_CONSUMED = 1, /* this thread loaded bytes that are lost */
	PMEM_ERROR_FOUND,        /* bytes were found to be lost; this thread has not loaded them */
	PMEM_ERROR_NO_PAGE       /* no page could be had: the file ends before, or is full, or could not be read */
};

struct pmem_error_info {
	size_t sz;        /* set to sizeof(struct pmem_error_info) before the call: later versions append members */
	const void *addr; /* the range that is lost, or cannot be reached: never less than really is */
	size_t len;       /* bytes */
	int resumable;    /* 1: the handler may return; 0: the same instruction would meet the same error */
	enum pmem_error_cause cause;
	const char *message; /* the cause in words; valid for ever */
};

/*
 * Decodes what a SIGBUS handler was given (SA_SIGINFO). Where resumable is 0 the
 * handler has to leave by siglongjmp(3), or map something else over the range
 * before it returns.
 *
 * Returns 0, or -1 with errno EINVAL: the signal is not about a page of a
 * mapping (an unaligned access, or sent by kill(2)), or sz is not set. No
 * message is left for pmem_errormsg().
 * Signals: made for signal handlers. errno is not touched when it returns 0.
 * Source: SNIA NVM Programming Model, NVM.PM.FILE.GET_ERROR_EVENT_INFO.
 */
#if !defined(__STRICT_ANSI__) || defined(_DEFAULT_SOURCE) || defined(_GNU_SOURCE) || defined(_POSIX_C_SOURCE) ||       \
	defined(_XOPEN_SOURCE)
int pmem_get_error_info(const siginfo_t *info, struct pmem_error_info *out); /* -std=c99 alone has no siginfo_t */
#endif

/*
 * Calls each for the ranges of the file that the kernel knows to be lost, in
 * order, adjacent ones as one: the bad blocks of the device, by the file's extents.
 * Stops when each returns other than 0; each has to return, and is not
 * cancelled. A range may reach beyond the end of the file, in its last page.
 *
 * Returns what each returned last, 0 if it was never called; or -1 with errno
 * set and pmem_errormsg() saying more:
 *   ENODATA     nobody keeps a list for this file: its device has none, or it is
 *               not known where on which device the file is (other file systems
 *               than ext4 and XFS, stacked devices, realtime files)
 *   EOVERFLOW   the list is longer than the kernel shows; each was called for
 *               what it shows
 *   EACCES      on a device-dax: root alone is told where it is in its region
 *   EBADF, ENODEV: as pmem_get_attribute(); errors of FS_IOC_FIEMAP
 */
int pmem_bad_ranges(int fd, int (*each)(off_t offset, size_t len, void *arg), void *arg);

/*
 * Gives lost bytes of [offset, offset + len) back to use, as zeros. In a file,
 * each block (a page at least) that has such a byte is punched out, filled anew
 * and written; on a device-dax, each 512-byte sector, by the bus's command for
 * clearing errors. Bytes are lost where the kernel's list says so, and where they
 * cannot be read. All other blocks are not touched, in the range or out of it.
 *
 * lost, unless it is NULL, is called for each run of bytes that are zeros now:
 * more than the error itself took, since a block can only be replaced whole. It is
 * called for what was cleared before a failure, too. It has to return, and
 * must not map the file.
 *
 * fd has to be open for reading and writing, without O_APPEND. Other processes
 * that map the range see the zeros.
 *
 * Returns 0 (also where nothing was lost), or -1 with errno set and
 * pmem_errormsg() saying more:
 *   EBUSY       this process has mapped a part of the range: unmap it first
 *   EINVAL      len is 0, offset negative, or O_APPEND; or a block that has to be
 *               cleared reaches out of the range: nothing was touched, and the
 *               message tells the range to ask for
 *   EOVERFLOW   offset + len does not fit in off_t
 *   ENXIO       the range begins beyond the end of the file
 *   EACCES      fd is not open for both; on a device-dax, not root
 *   ENOTSUP     the file system cannot punch holes; the device's bus cannot
 *               clear errors
 *   EIO         what was cleared still cannot be read
 *   other       errors of fallocate(2), pwrite(2), fsync(2); ENOSPC: the file
 *               has a hole there now
 * Durable on return of 0: the zeros.
 */
int pmem_clear_error(int fd, off_t offset, size_t len, void (*lost)(off_t offset, size_t len, void *arg), void *arg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
