/* rewrite.c: puts calls of hooks into the text of an assembly file (x86-64, AT&T syntax) */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is put in stands on the line of its instruction, so that line numbers and
 * the debugging information's line table stay. It keeps the red zone, all
 * registers and flags: the hooks see to that (crash/hooks/inline_x86_64.S).
 */
#define _GNU_SOURCE
#include "rewrite.h"

#include "../libc_names.h"
#include "instruction.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CFA_DEPTH = 16 };

struct rewriter {
	struct text *out;
	const char *at, *end;
	const char *name;
	unsigned line;

	bool intel; /* between .intel_syntax and .att_syntax */
	bool remarked;
	bool compiled; /* a compiler wrote the file, */
	bool written;  /* but not this part: between #APP and #NO_APP */

	/* The canonical frame address for unwinding: is it told relative to %rsp, which hooks move? */
	bool in_procedure;
	bool cfa_on_stack_pointer;
	bool saved[CFA_DEPTH];
	unsigned depth;

	struct prefixes prefixes; /* seen and not used yet */
	size_t prefixes_at;       /* in out, where the first of them stands */
};

static bool same(struct slice text, const char *word)
{
	return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

static bool starts_with(struct slice text, const char *word)
{
	return text.length >= strlen(word) && memcmp(text.start, word, strlen(word)) == 0;
}

/* --- Unwinding ------------------------------------------------------------------------------ */

static bool names_stack_pointer(struct slice operands)
{
	return starts_with(operands, "7") || starts_with(operands, "%rsp") || starts_with(operands, "rsp");
}

/* What a .cfi directive says of the canonical frame address. */
static void follow_cfi(struct rewriter *rewriter, struct slice directive, struct slice operands)
{
	if (same(directive, ".cfi_startproc")) {
		rewriter->in_procedure = rewriter->cfa_on_stack_pointer = true;
		rewriter->depth = 0;
	} else if (same(directive, ".cfi_endproc")) {
		rewriter->in_procedure = false;
	} else if (same(directive, ".cfi_def_cfa") || same(directive, ".cfi_def_cfa_register")) {
		rewriter->cfa_on_stack_pointer = names_stack_pointer(operands);
	} else if (same(directive, ".cfi_escape")) {
		rewriter->cfa_on_stack_pointer = false; /* an expression: realigned stacks have one */
	} else if (same(directive, ".cfi_remember_state") && rewriter->depth < CFA_DEPTH) {
		rewriter->saved[rewriter->depth++] = rewriter->cfa_on_stack_pointer;
	} else if (same(directive, ".cfi_restore_state") && rewriter->depth > 0) {
		rewriter->cfa_on_stack_pointer = rewriter->saved[--rewriter->depth];
	}
}

/* --- Calls ---------------------------------------------------------------------------------- */

/* Not through the procedure linkage table: its lazy binding keeps neither flags nor all registers. */
static void print_call(const struct rewriter *rewriter, struct text *call, const char *hook, const struct hooks *hooks)
{
	const bool has_address = hooks->address.start != NULL;
	const int moved = has_address ? 136 : 128;
	const bool tells = rewriter->in_procedure && rewriter->cfa_on_stack_pointer;

	text_print(call, "leaq -128(%%rsp), %%rsp; ");
	if (has_address)
		text_print(call,
			   hooks->parenthesised ? "pushq %%rax; leaq (%.*s), %%rax; "
						: "pushq %%rax; leaq %.*s, %%rax; ",
			   (int)hooks->address.length, hooks->address.start);
	if (tells)
		text_print(call, ".cfi_adjust_cfa_offset %d; ", moved);
	text_print(call, "call *__pmem_hook_inline_%s@GOTPCREL(%%rip); ", hook);
	if (has_address)
		text_print(call, "popq %%rax; ");
	text_print(call, "leaq 128(%%rsp), %%rsp");
	if (tells)
		text_print(call, "; .cfi_adjust_cfa_offset -%d", moved);
}

static void insert_before(struct rewriter *rewriter, size_t at, const struct hooks *hooks)
{
	struct text call = {0};

	print_call(rewriter, &call, hooks->before, hooks);
	text_append(&call, "; ", sizeof("; ")); /* with its end, for text_insert() */
	text_insert(rewriter->out, at, call.bytes);
	text_free(&call);
}

static void append_after(struct rewriter *rewriter, const struct hooks *hooks)
{
	struct hooks without_address = *hooks;

	if (strncmp(hooks->after, "nontemporal", strlen("nontemporal")) != 0)
		without_address.address = (struct slice){0};
	text_append(rewriter->out, "; ", 2);
	print_call(rewriter, rewriter->out, hooks->after, &without_address);
}

static void remark_intel(struct rewriter *rewriter, struct slice mnemonic)
{
	if (rewriter->remarked)
		return;
	rewriter->remarked = true;
	fprintf(stderr,
		"pmem cc: %s:%u: %.*s is written in Intel syntax, which is not read: "
		"pmem crash will not see such instructions\n",
		rewriter->name, rewriter->line, (int)mnemonic.length, mnemonic.start);
}

/* --- Statements ----------------------------------------------------------------------------- */

/* A word that makes a prefix of what follows; true if it was one. */
static bool take_prefix(struct rewriter *rewriter, struct slice word, struct slice operands, size_t at)
{
	struct prefixes *prefixes = &rewriter->prefixes;
	const bool first = !prefixes->lock && !prefixes->repeat && !prefixes->byte_66;

	if (same(word, "lock"))
		prefixes->lock = true;
	else if (same(word, "rep") || same(word, "repe") || same(word, "repz") || same(word, "repne") ||
		 same(word, "repnz"))
		prefixes->repeat = true;
	else if ((same(word, ".byte") && (same(operands, "0x66") || same(operands, "102"))) || same(word, "data16"))
		prefixes->byte_66 = true;
	else
		return false;
	if (first)
		rewriter->prefixes_at = at;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct slice trim(struct slice text)
{
	while (text.length > 0 && is_blank(text.start[0])) {
		text.start++;
		text.length--;
	}
	while (text.length > 0 && is_blank(text.start[text.length - 1]))
		text.length--;
	return text;
}

/* Takes the first word off: up to white space. */
static struct slice take_word(struct slice *text)
{
	struct slice word = {text->start, 0};

	while (word.length < text->length && !is_blank(word.start[word.length]))
		word.length++;
	*text = trim((struct slice){word.start + word.length, text->length - word.length});
	return word;
}

/* The labels before an instruction: how many bytes. */
static size_t labels_length(struct slice text)
{
	size_t length = 0, at = 0;

	while (at < text.length) {
		const char c = text.start[at];

		if (isalnum((unsigned char)c) || strchr("_.$", c) || (is_blank(c) && at == length))
			at++;
		else if (c == ':' && at > length)
			length = ++at;
		else
			break;
	}
	return length;
}

/* One statement: its code is copied, with hooks before and behind. */
static void statement(struct rewriter *rewriter, struct slice code)
{
	const size_t labels = labels_length(code);
	struct slice rest = {code.start + labels, code.length - labels}, word;
	struct hooks hooks;
	size_t at;

	text_append(rewriter->out, code.start, labels);
	at = rewriter->out->length;
	text_append(rewriter->out, rest.start, rest.length);
	rest = trim(rest);
	word = take_word(&rest);
	while (word.length > 0 && take_prefix(rewriter, word, rest, at)) {
		if (same(word, ".byte"))
			word.length = 0;
		else
			word = take_word(&rest);
	}
	if (word.length == 0)
		return;
	if (word.start[0] == '.') {
		if (same(word, ".intel_syntax") || same(word, ".att_syntax"))
			rewriter->intel = word.start[1] == 'i';
		follow_cfi(rewriter, word, rest);
		return; /* a prefix waits: .loc may stand between */
	}
	if (rewriter->intel) {
		if (instruction_is_persistence(word) || rewriter->prefixes.lock)
			remark_intel(rewriter, word);
	} else if (instruction_hooks(word, rest, rewriter->prefixes, rewriter->written || !rewriter->compiled,
				     &hooks)) {
		const bool prefixed =
			rewriter->prefixes.lock || rewriter->prefixes.repeat || rewriter->prefixes.byte_66;

		if (hooks.after[0])
			append_after(rewriter, &hooks);
		if (hooks.before[0])
			insert_before(rewriter, prefixed ? rewriter->prefixes_at : at, &hooks);
	}
	rewriter->prefixes = (struct prefixes){0};
}

/* Where the code of a statement ends: at a separator, a comment, or the end of the line. */
static const char *end_of_code(const char *at, const char *end)
{
	bool quoted = false;

	for (; at < end && *at != '\n'; at++) {
		if (quoted && *at == '\\' && at + 1 < end && at[1] != '\n')
			at++;
		else if (!quoted && *at == '\'' && at + 1 < end && at[1] != '\n')
			at++; /* a character */
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && (*at == ';' || *at == '#' || (*at == '/' && at + 1 < end && at[1] == '*')))
			break;
	}
	return at;
}

/* What lies between two statements is copied as it is: a separator, a comment. */
static void copy_separator(struct rewriter *rewriter)
{
	const char *at = rewriter->at, *end = rewriter->end, *stop;

	if (at == end)
		return;
	if (*at == '#') {
		const struct slice rest = {at, (size_t)(end - at)};

		if (starts_with(rest, "#APP"))
			rewriter->written = true;
		if (starts_with(rest, "#NO_APP"))
			rewriter->written = false;
		stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
	} else if (*at == '/') {
		stop = memmem(at, (size_t)(end - at), "*/", 2);
		stop = stop ? stop + 2 : end;
	} else {
		stop = at + 1;
	}
	for (const char *c = at; c < stop; c++)
		rewriter->line += *c == '\n';
	text_append(rewriter->out, at, (size_t)(stop - at));
	rewriter->at = stop;
}

/* --- The C library's functions ------------------------------------------------------------- */

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/* Is the symbol's mention at this place the file's own definition of it? Then its calls are its own business. */
static bool is_definition(const struct text *text, size_t at, size_t length)
{
	static const char *const directives[] = {".comm", ".globl", ".lcomm", ".local", ".set", ".weak"};
	size_t end = at;

	if (at + length < text->length && text->bytes[at + length] == ':')
		return true;
	while (end > 0 && is_blank(text->bytes[end - 1]))
		end--;
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		const size_t size = strlen(directives[i]);

		if (end >= size && memcmp(text->bytes + end - size, directives[i], size) == 0)
			return true;
	}
	return false;
}

