/* image.h: the contents of all pools at one instant: where they differ from the start */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_IMAGE_H
#define PMEM_CRASH_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_POOLS = 16 };

/* The contents of the pools when the program started: durable. Never changed. */
struct start {
	uint32_t pool_count;
	uint32_t unit; /* bytes: what the medium writes in one piece */
	struct {
		const char *name; /* absolute path */
		const unsigned char *bytes;
		uint64_t size; /* bytes */
	} pools[IMAGE_POOLS];
};

/* One unit that differs from the start. Beyond the end of its pool it is zero. */
struct image_unit {
	uint32_t pool;
	uint64_t offset;
	const unsigned char *bytes; /* start->unit of them */
};

struct image {
	const struct start *start;
	uint64_t sizes[IMAGE_POOLS]; /* bytes */
	struct image_unit *units;    /* by pool and offset */
	size_t unit_count;
	size_t output_length; /* bytes that the program had written to its standard output */
};

/* Writes a pool's contents over an open file, whatever it held. False with errno. */
bool image_write(const struct image *image, uint32_t pool, int fd);

/* A copy with its own bytes; NULL without memory. */
struct image *image_copy(const struct image *image);

void image_free(struct image *image);

#endif
