/* direct_store.h: MOVDIRI and MOVDIR64B, decoded and carried out where the processor lacks them */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DIRECT_STORE_H
#define DIRECT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct direct_store {
	uintptr_t to;
	size_t size;    /* bytes stored: 64, 8 or 4 */
	uintptr_t from; /* of 64 bytes */
	uint64_t value; /* of 8 or 4 */
	size_t length;  /* of the instruction */
};

enum { DIRECT_STORE_LENGTH_MAX = 15 };

/*
 * Is this such an instruction? registers are in the order of the encoding (rax,
 * rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15). Operands relative to rip are
 * not decoded.
 */
bool direct_store_decode(const unsigned char *code, const uintptr_t registers[16], struct direct_store *store);

/*
 * From now on this process carries them out itself if the processor raises
 * SIGILL. False where nothing is written for it.
 */
bool direct_store_emulate(void);

#endif
