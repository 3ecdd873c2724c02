/* hello.c: the synopsis of the 2013 document, and nothing more: hello FILE */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <pmem.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	const size_t len = 4096;
	char *base;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: hello FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT, 0666);
	if (fd < 0 || ftruncate(fd, (off_t)len) < 0) {
		perror(argv[1]);
		return 1;
	}
	base = pmem_map(fd, len);
	if (!base) {
		fprintf(stderr, "%s: %s\n", argv[1], pmem_errormsg());
		return 1;
	}
	printf("found: %.64s\n", base[0] ? base : "nothing");
	strcpy(base, "hello, persistent memory");
	pmem_persist(base, strlen(base) + 1, 0);
	printf("stored: %s\n", base);
	return 0;
}
