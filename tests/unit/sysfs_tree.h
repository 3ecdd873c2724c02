/* sysfs_tree.h: a /sys of the test's own */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SYSFS_TREE_H
#define SYSFS_TREE_H

/* Where the tree is. All paths below are relative to it. */
extern char tree[64];

/* Setup and teardown of a test: the library reads the tree instead of /sys in between. */
int make_tree(void **state);
int remove_tree(void **state);

/* A directory, its parents included. */
void directory(const char *path);

/* A file with this text, over an earlier one. */
void attribute(const char *path, const char *text);

void link_to(const char *path, const char *target);

/* A device's directory, and the link to it: "block/259:0" and its like. */
void device(const char *kind_and_number, const char *target);

#endif
