/* copy_x86_64.c: copies and fills by stores of 16, 32 and 64 bytes */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What makes a line durable here is a flush after its last store, or a direct
 * store (MOVDIRI, MOVDIR64B), which evicts the line and goes past the caches. A
 * non-temporal store alone does not: where it hits a cached line it may update
 * the line in place and leave it there (Intel's optimization manual allows it,
 * AMD's Zen 5 does it). So such stores are used for their speed on lines that
 * are not cached, and every line is flushed all the same.
 *
 * Measured, and not done: masked stores for partial lines and 64-byte stores of
 * AVX-512 (no faster); more than one MOVDIRI (far slower); rep movsb (slower).
 *
 * Sources: Intel SDM vol. 2 (CLWB, MOVDIRI, MOVDIR64B: ordered by SFENCE; a
 * flush is ordered after older stores to its line).
 */
#define _GNU_SOURCE
#include "copy.h"
#include "methods.h"
#include "x86_64.h"

#include <cpuid.h>
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

/* Sizes in bytes, all measured on an AMD Zen 3. */
enum {
	LINE = 64,
	PREFETCH_FROM = 1024, /* below this stores alone keep enough lines on their way */
	PREFETCH_AHEAD = 1024,
	STREAM_BLOCK = 8192,                   /* stored non-temporally before its lines are flushed */
	CPUID7_ECX_DIRECT = 1 << 27 | 1 << 28, /* MOVDIRI, MOVDIR64B */
};

/*
 * Bytes: from here on non-temporal stores take two thirds of the time if the
 * lines are not cached, and an eighth more if an earlier persist has left them
 * there: the larger a range, the less of it is cached.
 */
static size_t stream_from = 8192;

/* As users of PMDK tune it; never in a set-user-ID program. */
__attribute__((constructor(101))) static void read_environment(void)
{
	const char *threshold = secure_getenv("PMEM_MOVNT_THRESHOLD"), *none = secure_getenv("PMEM_NO_MOVNT");
	char *end;
	unsigned long long bytes;

	if (none && strcmp(none, "1") == 0)
		stream_from = SIZE_MAX;
	if (!threshold || threshold[0] < '0' || threshold[0] > '9')
		return;
	bytes = strtoull(threshold, &end, 10);
	if (*end == '\0' && stream_from != SIZE_MAX)
		stream_from = bytes;
}

#define always_inline __attribute__((always_inline)) static inline

always_inline void flush_by(enum flush_kind kind, const char *at)
{
	if (kind == FLUSH_CLWB)
		clwb((uintptr_t)at);
	else if (kind == FLUSH_CLFLUSHOPT)
		clflushopt((uintptr_t)at);
	else
		clflush((uintptr_t)at);
}

always_inline void fence_by(enum flush_kind kind)
{
	if (kind == FLUSH_CLFLUSH)
		mfence();
	else
		sfence();
}

always_inline void movdir64b(char *line, const char *from)
{
	__asm__ volatile("movdir64b (%1), %0" ::"r"(line), "r"(from) : "memory");
}

always_inline void movdiri(char *to, uint64_t value)
{
	__asm__ volatile("movdiri %1, (%0)" ::"r"(to), "r"(value) : "memory");
}

/* Asks for a line that will be stored to. */
always_inline void prefetch_line(const char *line)
{
	__asm__ volatile("prefetchw %0" ::"m"(*line));
}

/* The lines that the first stores go to; nothing where there are few. */
always_inline void prefetch_first(const char *to, size_t length)
{
	for (size_t at = 0; length >= PREFETCH_FROM && at < PREFETCH_AHEAD; at += LINE)
		prefetch_line(to + at);
}

/* The line that the stores will have come to some time after those at this place; never one behind the range. */
always_inline void prefetch_next(const char *to, size_t at, size_t length)
{
	if (at + PREFETCH_AHEAD < length)
		prefetch_line(to + at + PREFETCH_AHEAD);
}

/* Flushes the line, or the two, that hold 1 to 64 bytes. */
always_inline void flush_part(enum flush_kind kind, const char *at, size_t length)
{
	const uintptr_t first = (uintptr_t)at, last = first + length - 1;

	flush_by(kind, at);
	if ((first ^ last) & ~(uintptr_t)(LINE - 1))
		flush_by(kind, at + length - 1);
}

always_inline bool is_aligned(const char *at, size_t unit)
{
	return (uintptr_t)at % unit == 0;
}

/* 1 to 31 bytes: all are loaded before the first is stored, so that overlap does no harm. */
always_inline void copy_below_32(char *to, const char *from, size_t length)
{
	if (length >= 16) {
		const __m128i first = _mm_loadu_si128((const __m128i *)from);
		const __m128i last = _mm_loadu_si128((const __m128i *)(from + length - 16));

		_mm_storeu_si128((__m128i *)to, first);
		_mm_storeu_si128((__m128i *)(to + length - 16), last);
	} else if (length >= 8) {
		uint64_t first, last;

		memcpy(&first, from, 8);
		memcpy(&last, from + length - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + length - 8, &last, 8);
	} else if (length >= 4) {
		uint32_t first, last;

		memcpy(&first, from, 4);
		memcpy(&last, from + length - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + length - 4, &last, 4);
	} else {
		const char first = from[0], middle = from[length / 2], last = from[length - 1];

		to[0] = first;
		to[length / 2] = middle;
		to[length - 1] = last;
	}
}

always_inline void fill_below_32(char *to, uint64_t pattern, size_t length)
{
	if (length >= 16) {
		_mm_storeu_si128((__m128i *)to, _mm_set1_epi64x((long long)pattern));
		_mm_storeu_si128((__m128i *)(to + length - 16), _mm_set1_epi64x((long long)pattern));
	} else if (length >= 8) {
		memcpy(to, &pattern, 8);
		memcpy(to + length - 8, &pattern, 8);
	} else if (length >= 4) {
		memcpy(to, &pattern, 4);
		memcpy(to + length - 4, &pattern, 4);
	} else {
		to[0] = (char)pattern;
		to[length / 2] = (char)pattern;
		to[length - 1] = (char)pattern;
	}
}

/* --- Half a line, by 16 bytes and by 32 --------------------------------------------------- */

struct half_sse2 {
	__m128i low, high;
};

always_inline struct half_sse2 load_half_sse2(const char *from)
{
	return (struct half_sse2){
		.low = _mm_loadu_si128((const __m128i *)from),
		.high = _mm_loadu_si128((const __m128i *)(from + 16)),
	};
}

always_inline struct half_sse2 half_of_sse2(uint64_t pattern)
{
	const __m128i vector = _mm_set1_epi64x((long long)pattern);

	return (struct half_sse2){.low = vector, .high = vector};
}

always_inline void store_half_sse2(char *to, struct half_sse2 half)
{
	_mm_storeu_si128((__m128i *)to, half.low);
	_mm_storeu_si128((__m128i *)(to + 16), half.high);
}

always_inline void stream_half_sse2(char *to, struct half_sse2 half)
{
	_mm_stream_si128((__m128i *)to, half.low);
	_mm_stream_si128((__m128i *)(to + 16), half.high);
}

struct half_avx {
	__m256i whole;
};

__attribute__((target("avx2"))) always_inline struct half_avx load_half_avx(const char *from)
{
	return (struct half_avx){.whole = _mm256_loadu_si256((const __m256i *)from)};
}

__attribute__((target("avx2"))) always_inline struct half_avx half_of_avx(uint64_t pattern)
{
	return (struct half_avx){.whole = _mm256_set1_epi64x((long long)pattern)};
}

__attribute__((target("avx2"))) always_inline void store_half_avx(char *to, struct half_avx half)
{
	_mm256_storeu_si256((__m256i *)to, half.whole);
}

__attribute__((target("avx2"))) always_inline void stream_half_avx(char *to, struct half_avx half)
{
	_mm256_stream_si256((__m256i *)to, half.whole);
}

/* --- The bodies, by width ------------------------------------------------------------------ */

static bool lines_are_of_64_bytes(void)
{
	return flush_line == LINE;
}

static bool has_avx2(void)
{
	__builtin_cpu_init();
	return lines_are_of_64_bytes() && __builtin_cpu_supports("avx2");
}

static bool has_direct_stores(void)
{
	unsigned a, b, c, d;

	return has_avx2() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & CPUID7_ECX_DIRECT) == CPUID7_ECX_DIRECT;
}

#define WIDTH  sse2
#define METHOD "sse2"
#define USABLE lines_are_of_64_bytes
#define HALF   sse2
#define TARGET "sse2"
#define DIRECT 0
#include "copy_x86_64_body.h"

#define WIDTH  avx
#define METHOD "avx"
#define USABLE has_avx2
#define HALF   avx
#define TARGET "avx2"
#define DIRECT 0
#include "copy_x86_64_body.h"

/* Direct stores for whole lines, 32-byte stores for parts of lines. */
#define WIDTH  direct
#define METHOD "direct"
#define USABLE has_direct_stores
#define HALF   avx
#define TARGET "avx2"
#define DIRECT 1
#include "copy_x86_64_body.h"
