/* lost_write.c: write-back that really fails: a file system whose own backing store is full */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lost_write CASE FILE FILLER: FILE, on the file system under test, has its
 * blocks allocated but never written, and FILLER, on the tmpfs that holds the
 * file system's image, can be grown until nothing more fits. Exit status 0: the
 * library told what it had to tell; 77: the kernel did not fail as asked.
 *
 * Pages are written one by one, with a gap before the one that is to be lost:
 * the kernel writes neighbours along, which would hide the loss.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 1024 };

static const char *filler_path;
static size_t page;
static int fd;

static void stop(const char *what)
{
	printf("%s: %s (%s)\n", what, strerror(errno), pmem_errormsg());
	exit(1);
}

static void expect(int truth, const char *what)
{
	if (!truth) {
		printf("not so: %s; last message: %s\n", what, pmem_errormsg());
		exit(1);
	}
}

/* From now on the loop device cannot allocate a page: writes to blocks that never were written fail. */
static void fill_backing_store(void)
{
	static char block[1 << 16];
	const int filler = open(filler_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	for (size_t size = sizeof(block); size >= 512;)
		if (write(filler, block, size) <= 0)
			size /= 2;
	close(filler);
}

static void free_backing_store(void)
{
	if (truncate(filler_path, 0) < 0)
		stop("truncate");
}

/* Stores to the n-th page, far from the others. */
static char *store(char *base, size_t n, char byte)
{
	char *at = base + n * 16 * page;

	*at = byte;
	return at;
}

static char *map(void)
{
	char *base = pmem_map(fd, PAGES * page);

	if (!base)
		stop("pmem_map");
	return base;
}

/* After a failure: 0 from the kernel, a failure from us; durable again only after mapping anew. */
static void the_error_stays(char *base)
{
	char *lost;

	fill_backing_store();
	lost = store(base, 1, 1);
	expect(pmem_try_persist(lost, 1) == -1, "the first persist fails");
	expect(errno == ENOSPC || errno == EIO, "with ENOSPC or EIO");
	if (msync(lost, page, MS_SYNC) != 0)
		exit(77);
	expect(pmem_try_persist(lost, 1) == -1, "the second one fails, though msync says 0");
	expect(pmem_try_persist(store(base, 2, 1), 1) == -1, "so does another range of the file");
	free_backing_store();
	expect(pmem_try_persist(lost, 1) == -1, "even with space again: the store is lost");
	expect(pmem_unmap(base, PAGES * page) == 0, "pmem_unmap");
	base = map();
	lost = store(base, 1, 2);
	expect(pmem_try_persist(lost, 1) == 0, "mapped and stored anew it is durable");
}

static void the_program_fsyncs_first(char *base)
{
	char *lost;

	fill_backing_store();
	lost = store(base, 1, 1);
	if (fsync(fd) == 0)
		exit(77);
	expect(pmem_try_persist(lost, 1) == -1, "the program's fsync took the error; ours is told all the same");
}

static void a_child_fails_first(char *base)
{
	char *lost;
	int status;

	fill_backing_store();
	lost = store(base, 1, 1);
	if (fork() == 0)
		_exit(pmem_try_persist(lost, 1) == -1 ? 0 : 1);
	wait(&status);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child is told");
	expect(pmem_try_persist(lost, 1) == -1, "the parent is told too");
}

static void a_parent_fails_first(char *base)
{
	int to_child[2], status;
	char *lost = base + 16 * page, go;

	if (pipe(to_child) < 0)
		stop("pipe");
	if (fork() == 0) {
		_exit(read(to_child[0], &go, 1) == 1 && pmem_try_persist(lost, 1) == -1 ? 0 : 1);
	}
	fill_backing_store();
	lost = store(base, 1, 1);
	expect(pmem_try_persist(lost, 1) == -1, "the parent is told");
	if (write(to_child[1], "g", 1) != 1)
		stop("write");
	wait(&status);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child is told too");
}

/* Nobody of the library has been told yet, and the program's own description has: the child must not start afresh. */
static void a_fork_after_the_program_was_told(char *base)
{
	char *lost;
	int status;

	fill_backing_store();
	lost = store(base, 1, 1);
	if (fsync(fd) == 0)
		exit(77);
	if (fork() == 0)
		_exit(pmem_try_persist(lost, 1) == -1 ? 0 : 1);
	wait(&status);
	expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child is told");
	expect(pmem_try_persist(lost, 1) == -1, "the parent is told too");
}

static void a_hole_that_cannot_be_filled(char *base)
{
	const off_t end = (off_t)(PAGES * page);
	off_t room = 1 << 30;

	(void)base;
	if (ftruncate(fd, 2 * end) < 0)
		stop("ftruncate");
	for (off_t at = 2 * end; room >= (off_t)page;) {
		if (fallocate(fd, FALLOC_FL_KEEP_SIZE, at, room) == 0)
			at += room;
		else
			room /= 2;
	}
	expect(!pmem_map_range(fd, end, (size_t)end, PMEM_MAP_POPULATE), "there is no room for the hole's pages");
	expect(errno == EFAULT, "with EFAULT");
	expect(strstr(pmem_errormsg(), "file system full") != NULL, "and it says why");
	expect(pmem_try_persist(base, 1) == 0, "what was mapped before is as it was");
}

/* Somebody else's write-back fails; our persist of another range succeeds, of the lost one too: the kernel says 0. */
static void background_write_back_fails(char *base)
{
	char *lost, *other;

	other = store(base, 3, 1);
	expect(pmem_try_persist(other, 1) == 0, "before it all is well");
	fill_backing_store();
	lost = store(base, 1, 1);
	if (sync_file_range(fd, lost - base, (off_t)page, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0)
		exit(77);
	other = store(base, 3, 2); /* its block is there: the write itself succeeds */
	expect(pmem_try_persist(other, 1) == -1, "another range of the file fails, and tells");
	expect(pmem_try_persist(lost, 1) == -1, "the lost one fails for good");
}

static void a_mapping_of_the_programs_own(char *base)
{
	char *own = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *lost;

	(void)base;
	fill_backing_store();
	lost = store(own, 1, 1);
	expect(pmem_try_persist(lost, 1) == -1, "the first persist fails");
	expect(pmem_try_persist(lost, 1) == -1, "the second one fails, though msync says 0");
	expect(pmem_try_persist(store(own, 2, 1), 1) == -1, "so does another range of the file");
	free_backing_store();
	expect(pmem_register(own, PAGES * page) == 0, "pmem_register");
	expect(pmem_try_persist(store(own, 1, 2), 1) == 0, "registered and stored anew it is durable");
}

static void a_flushed_range_fails_at_the_fence(char *base)
{
	const struct iovec ranges[] = {{store(base, 3, 1), 1}, {store(base, 1, 1), 1}, {store(base, 5, 1), 1}};

	fill_backing_store();
	expect(pmem_try_persistv(ranges, 3) == -1, "one of several ranges fails: so does the call");
	expect(pmem_try_persist(base + 100 * page, 1) == -1, "and the file stays failed");
}

/* Dirty pages between the ranges keep them from being one msync: their writing is started together instead. */
static void a_range_fails_that_was_started_with_others(char *base)
{
	const struct iovec ranges[] = {{store(base, 3, 1), 1}, {store(base, 1, 1), 1}, {store(base, 2, 1), 1}};

	for (size_t n = 1; n < 3; n++) {
		for (size_t i = 3; i < 10; i++)
			base[(n * 16 + i) * page] = 1;
	}
	fill_backing_store();
	expect(pmem_try_persistv(ranges, 3) == -1, "one of several ranges fails: so does the call");
	for (size_t i = 0; i < 3; i++)
		expect(pmem_try_persist(ranges[i].iov_base, 1) == -1, "and each of them stays failed");
}

static const struct {
	const char *name;
	void (*run)(char *base);
} cases[] = {
	{"the-error-stays", the_error_stays},
	{"the-program-fsyncs-first", the_program_fsyncs_first},
	{"a-child-fails-first", a_child_fails_first},
	{"a-parent-fails-first", a_parent_fails_first},
	{"a-fork-after-the-program-was-told", a_fork_after_the_program_was_told},
	{"a-hole-that-cannot-be-filled", a_hole_that_cannot_be_filled},
	{"background-write-back-fails", background_write_back_fails},
	{"a-mapping-of-the-programs-own", a_mapping_of_the_programs_own},
	{"a-flushed-range-fails-at-the-fence", a_flushed_range_fails_at_the_fence},
	{"a-started-range-fails-at-the-fence", a_range_fails_that_was_started_with_others},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

int main(int argc, char *argv[])
{
	size_t i = 0;

	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (; i < CASES; i++)
			puts(cases[i].name);
		return 0;
	}
	while (argc == 4 && i < CASES && strcmp(argv[1], cases[i].name) != 0)
		i++;
	if (argc != 4 || i == CASES) {
		fprintf(stderr, "usage: lost_write --list | CASE FILE FILLER\n");
		return 2;
	}
	filler_path = argv[3];
	page = (size_t)sysconf(_SC_PAGESIZE);
	fd = open(argv[2], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || (errno = posix_fallocate(fd, 0, (off_t)(PAGES * page))) != 0 || fsync(fd) < 0)
		stop(argv[2]);
	cases[i].run(map());
	return 0;
}
