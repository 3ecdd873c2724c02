/* floor.h: the fewest instructions that make a range durable, inline: what the libraries are measured against */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every one of them is a persist, also where it stores non-temporally: the lines
 * are flushed all the same. Ranges are 8 bytes, or whole lines at the beginning
 * of a line.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define floor_inline __attribute__((always_inline)) static inline

enum {
	FLOOR_LINE = 64,
	FLOOR_AHEAD = 1024, /* bytes */
};

#if defined(__x86_64__)
#include <cpuid.h>

enum {
	FLOOR_EBX7_AVX2 = 1 << 5,
	FLOOR_EBX7_CLWB = 1 << 24,
	FLOOR_ECX7_DIRECT = 1 << 28,
	FLOOR_BLOCK = 8192, /* bytes stored non-temporally before they are flushed */
};

static inline bool floor_is_known(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & FLOOR_EBX7_CLWB) && (b & FLOOR_EBX7_AVX2);
}

static inline bool floor_has_direct_stores(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & FLOOR_ECX7_DIRECT);
}

floor_inline void floor_flush(char *at)
{
	__asm__ volatile("clwb %0" : "+m"(*(volatile char *)at)::"memory");
}

floor_inline void floor_fence(void)
{
	__asm__ volatile("sfence" ::: "memory");
}

floor_inline void floor_copy_line(char *to, const char *from)
{
	__asm__ volatile("vmovdqu (%1), %%ymm0\n\tvmovdqu 32(%1), %%ymm1\n\t"
			 "vmovdqa %%ymm0, (%0)\n\tvmovdqa %%ymm1, 32(%0)"
			 :
			 : "r"(to), "r"(from)
			 : "memory", "xmm0", "xmm1");
}

floor_inline void floor_stream_line(char *to, const char *from)
{
	__asm__ volatile("vmovdqu (%1), %%ymm0\n\tvmovdqu 32(%1), %%ymm1\n\t"
			 "vmovntdq %%ymm0, (%0)\n\tvmovntdq %%ymm1, 32(%0)"
			 :
			 : "r"(to), "r"(from)
			 : "memory", "xmm0", "xmm1");
}

floor_inline void floor_direct_line(char *to, const char *from)
{
	__asm__ volatile("movdir64b (%1), %0" ::"r"(to), "r"(from) : "memory");
}

floor_inline void floor_prefetch(const char *at)
{
	__asm__ volatile("prefetchw %0" ::"m"(*at));
}

floor_inline void floor_leave_avx(void)
{
	__asm__ volatile("vzeroupper");
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

enum { FLOOR_BLOCK = 1024 };

static inline bool floor_is_known(void)
{
	return getauxval(AT_HWCAP) & 1 << 16;
}

static inline bool floor_has_direct_stores(void)
{
	return false;
}

/* dc cvap, on lines of 64 bytes */
floor_inline void floor_flush(char *at)
{
	__asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(at) : "memory");
}

floor_inline void floor_fence(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

floor_inline void floor_copy_line(char *to, const char *from)
{
	__asm__ volatile("ldp q0, q1, [%1]\n\tldp q2, q3, [%1, #32]\n\tstp q0, q1, [%0]\n\tstp q2, q3, [%0, #32]"
			 :
			 : "r"(to), "r"(from)
			 : "memory", "v0", "v1", "v2", "v3");
}

floor_inline void floor_stream_line(char *to, const char *from)
{
	floor_copy_line(to, from);
}

floor_inline void floor_direct_line(char *to, const char *from)
{
	floor_copy_line(to, from);
}

floor_inline void floor_prefetch(const char *at)
{
	__builtin_prefetch(at, 1);
}

floor_inline void floor_leave_avx(void)
{
}

#else

enum { FLOOR_BLOCK = 1024 };

/* No floor is written for this processor: it is not asked for one. */
static inline bool floor_is_known(void)
{
	return false;
}

static inline bool floor_has_direct_stores(void)
{
	return false;
}

floor_inline void floor_flush(char *at)
{
	(void)at;
}

floor_inline void floor_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

floor_inline void floor_copy_line(char *to, const char *from)
{
	memcpy(to, from, FLOOR_LINE);
}

floor_inline void floor_stream_line(char *to, const char *from)
{
	memcpy(to, from, FLOOR_LINE);
}

floor_inline void floor_direct_line(char *to, const char *from)
{
	memcpy(to, from, FLOOR_LINE);
}

floor_inline void floor_prefetch(const char *at)
{
	__builtin_prefetch(at, 1);
}

floor_inline void floor_leave_avx(void)
{
}

#endif

floor_inline void floor_flush_range(char *at, size_t length)
{
	char *const end = at + length;

	for (char *line = at - (uintptr_t)at % FLOOR_LINE; line < end; line += FLOOR_LINE)
		floor_flush(line);
}

floor_inline void floor_persist(char *at, size_t length)
{
	floor_flush_range(at, length);
	floor_fence();
}

/* 8 bytes: one store. Inlined where the length is known not to be 8 this is no test. */
floor_inline bool floor_copy_8(char *to, const char *from, size_t length)
{
	if (length != 8)
		return false;
	memcpy(to, from, 8);
	floor_persist(to, 8);
	return true;
}

/*
 * Whole copies. The source goes on by step bytes a line: FLOOR_LINE for a copy,
 * 0 for a fill with a line that is given.
 */

/* Each line stored and flushed. */
floor_inline void floor_copy_by_store(char *to, const char *from, size_t length, size_t step)
{
	if (floor_copy_8(to, from, length))
		return;
	for (size_t at = 0; at < length; at += FLOOR_LINE) {
		floor_copy_line(to + at, from);
		floor_flush(to + at);
		from += step;
	}
	floor_leave_avx();
	floor_fence();
}

/* The same, each line asked for well before it is stored to. */
floor_inline void floor_copy_by_prefetched_store(char *to, const char *from, size_t length, size_t step)
{
	if (floor_copy_8(to, from, length))
		return;
	for (size_t at = 0; at < length && at < FLOOR_AHEAD; at += FLOOR_LINE)
		floor_prefetch(to + at);
	for (size_t at = 0; at < length; at += FLOOR_LINE) {
		if (at + FLOOR_AHEAD < length)
			floor_prefetch(to + at + FLOOR_AHEAD);
		floor_copy_line(to + at, from);
		floor_flush(to + at);
		from += step;
	}
	floor_leave_avx();
	floor_fence();
}

/* A block stored non-temporally, then flushed. */
floor_inline void floor_copy_by_stream(char *to, const char *from, size_t length, size_t step)
{
	size_t block;

	if (floor_copy_8(to, from, length))
		return;
	for (size_t done = 0; done < length; done += block) {
		block = length - done < FLOOR_BLOCK ? length - done : FLOOR_BLOCK;
		for (size_t at = done; at < done + block; at += FLOOR_LINE) {
			floor_stream_line(to + at, from);
			from += step;
		}
		floor_flush_range(to + done, block);
	}
	floor_leave_avx();
	floor_fence();
}

/* Each line stored past the caches. */
floor_inline void floor_copy_by_direct_store(char *to, const char *from, size_t length, size_t step)
{
	if (floor_copy_8(to, from, length))
		return;
	for (size_t at = 0; at < length; at += FLOOR_LINE) {
		floor_direct_line(to + at, from);
		from += step;
	}
	floor_fence();
}

#endif
