/* libpmem.h: the interface of PMDK's libpmem, for programs that were written for it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * READ THIS FIRST
 *
 * - New programs are better served by pmem.h, which knows by itself what makes
 *   a range durable. Here the caller has to know: ask pmem_is_pmem(), then use
 *   pmem_persist() where it says 1, and pmem_msync() where it says 0.
 * - Functions without a result flush processor caches for *any* address that no
 *   mapping of this library covers, and that is all they do there: the caller
 *   is taken at its word. On a mapping of pmem_map_file() they do what its media
 *   needs: on the page cache that is msync(2), at the drain.
 * - A binary that was linked with PMDK's library runs on this one as it is. One
 *   that is compiled with this header needs this library.
 * - pmem.h and this header cannot be included together: pmem_persist() is a
 *   name of both, with different parameters and a different contract.
 * - The environment variables that programs of PMDK know are in libpmem(7).
 *
 * Threads: every function may be called from any thread. Signals: the functions
 * that flush, drain or copy may be called in a signal handler, as long as they
 * touch no mapping of the page cache. Failures, where one of them has no
 * result: as "Failures" in pmem.h says, one line on stderr, then abort(3); it
 * can happen only on the page cache.
 */
#ifndef LIBPMEM_H
#define LIBPMEM_H 1

#if defined(PMEM_H) && !defined(PMEM_BUILD)
#error "pmem.h and libpmem.h are two interfaces that share the name pmem_persist(): include one of them in a file"
#endif

#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * ---- Mapping ----------------------------------------------------------------
 */

/* The smallest pool of PMDK's other libraries, which take it from here. Means nothing to this one. */
#define PMEM_MIN_PART ((size_t)(1024 * 1024 * 2))

/* pmem_map_file(): make the file if it is not there, and give it the length len. */
#define PMEM_FILE_CREATE (1 << 0)
/* pmem_map_file(), with PMEM_FILE_CREATE: fail if the file is there. */
#define PMEM_FILE_EXCL (1 << 1)
/* pmem_map_file(), with PMEM_FILE_CREATE: allocate no blocks; a store may then meet a full file system, and raise SIGBUS. */
#define PMEM_FILE_SPARSE (1 << 2)
/* pmem_map_file(), with PMEM_FILE_CREATE: path is a folder; the file in it has no name, and goes with its mapping. */
#define PMEM_FILE_TMPFILE (1 << 3)

/*
 * Opens or makes a file and maps the whole of it, shared, for reading and
 * writing. With PMEM_FILE_CREATE an existing file is cut or extended to len
 * bytes, and mode is the new file's permissions; without it, len must be 0. On
 * a device-dax PMEM_FILE_CREATE and PMEM_FILE_SPARSE are accepted and mean
 * nothing, and len is 0 or the exact size.
 *
 * The address is a multiple of 2 MiB, and of 1 GiB from 2 GiB on;
 * PMEM_MMAP_HINT in the environment places it elsewhere. *mapped_lenp gets the
 * length in bytes, *is_pmemp what pmem_is_pmem() says; either may be NULL. Why
 * a file is not persistent memory is told to the function that
 * pmem_log_set_function() set, at PMEM_LOG_LEVEL_NOTICE, and by "pmem info".
 *
 * Returns the address, with errno EOPNOTSUPP if it is not persistent memory; or
 * NULL with errno set and pmem_errormsg() saying more:
 *   EINVAL      an unknown flag, or one that cannot be had with the others or
 *               on a device-dax; len 0 with PMEM_FILE_CREATE, or another len
 *               without; an empty file; neither a regular file nor a device-dax
 *   EOPNOTSUPP  a device-dax on a processor that has no way to flush it
 *   other       errors of open(2), ftruncate(2), posix_fallocate(3), mmap(2)
 * A file that PMEM_FILE_CREATE with PMEM_FILE_EXCL had made is removed then.
 * A descriptor of the file is opened and closed: POSIX locks (fcntl(2)) that
 * this process holds on it are gone.
 * Durable on return: nothing; the name of a new file is when its folder was fsynced.
 */
