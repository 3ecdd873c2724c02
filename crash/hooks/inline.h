/* inline.h: hooks that the assembler wrapper puts beside instructions which compilers do not tell of */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The wrapper (assembler/) calls them with the address of the operand in %rax,
 * below the red zone; they keep every other register and the flags. Their names
 * say what the instruction does and to how many bytes. One list for the wrapper,
 * for the stubs in assembly, and for inline.c.
 */
#ifndef PMEM_HOOKS_INLINE_H
#define PMEM_HOOKS_INLINE_H

/* What the instruction does: the number that a stub hands to inline.c. */
#define INLINE_FLUSH         1 /* before clwb, clflushopt */
#define INLINE_FLUSH_ORDERED 2 /* before clflush */
#define INLINE_FENCE         3 /* before sfence, mfence */
#define INLINE_STORE         4 /* before a store */
#define INLINE_VECTOR        5 /* before a store whose parts have no order */
#define INLINE_NONTEMPORAL   6 /* after a store that went past the caches */
#define INLINE_REPEATED      7 /* before rep movs, rep stos: the range is in %rdi and %rcx */
#define INLINE_LOCKED        8 /* before a locked instruction */
#define INLINE_UNLOCKED      9 /* after it */

/* STUB(name of the hook after __pmem_hook_inline_, what, bytes) */
#define INLINE_STUBS(STUB)                                                                                             \
	STUB(flush, INLINE_FLUSH, 1)                                                                                   \
	STUB(flush_ordered, INLINE_FLUSH_ORDERED, 1)                                                                   \
	STUB(fence, INLINE_FENCE, 0)                                                                                   \
	STUB(store_1, INLINE_STORE, 1)                                                                                 \
	STUB(store_2, INLINE_STORE, 2)                                                                                 \
	STUB(store_4, INLINE_STORE, 4)                                                                                 \
	STUB(store_8, INLINE_STORE, 8)                                                                                 \
	STUB(vector_16, INLINE_VECTOR, 16)                                                                             \
	STUB(vector_32, INLINE_VECTOR, 32)                                                                             \
	STUB(vector_64, INLINE_VECTOR, 64)                                                                             \
	STUB(nontemporal_4, INLINE_NONTEMPORAL, 4)                                                                     \
	STUB(nontemporal_8, INLINE_NONTEMPORAL, 8)                                                                     \
	STUB(nontemporal_16, INLINE_NONTEMPORAL, 16)                                                                   \
	STUB(nontemporal_32, INLINE_NONTEMPORAL, 32)                                                                   \
	STUB(nontemporal_64, INLINE_NONTEMPORAL, 64)                                                                   \
	STUB(repeated_1, INLINE_REPEATED, 1)                                                                           \
	STUB(repeated_2, INLINE_REPEATED, 2)                                                                           \
	STUB(repeated_4, INLINE_REPEATED, 4)                                                                           \
	STUB(repeated_8, INLINE_REPEATED, 8)                                                                           \
	STUB(locked_1, INLINE_LOCKED, 1)                                                                               \
	STUB(locked_2, INLINE_LOCKED, 2)                                                                               \
	STUB(locked_4, INLINE_LOCKED, 4)                                                                               \
	STUB(locked_8, INLINE_LOCKED, 8)                                                                               \
	STUB(locked_16, INLINE_LOCKED, 16)                                                                             \
	STUB(unlocked, INLINE_UNLOCKED, 0)

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* The registers that the stub has saved, as they were. */
struct inline_registers {
	uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
};

/* Called by the stubs with all registers saved. */
void inline_event(unsigned what, size_t size, const void *site, const struct inline_registers *registers,
		  uint64_t flags);
#endif
#endif
