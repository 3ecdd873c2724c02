/* modules.c: what code is mapped where */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recording.h"

#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct module {
	uintptr_t bias, start, end;
	bool system; /* the recorder, the C library or the C++ library */
};

enum { MODULES = 512 }; /* a program with more has the rest without names */

static struct module modules[MODULES];
static size_t count;
static unsigned long long adds_seen;

static const char *const system_names[] = {"libc.so", "libc-", "ld-linux", "libstdc++", "libc++", "libgcc_s"};

static bool is_system_name(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < sizeof(system_names) / sizeof(system_names[0]); i++) {
		if (strncmp(name, system_names[i], strlen(system_names[i])) == 0)
			return true;
	}
	return false;
}

static struct module extent(const struct dl_phdr_info *info)
{
	struct module module = {.bias = info->dlpi_addr, .start = UINTPTR_MAX};

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		const uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		if (start < module.start)
			module.start = start;
		if (start + segment->p_memsz > module.end)
			module.end = start + segment->p_memsz;
	}
	return module;
}

static bool is_known(const struct module *module)
{
	for (size_t i = 0; i < count; i++) {
		if (modules[i].start == module->start && modules[i].end == module->end)
			return true;
	}
	return false;
}

/* The program itself has no name in the loader's list. */
static const char *path_of(const struct dl_phdr_info *info, char buffer[PATH_MAX])
{
	ssize_t length;

	if (info->dlpi_name[0] == '/')
		return info->dlpi_name;
	if (info->dlpi_name[0])
		return realpath(info->dlpi_name, buffer);
	if (count > 0)
		return NULL;
	length = syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", buffer, PATH_MAX - 1);
	if (length <= 0)
		return NULL;
	buffer[length] = '\0';
	return buffer;
}

static int visit(struct dl_phdr_info *info, size_t size, void *unused)
{
	struct module module = extent(info);
	char buffer[PATH_MAX];
	const char *path;

	(void)size;
	(void)unused;
	if (adds_seen == info->dlpi_adds)
		return 1;
	if (is_known(&module) || count == MODULES)
		return 0;
	path = path_of(info, buffer);
	if (!path)
		return 0;
	module.system = is_system_name(path) ||
			(module.start <= (uintptr_t)modules_tell && (uintptr_t)modules_tell < module.end);
	modules[count++] = module;
	tell_module(path, module.bias, module.end - module.bias);
	return 0;
}

static int note_adds(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)size;
	(void)unused;
	adds_seen = info->dlpi_adds;
	return 1;
}

void modules_tell(void)
{
	if (dl_iterate_phdr(visit, NULL) == 0)
		dl_iterate_phdr(note_adds, NULL);
}

void modules_forget(void)
{
	count = 0;
	adds_seen = 0;
}

bool modules_is_system(uintptr_t code)
{
	for (size_t i = 0; i < count; i++) {
		if (modules[i].start <= code && code < modules[i].end)
			return modules[i].system;
	}
	return false;
}
