/* program.c: the program that is to be tested: where it is, and whether it can be recorded */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((format(printf, 2, 3))) static char *fail(char **reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(reason, format, arguments) < 0)
		*reason = NULL;
	va_end(arguments);
	return NULL;
}

/* --- Where it is ------------------------------------------------------------------------ */

static bool is_executable(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* As the shell looks for it: an empty part of PATH is the working directory. */
static char *look_in_path(const char *name)
{
	const char *search = getenv("PATH");
	char *path;

	if (!search)
		search = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		const size_t length = strcspn(search, ":");

		if (asprintf(&path, "%.*s%s%s", (int)length, search, length ? "/" : "", name) < 0)
			return NULL;
		if (is_executable(path))
			return path;
		free(path);
		if (!search[length])
			return NULL;
		search += length + 1;
	}
}

static char *locate(const char *name, char **reason)
{
	char *path;

	if (!strchr(name, '/')) {
		path = look_in_path(name);
		return path ? path : fail(reason, "%s: not found in PATH", name);
	}
	if (access(name, F_OK) < 0)
		return fail(reason, "%s: %s", name, strerror(errno));
	return is_executable(name) ? strdup(name) : fail(reason, "%s: not an executable file", name);
}

/* --- Whether the recorder can be loaded into it ----------------------------------------------- */

/* Of this program itself: what it was compiled for, the recorder was too. */
static Elf64_Half own_machine(void)
{
	const int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = {.e_machine = EM_NONE};

	if (fd < 0)
		return EM_NONE;
	if (pread(fd, &header, sizeof(header), 0) != sizeof(header))
		header.e_machine = EM_NONE;
	close(fd);
	return header.e_machine;
}

static bool has_interpreter(int fd, const Elf64_Ehdr *header)
{
	Elf64_Phdr segment;

	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment), (off_t)(header->e_phoff + i * sizeof(segment))) !=
		    sizeof(segment))
			return false;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

/* --- A library inside it ------------------------------------------------------------------------ */

/* What libpmem.a defines, whoever made it: the flush, and a second name so that a program's own is not meant. */
struct inside {
	bool flush, others;
};

static void note_symbol(struct inside *inside, const char *name)
{
	if (strcmp(name, "pmem_persist") == 0 || strcmp(name, "libpmem_persist") == 0)
		inside->flush = true;
	if (strcmp(name, "pmem_errormsg") == 0)
		inside->others = true;
}

/* Reads a section into memory that is to be freed; NULL where that cannot be. */
static void *read_section(int fd, const Elf64_Shdr *section)
{
	char *bytes = malloc(section->sh_size + 1);

	if (!bytes)
		return NULL;
	if (pread(fd, bytes, section->sh_size, (off_t)section->sh_offset) != (ssize_t)section->sh_size) {
		free(bytes);
		return NULL;
	}
	bytes[section->sh_size] = '\0';
	return bytes;
}

static bool read_header(int fd, const Elf64_Ehdr *header, unsigned index, Elf64_Shdr *section)
{
	return pread(fd, section, sizeof(*section), (off_t)(header->e_shoff + index * sizeof(*section))) ==
	       sizeof(*section);
}

static void note_symbols(int fd, const Elf64_Ehdr *header, const Elf64_Shdr *table, struct inside *inside)
{
	Elf64_Shdr strings;
	Elf64_Sym *symbols;
	char *names;

	if (!read_header(fd, header, table->sh_link, &strings))
		return;
	symbols = read_section(fd, table);
	names = read_section(fd, &strings);
	for (size_t i = 0; symbols && names && i < table->sh_size / sizeof(*symbols); i++) {
		if (symbols[i].st_shndx != SHN_UNDEF && symbols[i].st_name < strings.sh_size)
			note_symbol(inside, names + symbols[i].st_name);
	}
	free(symbols);
	free(names);
}

/* As long as the program is not stripped of its symbols. */
static bool has_library_inside(int fd, const Elf64_Ehdr *header)
{
	struct inside inside = {0};
	Elf64_Shdr section;

	for (unsigned i = 0; i < header->e_shnum && read_header(fd, header, i, &section); i++) {
		if (section.sh_type == SHT_SYMTAB)
			note_symbols(fd, header, &section, &inside);
	}
	return inside.flush && inside.others;
}

/* NULL if nothing speaks against it. A script is whatever its interpreter is: execve(2) finds out. */
static const char *obstacle(int fd)
{
	Elf64_Ehdr header;
	struct stat status;
	ssize_t length = pread(fd, &header, sizeof(header), 0);

	if (length >= 2 && memcmp(&header, "#!", 2) == 0)
		return NULL;
	if (length < (ssize_t)sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return "neither an ELF program nor a script with #! in its first line";
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != own_machine())
		return "for another processor than the recorder";
	if (!has_interpreter(fd, &header))
		return "statically linked, so that nothing can be loaded into it; link it dynamically, or use "
		       "pmem_crash.h in a unit test";
	if (has_library_inside(fd, &header))
		return "libpmem is linked into it, so that its flushes are not seen; link it with the shared library";
	if (fstat(fd, &status) == 0 && geteuid() != 0 && status.st_mode & (S_ISUID | S_ISGID))
		return "set-user-ID or set-group-ID, so that the loader ignores the recorder; test a copy without it";
	return NULL;
}

char *program_find(const char *name, char **reason)
{
	char *path = locate(name, reason);
	const char *why;
	int fd;

	if (!path)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return path; /* what may not be read can be executed all the same */
	why = obstacle(fd);
	close(fd);
	if (!why)
		return path;
	fail(reason, "%s: %s", path, why);
	free(path);
	return NULL;
}

/* --- The recorder ------------------------------------------------------------------------------ */

static const char recorder_name[] = "libpmem_crash_record.so";

/* Beside the command in a build tree, or where it was installed. */
static const char *const recorder_places[] = {"../crash/record", PMEM_CRASH_RECORDER_FOLDER};

char *program_recorder(char **reason)
{
	const char *given = getenv("PMEM_CRASH_RECORDER");
	char own[PATH_MAX], path[2 * PATH_MAX];
	const ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (given && given[0])
		return access(given, R_OK) == 0 ? realpath(given, NULL)
						: fail(reason, "PMEM_CRASH_RECORDER: %s: %s", given, strerror(errno));
	own[length > 0 ? length : 0] = '\0';
	if (strrchr(own, '/'))
		*strrchr(own, '/') = '\0';
	for (size_t i = 0; i < sizeof(recorder_places) / sizeof(recorder_places[0]); i++) {
		const char *place = recorder_places[i];

		snprintf(path, sizeof(path), "%s%s%s/%s", place[0] == '/' ? "" : own, place[0] == '/' ? "" : "/", place,
			 recorder_name);
		if (access(path, R_OK) == 0)
			return realpath(path, NULL);
	}
	return fail(reason, "the recorder %s is not in %s; PMEM_CRASH_RECORDER can name it", recorder_name,
		    PMEM_CRASH_RECORDER_FOLDER);
}
