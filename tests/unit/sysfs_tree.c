/* sysfs_tree.c: a /sys of the test's own */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "sysfs_tree.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char tree[64];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int make_tree(void **state)
{
	(void)state;
	strcpy(tree, "/tmp/pmem-sysfs-XXXXXX");
	return mkdtemp(tree) && setenv("PMEM_TEST_SYSFS", tree, 1) == 0 ? 0 : -1;
}

int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory in the tree, its parents included. */
void directory(const char *path)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s/%s", tree, path);
	for (char *at = whole + strlen(tree) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(whole, 0755);
		*at = '/';
	}
	mkdir(whole, 0755);
}

void attribute(const char *path, const char *text)
{
	char whole[512];
	FILE *file;

	snprintf(whole, sizeof(whole), "%s/%s", tree, path);
	file = fopen(whole, "w");
	if (!file)
		fail_msg("%s: %m", whole);
	fputs(text, file);
	fclose(file);
}

void link_to(const char *path, const char *target)
{
	char whole[512], whole_target[512];

	snprintf(whole, sizeof(whole), "%s/%s", tree, path);
	snprintf(whole_target, sizeof(whole_target), "%s/%s", tree, target);
	assert_int_equal(symlink(whole_target, whole), 0);
}

/* /sys/dev/block/259:0 and its like. */
void device(const char *kind_and_number, const char *target)
{
	char path[256];

	directory("dev/block");
	directory("dev/char");
	snprintf(path, sizeof(path), "dev/%s", kind_and_number);
	directory(target);
	link_to(path, target);
}