void *pmem_map_file(const char *path, size_t len, int flags, mode_t mode, size_t *mapped_lenp, int *is_pmemp);

/*
 * Unmaps [addr, addr + len), len rounded up to whole pages. The same function
 * as in pmem.h.
 *
 * Returns 0, or -1 with errno EINVAL (addr not page-aligned, len 0, or the
 * range wraps) or an error of munmap(2).
 */
int pmem_unmap(void *addr, size_t len);

/*
 * Does all of [addr, addr + len) lie on persistent memory that the processor
 * alone can make durable? 0 for a len of 0. Mappings of pmem_map_file() are
 * looked up without a lock; the kernel is asked about others, which takes a
 * while. PMEM_IS_PMEM_FORCE=0 or 1 in the environment is the answer to all.
 *
 * Returns 1 or 0.
 */
int pmem_is_pmem(const void *addr, size_t len);

/*
 * ---- Making stores durable -----------------------------------------------------
 */

/*
 * Flushes [addr, addr + len) and drains. In the library this function has a
 * name of its own, since pmem.h has the same one.
 *
 * Durable on return: the range, on persistent memory.
 */
#ifdef PMEM_BUILD
void libpmem_persist(const void *addr, size_t len);
#else
void pmem_persist(const void *addr, size_t len) __asm__("libpmem_persist");
#endif

/*
 * Makes the pages that hold [addr, addr + len) durable through the kernel, on
 * any mapping of a file. On a device-dax, where the kernel refuses, by the
 * processor. A len of 0 does nothing.
 *
 * Returns 0, or -1 with errno: ENOMEM if there is a hole in the range, EINVAL
 * if it wraps, or the error with which the kernel failed to write the file, now
 * or earlier (see "Failures" in pmem.h). A signal does not interrupt it.
 * Durable on return of 0: the range.
 */
int pmem_msync(const void *addr, size_t len);

/* Starts to write back the caches' lines of the range; none where they are persistent themselves. */
void pmem_flush(const void *addr, size_t len);

/* Waits until what this thread has flushed is durable. */
void pmem_drain(void);

/* As pmem_flush(), and writes back persistent caches too. */
void pmem_deep_flush(const void *addr, size_t len);

/*
 * Pushes the range on to the most reliable place that software can reach:
 * msync(2) on files, the region's flush hints on device-dax. pmem_deep_persist()
 * is the same function as in pmem.h; since it flushes too, pmem_deep_drain()
 * does all that it does.
 *
 * Return 0, or -1 with errno: as pmem_msync(), or an error of writing to the
 * region's deep_flush; ENOTSUP where a device-dax is in no region.
 * Durable on return of 0: the range, beyond the persistence domain.
 */
int pmem_deep_drain(const void *addr, size_t len);
int pmem_deep_persist(const void *addr, size_t len);

/*
 * Are the caches of this machine persistent (eADR), as each of its NVDIMM
 * regions says? The library itself asks for each mapping. Returns 1 or 0.
 */
int pmem_has_auto_flush(void);

/* Returns 0: no processor of today drains by an instruction of its own. */
int pmem_has_hw_drain(void);

/*
 * ---- Copy and fill ---------------------------------------------------------------
 */

/* Flags of the copies; others are ignored. */
/* Do not drain: pmem_drain() will. */
#define PMEM_F_MEM_NODRAIN (1U << 0)
/* Go past the caches, or through them: hints, which change nothing that can be seen but the speed. */
#define PMEM_F_MEM_NONTEMPORAL (1U << 1)
#define PMEM_F_MEM_TEMPORAL    (1U << 2)
#define PMEM_F_MEM_WC          (1U << 3)
#define PMEM_F_MEM_WB          (1U << 4)
/* Do not even flush: nothing is durable. Implies PMEM_F_MEM_NODRAIN. */
#define PMEM_F_MEM_NOFLUSH (1U << 5)

