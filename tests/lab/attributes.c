/* attributes.c: what a media says of itself: attributes MEDIA PLACE DOMAIN, or attributes set FILE */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { UNKNOWN = -1 };

static int64_t value_of(int fd, enum pmem_attribute attribute)
{
	uint64_t value;

	if (pmem_get_attribute(fd, attribute, &value) == 0)
		return (int64_t)value;
	if (errno != ENODATA)
		note("%s: %s", pmem_attribute_name(attribute), pmem_errormsg());
	return errno == ENODATA ? UNKNOWN : -2;
}

static void expect_value(int fd, enum pmem_attribute attribute, int64_t expected)
{
	const int64_t value = value_of(fd, attribute);

	expect(value == expected, "%s is %" PRId64, pmem_attribute_name(attribute), expected);
	if (value != expected)
		note("it is %" PRId64, value);
}

static bool explains(int fd, const char *words)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};

	if (pmem_explain(fd, &explanation) < 0)
		return false;
	note("%s", explanation.text);
	return strstr(explanation.text, words) != NULL;
}

static int keep_region(const struct pmem_region *region, void *arg)
{
	note("%s of %s: %s, %" PRIu64 " bytes, bad %" PRId64, region->name, region->provider, region->devices,
	     region->size, region->bad_bytes);
	++*(int *)arg;
	return region->size > 0 && region->devices[0] ? 0 : -2;
}

/* What is to be expected of a media in the lab. */
static const struct media {
	const char *name;
	const char *words; /* of the explanation */
	int regions;
	bool nvdimm; /* has a persistence domain */
	int64_t cow, range, deep, modes, mode, alignment;
} all_media[] = {
	{"ext4-dax", "persistent memory: MAP_SYNC granted by ext4", 1, true, 1, 4096, 1, 2, 2, 4096},
	{"xfs-dax", "persistent memory: MAP_SYNC granted by xfs", 1, true, 1, 4096, 1, 2, 2, 4096},
	{"devdax", "persistent memory: a device-dax", 1, true, 0, 2 << 20, 1, 2, 2, 2 << 20},
	{"virtio-pmem", "is virtio-pmem, which only the host makes durable", 1, false, 1, UNKNOWN, 1, 1, 1, 4096},
	{"ext4", "whose device vda has no direct access", 0, false, 1, UNKNOWN, 1, 1, 1, 4096},
};

static const struct media *media_named(const char *name)
{
	for (size_t i = 0; i < sizeof(all_media) / sizeof(all_media[0]); i++) {
		if (strcmp(all_media[i].name, name) == 0)
			return &all_media[i];
	}
	give_up("no such media: %s", name);
}

static int64_t domain_named(const char *name)
{
	if (strcmp(name, "cpu_cache") == 0)
		return PMEM_DOMAIN_CPU_CACHE;
	return strcmp(name, "memory_controller") == 0 ? PMEM_DOMAIN_MEMORY_CONTROLLER : UNKNOWN;
}

static int open_in(const char *place)
{
	char path[4096];
	int fd = open(place, O_RDWR);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/attributes-test", place);
	fd = open(path, O_RDWR | O_CREAT, 0666);
	if (fd < 0 || ftruncate(fd, 8 << 20) < 0)
		give_up("%s cannot be opened", path);
	return fd;
}

/* The granularity is that of the mapping that pmem_map() makes, whatever the media. */
static void expect_granularity(int fd, int64_t alignment)
{
	char *base = pmem_map(fd, (size_t)alignment);

	if (!base)
		give_up("pmem_map: %s", pmem_errormsg());
	expect_value(fd, PMEM_ATTRIBUTE_GRANULARITY, pmem_granularity(base, 1));
	pmem_unmap(base, (size_t)alignment);
}

static void expect_media(const struct media *media, int fd, int64_t domain)
{
	int regions = 0;

	expect(explains(fd, media->words), "the explanation says why");
	expect(pmem_each_region(fd, keep_region, &regions) == 0 && regions == media->regions, "it is in %d region",
	       media->regions);
	expect_value(fd, PMEM_ATTRIBUTE_PERSISTENCE_DOMAIN, media->nvdimm ? domain : UNKNOWN);
	expect_value(fd, PMEM_ATTRIBUTE_MAP_COPY_ON_WRITE_CAPABLE, media->cow);
	expect_value(fd, PMEM_ATTRIBUTE_INTERRUPTED_STORE_ATOMICITY, media->nvdimm);
	expect_value(fd, PMEM_ATTRIBUTE_OPTIMIZED_FLUSH_CAPABLE, media->nvdimm);
	expect_value(fd, PMEM_ATTRIBUTE_FUNDAMENTAL_ERROR_RANGE, media->range);
	expect_value(fd, PMEM_ATTRIBUTE_DEEP_FLUSH_CAPABLE, media->deep);
	expect_value(fd, PMEM_ATTRIBUTE_ERROR_EVENT_CAPABLE, 1);
	expect_value(fd, PMEM_ATTRIBUTE_SUPPORTED_MODES, media->modes);
	expect_value(fd, PMEM_ATTRIBUTE_FILE_MODE, media->mode);
	expect_value(fd, PMEM_ATTRIBUTE_MAPPING_ALIGNMENT, media->alignment);
	expect_value(fd, PMEM_ATTRIBUTE_UNSAFE_SHUTDOWNS, UNKNOWN); /* the emulated NVDIMM does not count */
	expect_granularity(fd, media->alignment);
}

static int reopen(const char *path, int fd)
{
	close(fd);
	fd = open(path, O_RDWR);
	if (fd < 0)
		give_up("%s cannot be opened", path);
	return fd;
}

/* On a file system that is mounted with dax=inode. */
static void set_mode(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0666);

	if (fd < 0 || posix_fallocate(fd, 0, 8 << 20) != 0)
		give_up("%s cannot be made", path);
	expect_value(fd, PMEM_ATTRIBUTE_SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK | PMEM_FILE_MODE_PM);
	expect_value(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_BLOCK);
	expect(explains(fd, "mounted without dax, and the file's DAX flag is off"), "the explanation says why");
	expect(pmem_set_attribute(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_PM) == 0, "FILE_MODE is set");
	note("%s", pmem_errormsg());
	expect_value(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_BLOCK);
	expect(explains(fd, "until all have closed the file"), "the explanation says that it takes effect later");
	fd = reopen(path, fd);
	expect_value(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_PM);
	expect_granularity(fd, 4096);
	expect_value(fd, PMEM_ATTRIBUTE_SUPPORTED_MODES, PMEM_FILE_MODE_BLOCK | PMEM_FILE_MODE_PM);
	expect(pmem_set_attribute(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_BLOCK) == 0, "FILE_MODE is set back");
	fd = reopen(path, fd);
	expect_value(fd, PMEM_ATTRIBUTE_FILE_MODE, PMEM_FILE_MODE_BLOCK);
	close(fd);
}

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "set") == 0)
		set_mode(argv[2]);
	else if (argc == 4)
		expect_media(media_named(argv[1]), open_in(argv[2]), domain_named(argv[3]));
	else
		give_up("usage: attributes MEDIA PLACE DOMAIN, or attributes set FILE");
	return report_status();
}
