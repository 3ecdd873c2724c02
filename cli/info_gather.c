/* info_gather.c: asks the library about paths, regions and the processor */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "info.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const granularities[] = {
	[PMEM_GRANULARITY_BYTE] = "byte",
	[PMEM_GRANULARITY_CACHE_LINE] = "cache line",
	[PMEM_GRANULARITY_PAGE] = "page",
	[PMEM_GRANULARITY_NONE] = "none",
};

static const char *const domains[] = {
	[PMEM_DOMAIN_UNKNOWN] = NULL,
	[PMEM_DOMAIN_MEMORY_CONTROLLER] = "memory controller",
	[PMEM_DOMAIN_CPU_CACHE] = "cpu cache",
};

/* How many bytes the character at text has; 0 where it is none in UTF-8. */
static size_t character_length(const char *text)
{
	const unsigned char first = (unsigned char)text[0];
	const size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	if ((first >= 0x80 && first < 0xc2) || first > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

/* A path may be any bytes, JSON may not: what is no UTF-8 becomes a question mark. */
static void make_text(char *text)
{
	for (size_t length; *text; text += length) {
		length = character_length(text);
		if (length == 0) {
			*text = '?';
			length = 1;
		}
	}
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	json_object_object_add(to, key, text && text[0] ? json_object_new_string(text) : NULL);
}

/* A negative number is an unknown one. */
static void add_number(struct json_object *to, const char *key, int64_t number)
{
	json_object_object_add(to, key, number < 0 ? NULL : json_object_new_int64(number));
}

struct json_object *info_processor(void)
{
	struct json_object *processor = json_object_new_object();

	add_text(processor, "flush", pmem_flush_method());
	add_text(processor, "copy", pmem_copy_method());
	return processor;
}

/* --- Regions -------------------------------------------------------------------------------- */

static struct json_object *words_of(const char *text)
{
	struct json_object *list = json_object_new_array();

	for (size_t length; *text; text += length + (text[length] == ' ')) {
		length = strcspn(text, " ");
		json_object_array_add(list, json_object_new_string_len(text, (int)length));
	}
	return list;
}

static int add_region(const struct pmem_region *region, void *arg)
{
	struct json_object *one = json_object_new_object();

	add_text(one, "name", region->name);
	add_text(one, "directory", region->directory);
	add_text(one, "provider", region->provider);
	json_object_object_add(one, "devices", words_of(region->devices));
	add_number(one, "size", region->size ? (int64_t)region->size : -1);
	add_text(one, "persistence_domain", domains[region->domain]);
	add_number(one, "numa_node", region->numa_node);
	add_number(one, "unsafe_shutdowns", region->unsafe_shutdowns);
	add_number(one, "bad_bytes", region->bad_bytes);
	info_add_health(one);
	json_object_array_add(arg, one);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	struct json_object *const *first = a, *const *second = b;

	return strverscmp(json_object_get_string(json_object_object_get(*first, "name")),
			  json_object_get_string(json_object_object_get(*second, "name")));
}

static struct json_object *regions_of(int fd)
{
	struct json_object *list = json_object_new_array();

	if (pmem_each_region(fd, add_region, list) < 0) {
		json_object_put(list);
		return NULL;
	}
	json_object_array_sort(list, by_name);
	return list;
}

struct json_object *info_regions(void)
{
	return regions_of(-1);
}

/* --- Paths ---------------------------------------------------------------------------------- */

static int add_bad_range(off_t offset, size_t len, void *arg)
{
	struct json_object *one = json_object_new_object();

	add_number(one, "offset", offset);
	add_number(one, "length", (int64_t)len);
	json_object_array_add(arg, one);
	return 0;
}

/* A list that is cut is still worth telling, along with what is the matter. */
static void add_bad_ranges(struct json_object *to, int fd)
{
	struct json_object *list = json_object_new_array();
	const bool known = pmem_bad_ranges(fd, add_bad_range, list) == 0;

	if (!known)
		add_text(to, "bad_ranges_unknown", pmem_errormsg());
	if (!known && json_object_array_length(list) == 0) {
		json_object_put(list);
		list = NULL;
	}
	json_object_object_add(to, "bad_ranges", list);
}

static int64_t attribute_of(int fd, enum pmem_attribute attribute)
{
	uint64_t value;

	return pmem_get_attribute(fd, attribute, &value) == 0 ? (int64_t)value : -1;
}

static void add_attributes(struct json_object *to, int fd)
{
	struct json_object *all = json_object_new_object();
	const char *name;

	for (int i = 0; (name = pmem_attribute_name((enum pmem_attribute)i)); i++)
		add_number(all, name, attribute_of(fd, (enum pmem_attribute)i));
	json_object_object_add(to, "attributes", all);
}

static bool add_explanation(struct json_object *to, int fd)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};

	if (pmem_explain(fd, &explanation) < 0)
		return false;
	add_text(to, "mapping", explanation.text);
	add_text(to, "filesystem", explanation.filesystem);
	add_text(to, "device", explanation.device);
	return true;
}

