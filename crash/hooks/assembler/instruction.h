/* instruction.h: which instructions need a hook, and where they store (x86-64, AT&T syntax) */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_AS_INSTRUCTION_H
#define PMEM_AS_INSTRUCTION_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of the source text. */
struct slice {
	const char *start;
	size_t length;
};

/* What stands before an instruction, as statements or words of their own. */
struct prefixes {
	bool lock;
	bool repeat;
	bool byte_66; /* .byte 0x66: makes clwb of xsaveopt, and clflushopt of clflush */
};

/* Hooks for one instruction: names after __pmem_hook_inline_, empty for none. */
struct hooks {
	char before[48];
	char after[48];
	struct slice address; /* what lea is given for %rax; start is NULL where the hook has no address */
	bool parenthesised;   /* the address is a register: in parentheses for lea */
};

/*
 * The hooks for an instruction; written: it was written by hand, so that no
 * compiler has told of its stores. False where it needs none.
 */
bool instruction_hooks(struct slice mnemonic, struct slice operands, struct prefixes prefixes, bool written,
		       struct hooks *hooks);

/* Is a hook wanted for this mnemonic whatever its operands are? For the remark about syntax that is not read. */
bool instruction_is_persistence(struct slice mnemonic);

#endif
