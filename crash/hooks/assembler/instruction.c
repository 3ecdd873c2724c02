/* instruction.c: which instructions need a hook, and where they store (x86-64, AT&T syntax) */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "instruction.h"

#include <stdio.h>
#include <string.h>

enum action {
	FLUSH,
	FLUSH_ORDERED,
	FENCE,
	NONTEMPORAL,        /* to the last operand, as many bytes as the register has */
	NONTEMPORAL_MASKED, /* to (%rdi) */
	NONTEMPORAL_LINE,   /* to the address in the last operand */
	EXCHANGE,           /* locked even without the prefix */
	MODIFY,             /* stores to the last operand */
	MOVE_VECTOR,        /* stores to the last operand as many bytes as the register has */
	MOVE_PART,          /* a vector register's low 4 or 8 bytes */
	STRING,             /* with rep: to (%rdi), %rcx times */
	CLWB_IF_66,
};

struct instruction {
	const char *name;
	enum action action;
	size_t size; /* bytes; 0: told by the suffix or a register */
};

/* A name with a suffix (b, w, l, q) is found without it too. */
static const struct instruction instructions[] = {
	{"clwb", FLUSH, 0},
	{"clflushopt", FLUSH, 0},
	{"clflush", FLUSH_ORDERED, 0},
	{"xsaveopt", CLWB_IF_66, 0},
	{"sfence", FENCE, 0},
	{"mfence", FENCE, 0},
	{"movnti", NONTEMPORAL, 0},
	{"movntdq", NONTEMPORAL, 16},
	{"movntps", NONTEMPORAL, 16},
	{"movntpd", NONTEMPORAL, 16},
	{"movntq", NONTEMPORAL, 8},
	{"vmovntdq", NONTEMPORAL, 0},
	{"vmovntps", NONTEMPORAL, 0},
	{"vmovntpd", NONTEMPORAL, 0},
	{"movdiri", NONTEMPORAL, 0},
	{"maskmovdqu", NONTEMPORAL_MASKED, 16},
	{"vmaskmovdqu", NONTEMPORAL_MASKED, 16},
	{"maskmovq", NONTEMPORAL_MASKED, 8},
	{"movdir64b", NONTEMPORAL_LINE, 64},
	{"xchg", EXCHANGE, 0},
	{"xadd", MODIFY, 0},
	{"cmpxchg", MODIFY, 0},
	{"cmpxchg8b", MODIFY, 8},
	{"cmpxchg16b", MODIFY, 16},
	{"mov", MODIFY, 0},
	{"add", MODIFY, 0},
	{"adc", MODIFY, 0},
	{"sub", MODIFY, 0},
	{"sbb", MODIFY, 0},
	{"and", MODIFY, 0},
	{"or", MODIFY, 0},
	{"xor", MODIFY, 0},
	{"inc", MODIFY, 0},
	{"dec", MODIFY, 0},
	{"neg", MODIFY, 0},
	{"not", MODIFY, 0},
	{"bts", MODIFY, 0},
	{"btr", MODIFY, 0},
	{"btc", MODIFY, 0},
	{"movbe", MODIFY, 0},
	{"movd", MOVE_PART, 4},
	{"movss", MOVE_PART, 4},
	{"vmovd", MOVE_PART, 4},
	{"vmovss", MOVE_PART, 4},
	{"movsd", MOVE_PART, 8},
	{"movlps", MOVE_PART, 8},
	{"movlpd", MOVE_PART, 8},
	{"movhps", MOVE_PART, 8},
	{"movhpd", MOVE_PART, 8},
	{"vmovq", MOVE_PART, 8},
	{"vmovsd", MOVE_PART, 8},
	{"movaps", MOVE_VECTOR, 16},
	{"movapd", MOVE_VECTOR, 16},
	{"movups", MOVE_VECTOR, 16},
	{"movupd", MOVE_VECTOR, 16},
	{"movdqa", MOVE_VECTOR, 16},
	{"movdqu", MOVE_VECTOR, 16},
	{"vmovaps", MOVE_VECTOR, 0},
	{"vmovapd", MOVE_VECTOR, 0},
	{"vmovups", MOVE_VECTOR, 0},
	{"vmovupd", MOVE_VECTOR, 0},
	{"vmovdqa", MOVE_VECTOR, 0},
	{"vmovdqu", MOVE_VECTOR, 0},
	{"vmovdqa32", MOVE_VECTOR, 0},
	{"vmovdqa64", MOVE_VECTOR, 0},
	{"vmovdqu8", MOVE_VECTOR, 0},
	{"vmovdqu16", MOVE_VECTOR, 0},
	{"vmovdqu32", MOVE_VECTOR, 0},
	{"vmovdqu64", MOVE_VECTOR, 0},
	{"movs", STRING, 0},
	{"stos", STRING, 0},
};