/* False with the message in pmem_errormsg(). */
static bool examine(struct json_object *to, int fd)
{
	struct json_object *regions;
	int64_t granularity, domain;

	if (!add_explanation(to, fd))
		return false;
	regions = regions_of(fd);
	if (!regions)
		return false;
	granularity = attribute_of(fd, PMEM_ATTRIBUTE_GRANULARITY);
	domain = attribute_of(fd, PMEM_ATTRIBUTE_PERSISTENCE_DOMAIN);
	add_text(to, "granularity", granularity < 0 ? NULL : granularities[granularity]);
	add_number(to, "alignment", attribute_of(fd, PMEM_ATTRIBUTE_MAPPING_ALIGNMENT));
	json_object_object_add(to, "regions", regions);
	add_text(to, "persistence_domain", domain < 0 ? NULL : domains[domain]);
	add_number(to, "numa_node", attribute_of(fd, PMEM_ATTRIBUTE_NUMA_NODE));
	add_number(to, "unsafe_shutdowns", attribute_of(fd, PMEM_ATTRIBUTE_UNSAFE_SHUTDOWNS));
	add_bad_ranges(to, fd);
	add_attributes(to, fd);
	return true;
}

static int ignore_region(const struct pmem_region *region, void *arg)
{
	(void)region;
	(void)arg;
	return 0;
}

/* Opening some devices does things: only what can be mapped is opened. Returns -1 with *why set. */
static int open_path(const char *path, const char **why)
{
	struct stat status;
	const int look = open(path, O_PATH | O_CLOEXEC);
	int fd = -1;

	if (look < 0 || fstat(look, &status) < 0)
		*why = strerror(errno);
	else if (S_ISDIR(status.st_mode) && (fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) < 0)
		*why = errno == EOPNOTSUPP || errno == EISDIR
			       ? "a directory, and no file without a name can be made in it: name a file"
			       : strerror(errno);
	else if (!S_ISDIR(status.st_mode) && pmem_each_region(look, ignore_region, NULL) < 0)
		*why = pmem_errormsg();
	else if (!S_ISDIR(status.st_mode) && (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		*why = strerror(errno);
	if (look >= 0)
		close(look);
	return fd;
}

static void add_path(struct json_object *to, const char *path)
{
	char *text = strdup(path);

	if (!text)
		abort();
	make_text(text);
	add_text(to, "path", text);
	free(text);
}

struct json_object *info_path(const char *path)
{
	struct json_object *one = json_object_new_object();
	const char *why = NULL;
	const int fd = open_path(path, &why);

	add_path(one, path);
	if (fd >= 0 && !examine(one, fd))
		why = pmem_errormsg();
	if (why)
		add_text(one, "error", why);
	if (fd >= 0)
		close(fd);
	return one;
}

bool info_has_error(struct json_object *path)
{
	return json_object_object_get(path, "error") != NULL;
}
