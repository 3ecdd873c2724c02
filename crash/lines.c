/* lines.c: lines and functions of one file of machine code, by libdw of elfutils */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "lines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

struct lines {
	Dwfl *dwfl;
	Dwfl_Module *module;
};

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo, /* the file itself, .debug/, /usr/lib/debug */
};

struct lines *lines_open(const char *path)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return NULL;
	lines->dwfl = dwfl_begin(&callbacks);
	if (lines->dwfl)
		lines->module = dwfl_report_elf(lines->dwfl, path, path, -1, 0, true); /* addresses are the file's */
	if (!lines->module || dwfl_report_end(lines->dwfl, NULL, NULL) != 0) {
		lines_close(lines);
		return NULL;
	}
	return lines;
}

/* Headers that come with the system or the compiler: nobody looks for a bug there. */
static bool is_system_header(const char *file)
{
	static const char *const places[] = {"/usr/include/", "/usr/lib/gcc/", "/usr/lib/llvm", "/usr/lib/clang/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (strncmp(file, places[i], strlen(places[i])) == 0)
			return true;
	}
	return false;
}

static bool number_of(Dwarf_Die *die, unsigned name, Dwarf_Word *number)
{
	Dwarf_Attribute attribute;

	return dwarf_formudata(dwarf_attr(die, name, &attribute), number) == 0;
}

/* The file that a unit's line table has at this index. */
static const char *file_at(Dwarf_Die *unit, Dwarf_Word index)
{
	Dwarf_Files *files;
	size_t count;

	if (dwarf_getsrcfiles(unit, &files, &count) != 0 || index >= count)
		return NULL;
	return dwarf_filesrc(files, index, NULL, NULL);
}

static bool is_function(Dwarf_Die *scope)
{
	const int tag = dwarf_tag(scope);

	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

/*
 * Goes outwards from the innermost scope: as long as the line is in a system
 * header and the function was inlined, the line is the one that called it.
 */
static const char *climb(Dwarf_Die *unit, Dwarf_Addr address, const char **file, int *line)
{
	Dwarf_Die *scopes = NULL;
	const int count = dwarf_getscopes(unit, address, &scopes);
	const char *function = NULL;

	for (int i = 0; i < count; i++) {
		Dwarf_Word index, number;
		const char *caller;

		if (!is_function(&scopes[i]))
			continue;
		function = dwarf_diename(&scopes[i]);
		if (!*file || !is_system_header(*file) || dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			break;
		if (!number_of(&scopes[i], DW_AT_call_file, &index) || !number_of(&scopes[i], DW_AT_call_line, &number))
			break;
		caller = file_at(unit, index);
		if (!caller)
			break;
		*file = caller;
		*line = (int)number;
	}
	free(scopes);
	return function;
}

static char *copy_of(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* The compilation unit of an address. The table of them is not made by clang: then each is asked. */
static Dwarf_Die *unit_at(struct lines *lines, Dwarf_Addr address, Dwarf_Addr *bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(lines->module, address, bias);

	if (unit)
		return unit;
	do
		unit = dwfl_module_nextcu(lines->module, unit, bias);
	while (unit && dwarf_haspc(unit, address - *bias) != 1);
	return unit;
}

static const char *directory_of(Dwarf_Die *unit)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

bool lines_find(struct lines *lines, uint64_t address, struct source_line *line)
{
	Dwarf_Addr bias = 0;
	Dwarf_Die *unit = unit_at(lines, address, &bias);
	Dwarf_Line *source = unit ? dwarf_getsrc_die(unit, address - bias) : NULL;
	const char *file = NULL, *function = NULL;

	*line = (struct source_line){0};
	if (source) {
		file = dwarf_linesrc(source, NULL, NULL);
		dwarf_lineno(source, &line->line);
		line->compiled = copy_of(directory_of(unit));
	}
	if (unit)
		function = climb(unit, address - bias, &file, &line->line);
	if (!function)
		function = dwfl_module_addrname(lines->module, address);
	line->file = copy_of(file);
	line->function = copy_of(function);
	return line->file || line->function;
}

bool lines_is_available(void)
{
	return true;
}

void lines_close(struct lines *lines)
{
	if (!lines)
		return;
	if (lines->dwfl)
		dwfl_end(lines->dwfl);
	free(lines);
}
