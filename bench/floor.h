/* floor.h: the fewest instructions that make a range durable, inline: what the library is measured against */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FLOOR_H
#define FLOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>

static inline bool floor_is_known(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & 1 << 24);
}

static inline const char *floor_name(void)
{
	return "clwb and sfence";
}

__attribute__((always_inline)) static inline void floor_persist(char *at, size_t length)
{
	for (uintptr_t line = (uintptr_t)at & ~(uintptr_t)63; line < (uintptr_t)at + length; line += 64)
		__asm__ volatile("clwb %0" : "+m"(*(volatile char *)line));
	__asm__ volatile("sfence" ::: "memory");
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

static inline bool floor_is_known(void)
{
	return getauxval(AT_HWCAP) & 1 << 16;
}

static inline const char *floor_name(void)
{
	return "dc cvap and dsb, 64-byte lines";
}

__attribute__((always_inline)) static inline void floor_persist(char *at, size_t length)
{
	for (uintptr_t line = (uintptr_t)at & ~(uintptr_t)63; line < (uintptr_t)at + length; line += 64)
		__asm__ volatile("sys #3, c7, c12, #1, %0" ::"r"(line) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

#else

static inline bool floor_is_known(void)
{
	return false;
}

static inline const char *floor_name(void)
{
	return "none";
}

static inline void floor_persist(char *at, size_t length)
{
	(void)at;
	(void)length;
}

#endif
#endif
