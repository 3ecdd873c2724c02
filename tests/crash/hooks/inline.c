/* inline.c: inline assembly and intrinsics; each line says what the hooks must tell */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <immintrin.h>
#include <stdint.h>

#define MEMORY(at) (*(volatile char *)(at))

__attribute__((noinline)) static void flushes(char *at)
{
	__asm__ volatile("clwb %0" : "+m"(MEMORY(at)));                            /* = flush 0 1 */
	__asm__ volatile("clflushopt %0" : "+m"(MEMORY(at + 64)));                 /* = flush 64 1 */
	__asm__ volatile("clflush %0" : "+m"(MEMORY(at + 128)));                   /* = clflush 128 1 */
	__asm__ volatile(".byte 0x66; xsaveopt %0" : "+m"(MEMORY(at + 64)));       /* = flush 64 1 */
	__asm__ volatile(".byte 0x66\n\tclflush %0" : "+m"(MEMORY(at)));           /* = flush 0 1 */
	__asm__ volatile("1: clwb (%0); sfence # a comment" ::"r"(at) : "memory"); /* = flush 0 1; fence */
	__asm__ volatile("mfence" ::: "memory");                                   /* = fence */
}

__attribute__((noinline, target("clwb,clflushopt"))) static void intrinsics(char *at)
{
	_mm_clflush(at);    /* = clflush 0 1 */
	_mm_clflushopt(at); /* = flush 0 1 */
	_mm_clwb(at + 70);  /* = flush 70 1 */
	_mm_sfence();       /* = fence */
	_mm_mfence();       /* = fence */
}

__attribute__((noinline)) static void locked(char *at, uint64_t *elsewhere)
{
	uint32_t *word = (uint32_t *)(at + 256), four = 1, expected = 1;
	uint64_t *number = (uint64_t *)(at + 264), eight = 1;
	uint8_t *byte = (uint8_t *)(at + 272), one = 1;

	__asm__ volatile("lock; xaddl %0, %1" : "+r"(four), "+m"(*word));                /* = atomic 256 4; done */
	__asm__ volatile("lock cmpxchgl %2, %1" : "+a"(expected), "+m"(*word) : "r"(7)); /* = atomic 256 4; done */
	__asm__ volatile("lock\n\tincq %0" : "+m"(*number));                             /* = atomic 264 8; done */
	__asm__ volatile("xchgq %0, %1" : "+r"(eight), "+m"(*number));                   /* = atomic 264 8; done */
	__asm__ volatile("xchg %0, %1" : "+q"(one), "+m"(*byte));                        /* = atomic 272 1; done */
	__asm__ volatile("lock incq %0" : "+m"(*elsewhere));                             /* = atomic elsewhere; done */
	__asm__ volatile("lock; orq $0, (%%rsp)" ::: "memory");                          /* = fence */
	if (*word != 7 || *number != 1 || eight != 1 || *byte != 1)
		abort();
}

__attribute__((noinline)) static void stores(char *at, uint64_t value)
{
	__asm__ volatile("movq %0, (%1)" ::"r"(value), "r"(at + 512) : "memory");        /* = store 512 8 */
	__asm__ volatile("movl $7, (%0)" ::"r"(at + 512) : "memory");                    /* = store 512 4 */
	__asm__ volatile("movb %b0, 3(%1)" ::"q"(value), "r"(at + 512) : "memory");      /* = store 515 1 */
	__asm__ volatile("addw %w0, (%1)" ::"r"(value), "r"(at + 512) : "memory", "cc"); /* = store 512 2 */
	__asm__ volatile("movups %%xmm0, (%0)" ::"r"(at + 512) : "memory");              /* = unordered 512 16 */
	__asm__ volatile("movq (%0), %%rcx" ::"r"(at + 512) : "rcx");
}

__attribute__((noinline)) static void past_the_caches(char *at, uint64_t value)
{
	char *to = at + 576;

	__asm__ volatile("movnti %0, (%1)" ::"r"(value), "r"(to) : "memory");    /* = nontemporal 576 8; flush 576 8 */
	__asm__ volatile("movntil %k0, 8(%1)" ::"r"(value), "r"(to) : "memory"); /* = nontemporal 584 4; flush 584 4 */
	__asm__ volatile("movntdq %%xmm1, 16(%0)" ::"r"(to) : "memory"); /* = nontemporal 592 16; flush 592 16 */
	_mm_stream_si64((long long *)(at + 608), (long long)value);      /* = nontemporal 608 8; flush 608 8 */
	_mm_stream_si128((__m128i *)(at + 624), _mm_setzero_si128());    /* = nontemporal 624 16; flush 624 16 */
}

__attribute__((noinline)) static void repeated(char *at)
{
	char *to = at + 1024;
	const char *from = at;
	size_t count = 24;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory"); /* = unordered 1024 24 */
	count = 3;
	__asm__ volatile("rep; stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory"); /* = unordered 1048 24 */
	count = 0;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0) : "memory");
	to = at + 1024 + 28;
	count = 2;
	__asm__ volatile("std; rep stosl; cld" : "+D"(to), "+c"(count) : "a"(1) : "memory"); /* = unordered 1048 8 */
}

int main(void)
{
	static uint64_t elsewhere;
	char *pool = pool_map();

	flushes(pool);
	intrinsics(pool);
	locked(pool, &elsewhere);
	stores(pool, 7);
	past_the_caches(pool, 7);
	repeated(pool);
	return 0;
}
