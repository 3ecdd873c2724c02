/* rewrite.h: puts calls of hooks into the text of an assembly file (x86-64, AT&T syntax) */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_AS_REWRITE_H
#define PMEM_AS_REWRITE_H

#include "text.h"

/*
 * Appends the source to out with hooks in it, line for line: messages of the
 * assembler name the right ones. Where flushes and fences are written in Intel
 * syntax they stay without hooks, and a remark about the file name is made on
 * stderr.
 */
void rewrite(const char *source, size_t length, const char *name, struct text *out);

#endif
