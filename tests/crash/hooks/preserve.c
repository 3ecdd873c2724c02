/* preserve.c: a hook beside an instruction keeps registers, flags, the red zone and errno */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Below the red zone of the compiler there is one of ours: what a hook could
 * touch is set, the instruction executed with the pool in %rdi, and %rbx gets a
 * bit for everything that is not as it was.
 */
#define SET                                                                                                            \
	"leaq -256(%%rsp), %%rsp; movq $0x5a5a, -128(%%rsp); movq $0x6b6b, -8(%%rsp);"                                 \
	"movl $1, %%eax; movl $2, %%ecx; movl $3, %%edx; movl $4, %%esi; movl $5, %%r8d; movl $6, %%r9d;"              \
	"movl $7, %%r10d; movl $8, %%r11d; movl $9, %%r12d; xorl %%ebx, %%ebx;"                                        \
	"pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15; stc;"

#define COMPARE                                                                                                        \
	"; setnc %%bl; xorl $1, %%eax; orl %%eax, %%ebx; xorl $2, %%ecx; orl %%ecx, %%ebx; xorl $3, %%edx;"            \
	"orl %%edx, %%ebx; xorl $4, %%esi; orl %%esi, %%ebx; xorl $5, %%r8d; orl %%r8d, %%ebx; xorl $6, %%r9d;"        \
	"orl %%r9d, %%ebx; xorl $7, %%r10d; orl %%r10d, %%ebx; xorl $8, %%r11d; orl %%r11d, %%ebx;"                    \
	"xorl $9, %%r12d; orl %%r12d, %%ebx; xorq $0x5a5a, -128(%%rsp); orq -128(%%rsp), %%rbx;"                       \
	"xorq $0x6b6b, -8(%%rsp); orq -8(%%rsp), %%rbx; pmovmskb %%xmm0, %%eax; xorl $0xffff, %%eax;"                  \
	"orl %%eax, %%ebx; pmovmskb %%xmm15, %%eax; xorl $0xffff, %%eax; orl %%eax, %%ebx; leaq 256(%%rsp), %%rsp"

#define KEEPS(instruction)                                                                                             \
	do {                                                                                                           \
		uint64_t changed;                                                                                      \
                                                                                                                       \
		errno = 77;                                                                                            \
		__asm__ volatile(SET instruction COMPARE                                                               \
				 : "=&b"(changed)                                                                      \
				 : "D"(pool)                                                                           \
				 : "rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "xmm0", "xmm15",       \
				   "memory", "cc");                                                                    \
		if (changed || errno != 77) {                                                                          \
			fprintf(stderr, "%s: changed %#lx, errno %d\n", instruction, (unsigned long)changed, errno);   \
			status = EXIT_FAILURE;                                                                         \
		}                                                                                                      \
	} while (0)

int main(void)
{
	int status = EXIT_SUCCESS;
	char *pool = pool_map();

	KEEPS("clwb (%%rdi)");                                      /* = flush 0 1 */
	KEEPS("clflush 64(%%rdi)");                                 /* = clflush 64 1 */
	KEEPS("sfence");                                            /* = fence */
	KEEPS("movnti %%rax, 128(%%rdi)");                          /* = nontemporal 128 8; flush 128 8 */
	KEEPS("movq %%rax, 136(%%rdi)");                            /* = store 136 8 */
	KEEPS("lock; btsl $0, 128(%%rdi)");                         /* = atomic 128 4; done */
	KEEPS("rep; stosb; leaq -2(%%rdi), %%rdi; movl $2, %%ecx"); /* = unordered 0 2 */
	return status;
}
