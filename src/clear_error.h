/* clear_error.h: gives lost bytes back to use, as zeros */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CLEAR_ERROR_H
#define PMEM_CLEAR_ERROR_H

#include "classify.h"

/* What pmem_clear_error() was asked for, and what it has found out. */
struct clearing {
	int fd;
	struct target target;
	uint64_t start, end; /* the range; cut to the file's last block */
	uint64_t unit;       /* bytes that can only be cleared together */
	/* The first range on the kernel's list that ends after bad_from; at the end of all numbers: none. */
	uint64_t bad_from, bad_start, bad_end;
	void (*lost)(off_t offset, size_t len, void *arg);
	void *arg;
};

/* Clears [start, end) of a device-dax, whole sectors, and tells what was lost. 0, or -1 with errno and message. */
int clear_on_device(const struct clearing *clearing, uint64_t start, uint64_t end);

/* Tells the part of [start, end) that is in the file. */
void tell_lost(const struct clearing *clearing, uint64_t start, uint64_t end);

#endif
