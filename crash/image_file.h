/* image_file.h: a file that is made to hold one state of a pool after the other */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A check gets a file that it may write to, truncate, remove. Before the next
 * check the file must hold the next state, to the byte; writing all of it anew
 * would cost more than the check does. So the file stays, and what differs is
 * put right. Blocks that are zero stay holes.
 */
#ifndef PMEM_CRASH_IMAGE_FILE_H
#define PMEM_CRASH_IMAGE_FILE_H

#include "judge.h"

struct image_file {
	const char *path;
	uint32_t pool;
	int fd;              /* -1: there is no file now */
	unsigned char *view; /* of the file, mapped */
	uint64_t viewed;     /* bytes */
	uint64_t *filled;    /* a bit for each block where the base may be other than zero */
	uint64_t blocks;     /* that filled has bits for */
};

/* The path must outlive it. */
void image_file_init(struct image_file *file, const char *path, uint32_t pool);

/* The file holds the pool's contents. False with errno. */
bool image_file_update(struct image_file *file, const struct contents *contents);

void image_file_remove(struct image_file *file);

#endif
