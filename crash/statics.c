/* statics.c: the program's static data, saved and brought back */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "statics.h"

#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEGMENTS_MAX = 8,
	PAGE = 4096,
};

static const size_t size_max = (size_t)16 << 20;

struct statics {
	unsigned count;
	struct {
		unsigned char *at;
		size_t size;
		unsigned char *saved;
	} segments[SEGMENTS_MAX];
};

/* What the loader makes read-only after it has relocated it lies at the beginning of the data. */
static uintptr_t end_of_relro(const struct dl_phdr_info *program)
{
	uintptr_t end = 0;

	for (unsigned i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &program->dlpi_phdr[i];

		if (header->p_type == PT_GNU_RELRO)
			end = program->dlpi_addr + header->p_vaddr + header->p_memsz;
	}
	return end & ~(uintptr_t)(PAGE - 1);
}

/* The first object is the program. */
static int note_program(struct dl_phdr_info *program, size_t size, void *arg)
{
	const uintptr_t relro = end_of_relro(program);
	struct statics *statics = arg;

	(void)size;
	for (unsigned i = 0; i < program->dlpi_phnum && statics->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *header = &program->dlpi_phdr[i];
		uintptr_t start = program->dlpi_addr + header->p_vaddr;
		const uintptr_t end = start + header->p_memsz;

		if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
			continue;
		if (relro > start && relro <= end)
			start = relro;
		if (end - start > size_max)
			continue;
		statics->segments[statics->count].at = (unsigned char *)start;
		statics->segments[statics->count++].size = end - start;
	}
	return 1;
}

struct statics *statics_save(void)
{
	struct statics *statics = calloc(1, sizeof(*statics));

	if (!statics)
		return NULL;
	dl_iterate_phdr(note_program, statics);
	for (unsigned i = 0; i < statics->count; i++) {
		statics->segments[i].saved = malloc(statics->segments[i].size + 1);
		if (!statics->segments[i].saved) {
			statics_free(statics);
			return NULL;
		}
		memcpy(statics->segments[i].saved, statics->segments[i].at, statics->segments[i].size);
	}
	return statics;
}

void statics_restore(struct statics *statics)
{
	for (unsigned i = 0; i < statics->count; i++) {
		unsigned char *at = statics->segments[i].at;
		const unsigned char *saved = statics->segments[i].saved;

		for (size_t from = 0; from < statics->segments[i].size; from += PAGE) {
			const size_t left = statics->segments[i].size - from, length = left < PAGE ? left : PAGE;

			if (memcmp(at + from, saved + from, length) != 0)
				memcpy(at + from, saved + from, length);
		}
	}
}

void statics_free(struct statics *statics)
{
	if (!statics)
		return;
	for (unsigned i = 0; i < statics->count; i++)
		free(statics->segments[i].saved);
	free(statics);
}
