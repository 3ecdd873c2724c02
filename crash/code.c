/* code.c: which file of machine code an address of a recorded process lies in */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "code.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct module {
	const struct trace_event *event; /* that told of it */
	uint64_t process;
	uint64_t start, end;
	uint64_t bias; /* of the process's addresses over the file's */
	char *path;
};

struct code {
	struct module *modules; /* in the trace's order */
	size_t count, room;
	uint64_t *processes; /* by thread */
	size_t threads;
};

static uint64_t down(uint64_t address)
{
	return address & ~(uint64_t)(PAGE - 1);
}

static uint64_t up(uint64_t address)
{
	return down(address + PAGE - 1);
}

/*
 * A module is told as the whole of what the file loads, or as the one segment
 * that has code; either way its length says which.
 */
static uint64_t bias_from(const ElfW(Ehdr) * header, size_t size, uint64_t start, uint64_t length)
{
	const ElfW(Phdr) *segments = (const void *)((const char *)header + header->e_phoff);
	uint64_t low = UINT64_MAX, high = 0;

	if (header->e_phoff > size || header->e_phnum > (size - header->e_phoff) / sizeof(segments[0]))
		return start;
	for (size_t i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type != PT_LOAD)
			continue;
		if (low > down(segments[i].p_vaddr))
			low = down(segments[i].p_vaddr);
		if (high < up(segments[i].p_vaddr + segments[i].p_memsz))
			high = up(segments[i].p_vaddr + segments[i].p_memsz);
	}
	for (size_t i = 0; i < header->e_phnum && up(length) != high - low; i++) {
		const uint64_t first = down(segments[i].p_vaddr);

		if (segments[i].p_type == PT_LOAD && segments[i].p_flags & PF_X &&
		    up(length) == up(segments[i].p_vaddr + segments[i].p_memsz) - first)
			return start - first;
	}
	return start - low;
}

static uint64_t find_bias(const struct module *module)
{
	const int fd = open(module->path, O_RDONLY | O_CLOEXEC);
	uint64_t bias = module->start;
	struct stat status;
	void *file;

	if (fd < 0)
		return bias;
	if (fstat(fd, &status) == 0 && (size_t)status.st_size >= sizeof(ElfW(Ehdr))) {
		file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (file != MAP_FAILED) {
			if (memcmp(file, ELFMAG, SELFMAG) == 0)
				bias = bias_from(file, (size_t)status.st_size, module->start,
						 module->end - module->start);
			munmap(file, (size_t)status.st_size);
		}
	}
	close(fd);
	return bias;
}

static bool note_thread(struct code *code, const struct trace_event *event)
{
	if (event->thread >= code->threads) {
		const size_t threads = (size_t)event->thread + 1;
		uint64_t *more = realloc(code->processes, threads * sizeof(more[0]));

		if (!more)
			return false;
		memset(more + code->threads, 0, (threads - code->threads) * sizeof(more[0]));
		code->processes = more;
		code->threads = threads;
	}
	code->processes[event->thread] = event->offset;
	return true;
}

static uint64_t process_of(const struct code *code, const struct trace_event *event)
{
	return event->thread < code->threads ? code->processes[event->thread] : 0;
}

static bool note_module(struct code *code, const struct trace_event *event)
{
	struct module *module;

	if (code->count == code->room) {
		const size_t room = code->room ? code->room * 2 : 16;
		struct module *more = realloc(code->modules, room * sizeof(more[0]));

		if (!more)
			return false;
		code->modules = more;
		code->room = room;
	}
	module = &code->modules[code->count];
	*module = (struct module){
		.event = event,
		.process = process_of(code, event),
		.start = event->offset,
		.end = event->offset + event->length,
		.path = strndup((const char *)event->payload, event->size - sizeof(*event)),
	};
	if (!module->path)
		return false;
	module->bias = find_bias(module);
	code->count++;
	return true;
}

struct code *code_open(const struct trace *trace)
{
	struct code *code = calloc(1, sizeof(*code));
	bool known = code;

	for (const struct trace_event *event = trace_next(trace, NULL); event && known;
	     event = trace_next(trace, event)) {
		if (event->kind == TRACE_THREAD)
			known = note_thread(code, event);
		else if (event->kind == TRACE_MODULE)
			known = note_module(code, event);
	}
	if (known)
		return code;
	code_close(code);
	return NULL;
}

/*
 * The last one told before the event, since code may be unmapped and other code
 * take its place; in the event's own process rather than in another, whose
 * child it may be.
 */
static const struct module *find_module(const struct code *code, const struct trace_event *event, uint64_t address)
{
	const struct module *best = NULL;

	for (size_t i = 0; i < code->count; i++) {
		const struct module *module = &code->modules[i];

		if (address < module->start || address >= module->end)
			continue;
		if (best && module->event > event)
			break;
		if (!best || module->process == process_of(code, event) || best->process != process_of(code, event))
			best = module;
	}
	return best;
}

const char *code_find(const struct code *code, const struct trace_event *event, uint64_t *address)
{
	const struct module *module;

	if (event->site == 0)
		return NULL;
	module = find_module(code, event, event->site - 1);
	if (!module)
		return NULL;
	*address = event->site - 1 - module->bias;
	return module->path;
}

void code_close(struct code *code)
{
	if (!code)
		return;
	for (size_t i = 0; i < code->count; i++)
		free(code->modules[i].path);
	free(code->modules);
	free(code->processes);
	free(code);
}
