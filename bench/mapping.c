/* mapping.c: opening a file, mapping it, touching it for the first time, unmapping and closing it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "peer.h"
#include "suites.h"

#include <fcntl.h>
#include <limits.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 8 }; /* in a turn */

struct file {
	char path[PATH_MAX];
	size_t size;
};

static void touch(char *at, size_t size)
{
	*(volatile char *)at = 1;
	*(volatile char *)(at + size / 2) = 1;
	*(volatile char *)(at + size - 1) = 1;
}

static void fail_here(const char *what, const char *path)
{
	fprintf(stderr, "pmem bench: %s: %s failed\n", path, what);
	exit(2);
}

static void round_of_floor(const struct file *file)
{
	const int fd = open(file->path, O_RDWR | O_CLOEXEC);
	struct stat status;
	char *at;

	if (fd < 0 || fstat(fd, &status) < 0)
		fail_here("open", file->path);
	at = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail_here("mmap", file->path);
	close(fd);
	touch(at, file->size);
	munmap(at, file->size);
}

static void round_of_library(const struct file *file)
{
	const int fd = open(file->path, O_RDWR | O_CLOEXEC);
	char *at = fd < 0 ? NULL : pmem_map(fd, file->size);

	if (!at)
		fail_here("pmem_map", file->path);
	close(fd);
	touch(at, file->size);
	pmem_unmap(at, file->size);
}

static void round_of_peer(const struct file *file)
{
	size_t size;
	int is_pmem;
	char *at = peer.map_file(file->path, 0, 0, 0, &size, &is_pmem);

	if (!at)
		fail_here("pmem_map_file of the peer", file->path);
	touch(at, size);
	peer.unmap(at, size);
}

static double turn(const struct file *file, void (*round)(const struct file *file))
{
	const double start = bench_clock();

	for (unsigned i = 0; i < ROUNDS; i++)
		round(file);
	return (bench_clock() - start) / ROUNDS;
}

static double turn_of_floor(void *work)
{
	return turn(work, round_of_floor);
}

static double turn_of_library(void *work)
{
	return turn(work, round_of_library);
}

static double turn_of_peer(void *work)
{
	return turn(work, round_of_peer);
}

static const struct contestant contestants[] = {
	{"open, fstat, mmap, munmap", ROLE_FLOOR, turn_of_floor},
	{"the same again", ROLE_CONTROL, turn_of_floor},
	{"open, pmem_map, pmem_unmap", ROLE_LIBRARY, turn_of_library},
	{"pmem_map_file, pmem_unmap", ROLE_PEER, turn_of_peer},
};

enum { CONTESTANTS = sizeof(contestants) / sizeof(contestants[0]) };

/* A file with all of its blocks. False if it cannot be made there. */
static bool make_file(struct file *file, const char *directory, size_t size)
{
	int fd, error;

	snprintf(file->path, sizeof(file->path), "%s/pmem-bench-XXXXXX", directory);
	file->size = size;
	fd = mkstemp(file->path);
	if (fd < 0)
		return false;
	error = posix_fallocate(fd, 0, (off_t)size);
	fsync(fd);
	close(fd);
	if (error)
		unlink(file->path);
	return error == 0;
}

const char *bench_mapping(const struct bench *bench, struct suite_results *results, double seconds)
{
	static const size_t sizes[] = {4 << 10, 2 << 20, 64 << 20};
	enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };
	const char *const directories[] = {bench->directory ? bench->directory : "/dev/shm", "/var/tmp"};
	const unsigned places = bench->directory ? 1 : 2;
	static struct file file;

	for (unsigned i = 0; i < places * SIZES; i++) {
		if (!make_file(&file, directories[i / SIZES], sizes[i % SIZES]))
			return "files of 64 MiB cannot be made there";
		bench_measure(results,
			      &(struct trial){
				      .state = directories[i / SIZES],
				      .length = file.size,
				      .contestants = contestants,
				      .contestant_count = CONTESTANTS - !bench->peer_path,
				      .work = &file,
			      },
			      seconds / (places * SIZES));
		unlink(file.path);
	}
	return NULL;
}