/* Is the place in a string, in debugging information for example, and no mention of a symbol? */
static bool is_in_string(const struct text *text, size_t at)
{
	static const char *const directives[] = {".ascii", ".asciz", ".string", ".ident", ".file"};
	struct slice line = {text->bytes + at, 0};

	while (line.start > text->bytes && line.start[-1] != '\n')
		line.start--;
	line.length = (size_t)(text->bytes + at - line.start);
	line = trim(line);
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (starts_with(line, directives[i]))
			return true;
	}
	return false;
}

/* Does the file use a symbol that another file defines? */
static bool uses(const struct text *text, const char *name)
{
	const size_t length = strlen(name);
	const char *end = text->bytes + text->length;
	bool used = false;

	for (const char *at = text->bytes; (at = memmem(at, (size_t)(end - at), name, length)) != NULL; at += length) {
		const size_t position = (size_t)(at - text->bytes);

		if ((position > 0 && is_name(at[-1])) || (at + length < end && is_name(at[length])) ||
		    is_in_string(text, position))
			continue;
		if (is_definition(text, position, length))
			return false;
		used = true;
	}
	return used;
}

/* A symbol that is set to another, which is not defined here, leads there from everywhere in the file. */
static void rename_function(struct rewriter *rewriter, const char *name)
{
	if (uses(rewriter->out, name))
		text_print(rewriter->out, ".set %s, __pmem_hook_%s\n", name, name);
}

#define RENAME(name) rename_function(&rewriter, #name);

void rewrite(const char *source, size_t length, const char *name, struct text *out)
{
	struct rewriter rewriter = {.out = out, .at = source, .end = source + length, .name = name, .line = 1};

	/* Files written by hand have no identification, or none of these. */
	rewriter.compiled = memmem(source, length, "__tsan_init", strlen("__tsan_init")) != NULL;
	while (rewriter.at < rewriter.end) {
		const char *end = end_of_code(rewriter.at, rewriter.end);

		statement(&rewriter, (struct slice){rewriter.at, (size_t)(end - rewriter.at)});
		rewriter.at = end;
		copy_separator(&rewriter);
	}
	if (out->length > 0 && out->bytes[out->length - 1] != '\n')
		text_append(out, "\n", 1);
	if (rewriter.compiled) {
		LIBC_NAMES(RENAME)
	}
}
