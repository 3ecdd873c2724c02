/* direct_store.c: MOVDIRI and MOVDIR64B, decoded and carried out where the processor lacks them */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "direct_store.h"

#if defined(__x86_64__)

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* An operand in memory: base, index and displacement as mod, r/m and SIB say. Returns the byte after it. */
static const unsigned char *decode_memory(const unsigned char *at, unsigned rex, const uintptr_t registers[16],
					  uintptr_t *address)
{
	const unsigned mode = *at >> 6, rm = *at & 7;
	int displacement = 0;

	at++;
	if (rm == 4) {
		const unsigned index = (*at >> 3 & 7) | (rex & 2) << 2;

		*address = registers[(*at & 7) | (rex & 1) << 3];
		if (index != 4)
			*address += registers[index] << (*at >> 6);
		at++;
	} else {
		*address = registers[rm | (rex & 1) << 3];
	}
	if (mode == 1)
		displacement = (signed char)*at++;
	if (mode == 2) {
		memcpy(&displacement, at, sizeof(displacement));
		at += sizeof(displacement);
	}
	*address += (uintptr_t)(intptr_t)displacement;
	return at;
}

/* 66 [rex] 0f 38 f8 /r: MOVDIR64B, register points to the destination; [rex] 0f 38 f9 /r: MOVDIRI, memory is it. */
bool direct_store_decode(const unsigned char *code, const uintptr_t registers[16], struct direct_store *store)
{
	const unsigned char *at = code;
	const bool operand_size = *at == 0x66;
	unsigned rex = 0, number;
	uintptr_t address;

	at += operand_size;
	if ((*at & 0xf0) == 0x40)
		rex = *at++;
	if (at[0] != 0x0f || at[1] != 0x38 || at[2] != (operand_size ? 0xf8 : 0xf9) || at[3] >> 6 == 3 ||
	    (at[3] >> 6 == 0 && (at[3] & 7) == 5))
		return false;
	number = (at[3] >> 3 & 7) | (rex & 4) << 1;
	store->length = (size_t)(decode_memory(at + 3, rex, registers, &address) - code);
	store->size = operand_size ? 64 : rex & 8 ? 8 : 4;
	store->to = operand_size ? registers[number] : address;
	store->from = address;
	store->value = registers[number];
	return true;
}

static void carry_out(int number, siginfo_t *info, void *argument)
{
	static const int order[16] = {
		REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
		REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	};
	ucontext_t *context = argument;
	uintptr_t registers[16];
	struct direct_store store;
	char line[64];

	(void)info;
	for (int i = 0; i < 16; i++)
		registers[i] = (uintptr_t)context->uc_mcontext.gregs[order[i]];
	if (!direct_store_decode((const unsigned char *)context->uc_mcontext.gregs[REG_RIP], registers, &store) ||
	    (store.size == 64 && store.to % 64 != 0)) {
		signal(number, SIG_DFL);
		return;
	}
	memcpy(line, store.size == 64 ? (const void *)store.from : &store.value, store.size);
	memcpy((void *)store.to, line, store.size);
	context->uc_mcontext.gregs[REG_RIP] += (greg_t)store.length;
}

bool direct_store_emulate(void)
{
	const struct sigaction action = {.sa_sigaction = carry_out, .sa_flags = SA_SIGINFO};

	return sigaction(SIGILL, &action, NULL) == 0;
}

#else

bool direct_store_decode(const unsigned char *code, const uintptr_t registers[16], struct direct_store *store)
{
	(void)code;
	(void)registers;
	(void)store;
	return false;
}

bool direct_store_emulate(void)
{
	return false;
}

#endif
