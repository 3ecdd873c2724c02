/* x86_64.h: the instructions that flush and fence */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_ARCH_X86_64_H
#define PMEM_ARCH_X86_64_H

#include <stdint.h>

static inline void clwb(uintptr_t line)
{
	__asm__ volatile("clwb %0" : "+m"(*(volatile char *)line)::"memory");
}

static inline void clflushopt(uintptr_t line)
{
	__asm__ volatile("clflushopt %0" : "+m"(*(volatile char *)line)::"memory");
}

static inline void clflush(uintptr_t line)
{
	__asm__ volatile("clflush %0" : "+m"(*(volatile char *)line)::"memory");
}

static inline void sfence(void)
{
	__asm__ volatile("sfence" ::: "memory");
}

/* Orders CLFLUSH on every processor; SFENCE does so on Intel's only. */
static inline void mfence(void)
{
	__asm__ volatile("mfence" ::: "memory");
}

#endif
