/* layout.h: finds what the pmem command needs at run time, installed or in the build tree */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_LAYOUT_H
#define PMEM_LAYOUT_H

/*
 * The path of a file that is installed in a folder (absolute, as configured),
 * and lies in another, relative to the command, where it was built. The prefix
 * may have been moved since, or be below DESTDIR: the way from the command to the
 * folder counts. Allocated; NULL with errno where there is none.
 */
char *layout_find(const char *installed, const char *built, const char *name);

#endif
