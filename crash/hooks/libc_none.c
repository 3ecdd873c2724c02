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
#define DEFINE(name)                                                                                                   \
	__asm__(".pushsection .text\n"                                                                                 \
		".globl __pmem_hook_" #name "\n"                                                                       \
		".type __pmem_hook_" #name ", %function\n"                                                             \
		"__pmem_hook_" #name ":\n"                                                                             \
		"	" JUMP #name TO "\n"                                                                           \
		".size __pmem_hook_" #name ", . - __pmem_hook_" #name "\n"                                             \
		".popsection");

LIBC_NAMES(DEFINE)