enum { INSTRUCTIONS = sizeof(instructions) / sizeof(instructions[0]) };

static size_t size_of_suffix(char suffix)
{
	switch (suffix) {
	case 'b':
		return 1;
	case 'w':
		return 2;
	case 'l':
		return 4;
	case 'q':
		return 8;
	default:
		return 0;
	}
}

static const struct instruction *find(const char *name, size_t length)
{
	for (size_t i = 0; i < INSTRUCTIONS; i++) {
		if (strncmp(instructions[i].name, name, length) == 0 && !instructions[i].name[length])
			return &instructions[i];
	}
	return NULL;
}

/* *suffix: the size that the name tells, 0 if none. movs and stos mean a string only where rep stands before. */
static const struct instruction *find_with_suffix(struct slice mnemonic, bool repeat, size_t *suffix)
{
	const size_t shorter = mnemonic.length - 1;
	const struct instruction *found;

	*suffix = 0;
	if (mnemonic.length < 2)
		return NULL;
	found = find(mnemonic.start, mnemonic.length);
	if (found && !(repeat && found->action == MOVE_PART))
		return found;
	*suffix = size_of_suffix(mnemonic.start[shorter]);
	if (*suffix == 0 && repeat && mnemonic.start[shorter] == 'd')
		*suffix = 4;
	return *suffix ? find(mnemonic.start, shorter) : NULL;
}

/* --- Operands ------------------------------------------------------------------------------- */

enum { OPERANDS = 4 };