#define PMEM_F_MEM_VALID_FLAGS                                                                                         \
	(PMEM_F_MEM_NODRAIN | PMEM_F_MEM_NONTEMPORAL | PMEM_F_MEM_TEMPORAL | PMEM_F_MEM_WC | PMEM_F_MEM_WB |           \
	 PMEM_F_MEM_NOFLUSH)

/*
 * Copy len bytes, or fill them with the byte c, and flush what was stored. The
 * ranges may overlap, in pmem_memcpy() too. Those called _nodrain leave the
 * drain to pmem_drain(); those with flags drain if the flags do not say
 * otherwise.
 *
 * Return pmemdest.
 * Durable on return, if they drain: the destination, on persistent memory.
 */
void *pmem_memmove(void *pmemdest, const void *src, size_t len, unsigned flags);
void *pmem_memcpy(void *pmemdest, const void *src, size_t len, unsigned flags);
void *pmem_memset(void *pmemdest, int c, size_t len, unsigned flags);
void *pmem_memmove_persist(void *pmemdest, const void *src, size_t len);
void *pmem_memcpy_persist(void *pmemdest, const void *src, size_t len);
void *pmem_memset_persist(void *pmemdest, int c, size_t len);
void *pmem_memmove_nodrain(void *pmemdest, const void *src, size_t len);
void *pmem_memcpy_nodrain(void *pmemdest, const void *src, size_t len);
void *pmem_memset_nodrain(void *pmemdest, int c, size_t len);

/*
 * ---- Versions and messages --------------------------------------------------------
 */

/* The version of this interface, as PMDK counts it. */
#define PMEM_MAJOR_VERSION 1
#define PMEM_MINOR_VERSION 1

/* Returns NULL if the library has this interface, and otherwise what does not fit. */
const char *pmem_check_version(unsigned major_required, unsigned minor_required);

/*
 * Returns the message of this thread's last failure, "" if there was none. The
 * text is valid until the next failure in this thread.
 */
const char *pmem_errormsg(void);

/* How grave a message is, gravest first. */
enum pmem_log_level {
	PMEM_LOG_LEVEL_HARK, /* no message has it: as a threshold, silence */
	PMEM_LOG_LEVEL_FATAL,
	PMEM_LOG_LEVEL_ERROR, /* a call failed */
	PMEM_LOG_LEVEL_WARNING,
	PMEM_LOG_LEVEL_NOTICE, /* a file was mapped, and is not persistent memory */
	PMEM_LOG_LEVEL_INFO,
	PMEM_LOG_LEVEL_DEBUG
};

enum pmem_log_threshold {
	PMEM_LOG_THRESHOLD,    /* messages beyond it are not logged; at first PMEM_LOG_LEVEL_WARNING */
	PMEM_LOG_THRESHOLD_AUX /* the default function writes those up to here to stderr; at first PMEM_LOG_LEVEL_HARK */
};

/*
 * Set and tell a threshold. Return 0, or EINVAL, also in errno, for a threshold
 * or a level that does not exist, or a value of NULL.
 */
int pmem_log_set_threshold(enum pmem_log_threshold threshold, enum pmem_log_level value);
int pmem_log_get_threshold(enum pmem_log_threshold threshold, enum pmem_log_level *value);

/*
 * A function that gets messages. The library's own come from "libpmem", line 0,
 * function "": the message alone says what happened, with what.
 */
typedef void pmem_log_function(enum pmem_log_level level, const char *file_name, unsigned line_no,
			       const char *function_name, const char *message);

#define PMEM_LOG_USE_DEFAULT_FUNCTION (NULL)

/*
 * Sets the function that gets messages, in the thread that they concern, with
 * no errno to spoil. It must not call the library. NULL brings back the default,
 * which writes to stderr as PMEM_LOG_THRESHOLD_AUX says, and never to syslog.
 * Returns 0.
 */
int pmem_log_set_function(pmem_log_function *log_function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
