/* test_file.h: files on the file system under test, and what a mapping there must be */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_FILE_H
#define TEST_FILE_H

#include <pmem.h>
#include <stddef.h>

/*
 * PMEM_TEST_DIR names the directory, /dev/shm without it; the test of another
 * media passes PMEM_TEST_GRANULARITY=byte|line|page|none along.
 */

/* An open, unlinked file of that size in the test directory. Its blocks are allocated. */
int test_file(size_t size);

/* The same, not unlinked; path gets its name. */
int test_file_at(size_t size, char path[4096]);

/* A file that is on a disk in any case: its mapping has a page cache that wants msync. */
int test_disk_file(size_t size);

/* What a mapping of test_file() must be. */
enum pmem_granularity expected_granularity(void);

/* Pages as the kernel sees them, in bytes. */
size_t page(void);

/* How many descriptors this process has open. */
int open_descriptors(void);

#endif