/* Splits at the commas that are not in parentheses; white space around an operand is left out. */
static size_t split(struct slice text, struct slice operands[OPERANDS])
{
	const char *at = text.start, *end = text.start + text.length;
	size_t count = 0;

	while (at < end && count < OPERANDS) {
		const char *first, *last;
		int depth = 0;

		while (at < end && (*at == ' ' || *at == '\t'))
			at++;
		first = at;
		while (at < end && (depth > 0 || *at != ',')) {
			depth += (*at == '(') - (*at == ')');
			at++;
		}
		last = memchr(first, '{', (size_t)(at - first)); /* the mask of AVX-512 */
		if (!last)
			last = at;
		while (last > first && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (last > first)
			operands[count++] = (struct slice){first, (size_t)(last - first)};
		at++;
	}
	return count;
}

static bool contains(struct slice text, const char *word)
{
	return memmem(text.start, text.length, word, strlen(word)) != NULL;
}

/* A symbol alone is memory too. */
static bool is_memory(struct slice operand)
{
	return operand.start[0] != '%' && operand.start[0] != '$' && operand.start[0] != '*';
}

/* What is on the stack or in thread-local storage is in no pool. */
static bool may_be_pool(struct slice operand)
{
	return !contains(operand, "(%rsp") && !contains(operand, "%fs:") && !contains(operand, "%gs:");
}

/* Bytes of a register, by its name; 0 if it is none that tells. */
static size_t size_of_register(struct slice operand)
{
	const char *name = operand.start + 1;
	const size_t length = operand.length - 1;

	if (operand.start[0] != '%' || length < 2)
		return 0;
	if (length > 3 && memcmp(name, "xmm", 3) == 0)
		return 16;
	if (length > 3 && memcmp(name, "ymm", 3) == 0)
		return 32;
	if (length > 3 && memcmp(name, "zmm", 3) == 0)
		return 64;
	if (name[0] == 'r' && (name[1] < '0' || name[1] > '9'))
		return 8;
	if (name[0] == 'r') /* r8, r8d, r8w, r8b */
		return name[length - 1] == 'd' ? 4 : name[length - 1] == 'w' ? 2 : name[length - 1] == 'b' ? 1 : 8;
	if (name[0] == 'e')
		return 4;
	if (name[0] == 'm' && name[1] == 'm')
		return 8;
	return name[length - 1] == 'l' || name[length - 1] == 'h' ? 1 : 2;
}

static size_t size_of_registers(const struct slice operands[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const size_t size = size_of_register(operands[i]);

		if (size)
			return size;
	}
	return 8;
}

/* --- Choosing the hooks --------------------------------------------------------------------- */

static bool choose_before(struct hooks *hooks, const char *name, size_t size, struct slice address)
{
	snprintf(hooks->before, sizeof(hooks->before), size ? "%s_%zu" : "%s", name, size);
	hooks->address = address;
	return true;
}

static bool choose_after(struct hooks *hooks, const char *name, size_t size, struct slice address)
{
	snprintf(hooks->after, sizeof(hooks->after), size ? "%s_%zu" : "%s", name, size);
	hooks->address = address;
	return true;
}

static bool choose_locked(struct hooks *hooks, size_t size, struct slice address)
{
	strcpy(hooks->after, "unlocked");
	if (!may_be_pool(address)) {
		strcpy(hooks->after, "fence");
		return true;
	}
	return choose_before(hooks, "locked", size, address);
}

/* A plain store: by hand, or too wide for the hook of a compiler. */
static bool choose_store(struct hooks *hooks, size_t size, struct slice address, bool written)
{
	if (!may_be_pool(address))
		return false;
	if (!written && (size < 32 || contains(address, "(%rbp")))
		return false;
	return choose_before(hooks, size > 8 ? "vector" : "store", size, address);
}

static const struct slice at_rdi = {"(%rdi)", 6};

bool instruction_hooks(struct slice mnemonic, struct slice text, struct prefixes prefixes, bool written,
		       struct hooks *hooks)
{
	struct slice operands[OPERANDS], last, memory;
	size_t suffix, count, size;
	const struct instruction *found = find_with_suffix(mnemonic, prefixes.repeat, &suffix);

	*hooks = (struct hooks){0};
	if (!found)
		return false;
	if (found->action == FENCE)
		return choose_before(hooks, "fence", 0, (struct slice){0});
	if (found->action == STRING)
		return prefixes.repeat && suffix && choose_before(hooks, "repeated", suffix, (struct slice){0});
	count = split(text, operands);
	if (count == 0)
		return false;
	last = operands[count - 1];
	memory = is_memory(last) ? last : operands[0];
	if (found->action == NONTEMPORAL_MASKED)
		return choose_after(hooks, "nontemporal", found->size, at_rdi);
	if (found->action == NONTEMPORAL_LINE) {
		hooks->parenthesised = true;
		return choose_after(hooks, "nontemporal", found->size, last);
	}
	if (!is_memory(memory))
		return false;
	size = found->size ? found->size : suffix ? suffix : size_of_registers(operands, count);
	if (prefixes.lock || found->action == EXCHANGE)
		return choose_locked(hooks, size, memory);
	if (!is_memory(last) || !may_be_pool(last))
		return false;
	switch (found->action) {
	case FLUSH:
		return choose_before(hooks, "flush", 0, last);
	case FLUSH_ORDERED:
		return choose_before(hooks, prefixes.byte_66 ? "flush" : "flush_ordered", 0, last);
	case CLWB_IF_66:
		return prefixes.byte_66 && choose_before(hooks, "flush", 0, last);
	case NONTEMPORAL:
		return choose_after(hooks, "nontemporal", size, last);
	default:
		return choose_store(hooks, size, last, written);
	}
}

bool instruction_is_persistence(struct slice mnemonic)
{
	size_t suffix;
	const struct instruction *found = find_with_suffix(mnemonic, false, &suffix);

	return found && found->action <= NONTEMPORAL_LINE;
}
