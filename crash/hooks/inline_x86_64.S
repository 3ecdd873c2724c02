/* inline_x86_64.S: stubs that save all registers around inline_event(); without a recorder they return at once */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "inline.h"

#define STUB(name, what, size) hook __pmem_hook_inline_##name, what, size;

	.text

#ifdef HOOKS_RECORD

/* struct record_bounds: record.h */
#define LOW record_bounds(%rip)
#define HIGH 8 + record_bounds(%rip)

/* x87, SSE, AVX and AVX-512: 512 bytes, 64 of header, and what follows, 2688 at most; an eighth of a KiB to spare. */
#define VECTOR_STATES 0xe7
#define VECTOR_ROOM 2816

/* Most of a program's stores and flushes are not to a pool; those that order have no address. */
	.macro	hook name, what, size
	.globl	\name
	.type	\name, @function
	.p2align 4
\name:
	.cfi_startproc
	pushfq
	.cfi_adjust_cfa_offset 8
	cmpq	$-1, LOW
	je	1f
	.if	\what != INLINE_FENCE && \what != INLINE_LOCKED && \what != INLINE_UNLOCKED && \what != INLINE_REPEATED
	cmpq	HIGH, %rax
	jae	1f
	addq	$\size, %rax
	cmpq	LOW, %rax
	leaq	-\size(%rax), %rax
	jbe	1f
	.endif
	pushq	$(\what << 8 | \size)
	.cfi_adjust_cfa_offset 8
	call	inline_common
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
1:	popfq
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	\name, . - \name
	.endm

/* Above the return address: what and size, the flags, the return address into the program. */
	.type	inline_common, @function
inline_common:
	.cfi_startproc
	pushq	%rbp
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register %rbp
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	movq	%rsp, %rcx
	pushq	%rbx
	.cfi_offset %rbx, -96
	cld
	subq	$VECTOR_ROOM, %rsp
	andq	$-64, %rsp
	movq	%rsp, %rbx
	movl	$VECTOR_STATES, %eax
	xorl	%edx, %edx
	cmpb	$0, inline_has_xsave(%rip)
	je	1f
	/* What xsave does not write of the header must be zero for xrstor. */
	movq	%rdx, 512(%rbx)
	movq	%rdx, 520(%rbx)
	movq	%rdx, 528(%rbx)
	movq	%rdx, 536(%rbx)
	movq	%rdx, 544(%rbx)
	movq	%rdx, 552(%rbx)
	movq	%rdx, 560(%rbx)
	movq	%rdx, 568(%rbx)
	xsave64	(%rbx)
	jmp	2f
1:	fxsave64 (%rbx)
2:	movzbl	17(%rbp), %edi
	movzbl	16(%rbp), %esi
	movq	32(%rbp), %rdx
	movq	24(%rbp), %r8
	call	inline_event
	movl	$VECTOR_STATES, %eax
	xorl	%edx, %edx
	cmpb	$0, inline_has_xsave(%rip)
	je	3f
	xrstor64 (%rbx)
	jmp	4f
3:	fxrstor64 (%rbx)
4:	movq	-80(%rbp), %rbx
	leaq	-72(%rbp), %rsp
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	popq	%rbp
	.cfi_def_cfa %rsp, 8
	ret
	.cfi_endproc
	.size	inline_common, . - inline_common

#else

	.macro	hook name, what, size
	.globl	\name
	.type	\name, @function
\name:
	ret
	.size	\name, . - \name
	.endm

#endif

	INLINE_STUBS(STUB)

	.section .note.GNU-stack, "", @progbits
