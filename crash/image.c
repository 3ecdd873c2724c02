/* image.c: the contents of all pools at one instant: where they differ from the start */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static bool write_whole(int fd, const unsigned char *bytes, size_t length, uint64_t offset)
{
	ssize_t written;

	while (length > 0) {
		written = pwrite(fd, bytes, length, (off_t)offset);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
		offset += (uint64_t)written;
	}
	return true;
}

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

/* Over an empty file: blocks of zeros stay holes. */
static bool write_start(const struct start *start, uint32_t pool, uint64_t size, int fd)
{
	const unsigned char *bytes = start->pools[pool].bytes;
	const uint64_t end = start->pools[pool].size < size ? start->pools[pool].size : size;

	for (uint64_t at = 0; at < end; at += BLOCK) {
		const size_t length = end - at < BLOCK ? (size_t)(end - at) : BLOCK;

		if (!is_zero(bytes + at, length) && !write_whole(fd, bytes + at, length, at))
			return false;
	}
	return true;
}

bool image_write(const struct image *image, uint32_t pool, int fd)
{
	const uint64_t size = image->sizes[pool];

	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)size) < 0 || !write_start(image->start, pool, size, fd))
		return false;
	for (size_t i = 0; i < image->unit_count; i++) {
		const struct image_unit *unit = &image->units[i];
		size_t length = image->start->unit;

		if (unit->pool != pool || unit->offset >= size)
			continue;
		if (size - unit->offset < length)
			length = (size_t)(size - unit->offset);
		if (!write_whole(fd, unit->bytes, length, unit->offset))
			return false;
	}
	return true;
}

/* One allocation: the image, its units, their bytes. */
struct image *image_copy(const struct image *image)
{
	const size_t list = image->unit_count * sizeof(image->units[0]);
	struct image *copy = malloc(sizeof(*copy) + list + image->unit_count * image->start->unit);
	unsigned char *bytes;

	if (!copy)
		return NULL;
	*copy = *image;
	copy->units = (struct image_unit *)(copy + 1);
	bytes = (unsigned char *)copy->units + list;
	for (size_t i = 0; i < image->unit_count; i++) {
		copy->units[i] = image->units[i];
		copy->units[i].bytes = bytes;
		memcpy(bytes, image->units[i].bytes, image->start->unit);
		bytes += image->start->unit;
	}
	return copy;
}

void image_free(struct image *image)
{
	free(image);
}
