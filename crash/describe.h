/* describe.h: findings and hints in words */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_DESCRIBE_H
#define PMEM_CRASH_DESCRIBE_H

#include "places.h"

/*
 * Finds the source line of every place in the result, makes one finding of
 * those that turn out to be of one line, and says of each what happened and
 * what would have prevented it. Sets their ids. Between explore() and reports.
 */
void describe(struct result *result, struct places *places);

#endif
