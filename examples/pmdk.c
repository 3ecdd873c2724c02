/* pmdk.c: a program for PMDK's libpmem, as it is compiled and run on this one: pmdk FILE */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <libpmem.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char *argv[])
{
	const char greeting[] = "hello, PMDK";
	size_t length;
	char *base;
	int is_pmem;

	if (argc != 2)
		return 2;
	if (pmem_check_version(PMEM_MAJOR_VERSION, PMEM_MINOR_VERSION))
		return 2;
	base = (char *)pmem_map_file(argv[1], 4096, PMEM_FILE_CREATE, 0666, &length, &is_pmem);
	if (!base) {
		fprintf(stderr, "pmdk: %s\n", pmem_errormsg());
		return 1;
	}
	if (is_pmem) {
		pmem_memcpy(base, greeting, sizeof(greeting), PMEM_F_MEM_NODRAIN);
		pmem_persist(base, sizeof(greeting));
	} else {
		memcpy(base, greeting, sizeof(greeting));
		if (pmem_msync(base, sizeof(greeting)) < 0) {
			fprintf(stderr, "pmdk: %s\n", pmem_errormsg());
			return 1;
		}
	}
	printf("stored: %s\n", base);
	return pmem_unmap(base, length) < 0;
}
