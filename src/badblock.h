/* badblock.h: which bytes of a file the kernel knows to be lost */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_BADBLOCK_H
#define PMEM_BADBLOCK_H

#include "classify.h"

/*
 * Calls each for the lost ranges of a file or device, in order, adjacent ones as
 * one, until one returns other than 0, which is then the result. -1 with errno
 * and message if they cannot be known.
 */
int each_bad_range(int fd, const struct target *target, int (*each)(off_t offset, size_t len, void *arg), void *arg);

#endif
