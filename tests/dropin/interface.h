/* interface.h: telling what a library does, one line a case */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef INTERFACE_H
#define INTERFACE_H

#include <stddef.h>

#define KIB    ((size_t)1 << 10)
#define MIB    ((size_t)1 << 20)
#define GIB    ((size_t)1 << 30)
#define LENGTH (64 * KIB)

/* A line: the case, a tab, and what happened. */
void tell(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The path of a name in the folder under test, valid until the next call; absolute names and "" are themselves. */
const char *path_of(const char *name);

/* Removes what a case has left under a name. */
void clean(const char *name);

/* stores.c: flushes and copies, on mappings of every kind. */
void flush_each_kind(void);
void copy_each_kind(void);
void flush_all(const char *name, char *at, size_t length);
void copy_without_flags(unsigned char *room, const char *kind);

#endif
