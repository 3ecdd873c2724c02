/* info_text.c: pmem info, for people */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"
#include "info.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SIZE_TEXT = 32, BAD_RANGES_SHOWN = 10 };

static struct json_object *member(struct json_object *of, const char *key)
{
	return json_object_object_get(of, key);
}

static const char *text_of(struct json_object *of, const char *key)
{
	struct json_object *value = member(of, key);

	return value ? json_object_get_string(value) : "unknown";
}

static void print_label(const char *label)
{
	printf("  %-17s ", label);
}

static void print_line(const char *label, const char *text)
{
	print_label(label);
	puts(text);
}

/* A path may hold what a terminal would obey. */
static void print_printable(const char *text)
{
	for (; *text; text++)
		putchar(iscntrl((unsigned char)*text) ? '?' : *text);
}

static void print_heading(const char *text)
{
	const bool colour = command_wants_colour();

	fputs(colour ? "\033[1m" : "", stdout);
	print_printable(text);
	puts(colour ? "\033[m" : "");
}

/* "512 MiB" where that is exact, else bytes. */
static const char *size_text(int64_t bytes, char text[SIZE_TEXT])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	unsigned unit = 0;

	while (unit < 4 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, SIZE_TEXT, "%" PRId64 " %s", bytes, units[unit]);
	return text;
}

static void print_size(const char *label, struct json_object *size)
{
	char text[SIZE_TEXT];

	print_line(label, size ? size_text(json_object_get_int64(size), text) : "unknown");
}

void info_print_processor(struct json_object *processor)
{
	print_heading("processor");
	print_line("flush", text_of(processor, "flush"));
	print_line("copy", text_of(processor, "copy"));
}

/* --- Regions -------------------------------------------------------------------------------- */

static void print_words(const char *label, struct json_object *list)
{
	const size_t count = json_object_array_length(list);

	print_label(label);
	for (size_t i = 0; i < count; i++)
		printf("%s%s", i ? " " : "", json_object_get_string(json_object_array_get_idx(list, i)));
	puts(count ? "" : "none");
}

static void print_dimms(struct json_object *dimms)
{
	for (size_t i = 0; i < json_object_array_length(dimms); i++) {
		struct json_object *dimm = json_object_array_get_idx(dimms, i);

		print_label(text_of(dimm, "name"));
		printf("health %s, life used %s %%, unsafe shutdowns %s\n", text_of(dimm, "health"),
		       text_of(dimm, "life_used_percent"), text_of(dimm, "unsafe_shutdowns"));
	}
}

static void print_region(struct json_object *region)
{
	struct json_object *dimms = member(region, "dimms");

	print_heading(text_of(region, "name"));
	print_size("size", member(region, "size"));
	print_line("provider", text_of(region, "provider"));
	print_words("devices", member(region, "devices"));
	print_line("domain", text_of(region, "persistence_domain"));
	print_line("NUMA node", text_of(region, "numa_node"));
	print_line("unsafe shutdowns", text_of(region, "unsafe_shutdowns"));
	print_size("known to be lost", member(region, "bad_bytes"));
	if (dimms)
		print_dimms(dimms);
}

void info_print_regions(struct json_object *regions)
{
	const size_t count = json_object_array_length(regions);

	for (size_t i = 0; i < count; i++)
		print_region(json_object_array_get_idx(regions, i));
	if (count == 0)
		puts("There is no NVDIMM region on this machine.");
}

/* --- Paths ---------------------------------------------------------------------------------- */

/* Green where the processor makes stores durable, yellow where the kernel does, red where nothing does. */
static const char *colour_of(const char *granularity)
{
	if (!command_wants_colour())
		return "";
	if (strcmp(granularity, "none") == 0)
		return "\033[31m";
	return strcmp(granularity, "page") == 0 ? "\033[33m" : "\033[32m";
}

static void print_mapping(struct json_object *path)
{
	const char *colour = colour_of(text_of(path, "granularity"));

	print_label("mapping");
	printf("%s%s%s\n", colour, text_of(path, "mapping"), colour[0] ? "\033[m" : "");
}

static void print_filesystem(struct json_object *path)
{
	struct json_object *device = member(path, "device");

	print_label("file system");
	printf("%s%s%s\n", text_of(path, "filesystem"), device ? " on " : "",
	       device ? json_object_get_string(device) : "");
}

static void print_region_names(struct json_object *regions)
{
	const size_t count = json_object_array_length(regions);

	print_label("region");
	for (size_t i = 0; i < count; i++) {
		struct json_object *region = json_object_array_get_idx(regions, i);

		printf("%s%s (%s)", i ? ", " : "", text_of(region, "name"), text_of(region, "provider"));
	}
	puts(count ? "" : "none");
}

static void print_bad_range(struct json_object *range)
{
	printf("%s bytes at %s\n", text_of(range, "length"), text_of(range, "offset"));
}

static void print_bad_ranges(struct json_object *path)
{
	struct json_object *list = member(path, "bad_ranges"), *why = member(path, "bad_ranges_unknown");
	const size_t count = list ? json_object_array_length(list) : 0;

	if (list && count == 0)
		print_line("bad ranges", "none known");
	for (size_t i = 0; i < count && i < BAD_RANGES_SHOWN; i++) {
		print_label(i == 0 ? "bad ranges" : "");
		print_bad_range(json_object_array_get_idx(list, i));
	}
	if (count > BAD_RANGES_SHOWN)
		printf("  %-17s and %zu more (--json has all)\n", "", count - BAD_RANGES_SHOWN);
	if (why)
		printf("  %-17s unknown: %s\n", count ? "" : "bad ranges", json_object_get_string(why));
}

static void print_attributes(struct json_object *attributes)
{
	const struct json_object_iterator end = json_object_iter_end(attributes);
	struct json_object_iterator at = json_object_iter_begin(attributes);
	struct json_object *value;

	puts("  attributes");
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		value = json_object_iter_peek_value(&at);
		printf("    %-34s %s\n", json_object_iter_peek_name(&at),
		       value ? json_object_get_string(value) : "unknown");
	}
}

void info_print_path(struct json_object *path)
{
	print_heading(text_of(path, "path"));
	print_mapping(path);
	print_line("granularity", text_of(path, "granularity"));
	print_filesystem(path);
	print_region_names(member(path, "regions"));
	print_line("domain", text_of(path, "persistence_domain"));
	print_size("alignment", member(path, "alignment"));
	print_line("NUMA node", text_of(path, "numa_node"));
	print_line("unsafe shutdowns", text_of(path, "unsafe_shutdowns"));
	print_bad_ranges(path);
	print_attributes(member(path, "attributes"));
}
