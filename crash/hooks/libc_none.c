/* libc_none.c: the renamed functions of the C library lead to themselves */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "libc_names.h"

#if defined(__x86_64__)
#define JUMP "jmp *"
#define TO   "@GOTPCREL(%rip)"
#elif defined(__aarch64__)
#define JUMP "b "
#define TO   ""
#else
#error "a jump is written for x86-64 and arm64"
#endif

/* A jump, not a call: the arguments, those of printf too, stay where they are. */
#define DEFINE_AS(hook, name)                                                                                          \
	__asm__(".pushsection .text\n"                                                                                 \
		".globl " hook "\n"                                                                                    \
		".type " hook ", %function\n" hook ":\n"                                                               \
		"	" JUMP name TO "\n"                                                                            \
		".size " hook ", . - " hook "\n"                                                                       \
		".popsection");

#define DEFINE(name) DEFINE_AS("__pmem_hook_" #name, #name)

LIBC_NAMES(DEFINE)

/* Newer clang calls these instead. */
DEFINE_AS("__tsan_memcpy", "memcpy")
DEFINE_AS("__tsan_memmove", "memmove")
DEFINE_AS("__tsan_memset", "memset")
