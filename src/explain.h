/* explain.h: what a mapping is, and why it is no better, in words */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_EXPLAIN_H
#define PMEM_EXPLAIN_H

#include "examine.h"

enum { EXPLAIN_SIZE = 256 };

/* One line for people, of a mapping with this verdict. Asks the file system and /sys where MAP_SYNC was refused. */
void explain(const struct examination *found, char *text, size_t size);

#endif
