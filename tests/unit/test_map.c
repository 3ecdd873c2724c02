/* test_map.c: what can be mapped, what cannot, and what the mapping is */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 1 << 20 };

/* --- The table of bad input ------------------------------------------------------------- */

static int closed(void)
{
	const int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static int reopened(int flags)
{
	char path[4096];
	int fd = test_file_at(SIZE, path);

	close(fd);
	fd = open(path, flags | O_CLOEXEC);
	unlink(path);
	return fd;
}

static int file(void)
{
	return test_file(SIZE);
}

static int odd_file(void)
{
	return test_file(SIZE + 100);
}

static int empty_file(void)
{
	return test_file(0);
}

static int write_only(void)
{
	return reopened(O_WRONLY);
}

static int read_only(void)
{
	return reopened(O_RDONLY);
}

static int path_only(void)
{
	return reopened(O_PATH);
}

static int directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int pipe_end(void)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	return ends[1];
}

static int socket_end(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int zero_device(void)
{
	return open("/dev/zero", O_RDWR);
}

static const struct bad_input {
	const char *name;
	int (*open)(void);
	off_t offset; /* in pages where below 1000, else in bytes */
	size_t length;
	unsigned flags;
	int error;
} bad_inputs[] = {
	{"bad fd", closed, 0, SIZE, 0, EBADF},
	{"negative fd", NULL, 0, SIZE, 0, EBADF},
	{"O_PATH fd", path_only, 0, SIZE, 0, EBADF},
	{"write-only fd", write_only, 0, SIZE, 0, EACCES},
	{"write-only fd, read-only mapping", write_only, 0, SIZE, PMEM_MAP_READONLY, EACCES},
	{"read-only fd", read_only, 0, SIZE, 0, EACCES},
	{"length 0", file, 0, 0, 0, EINVAL},
	{"offset not page-aligned", file, 4097, SIZE / 2, 0, EINVAL},
	{"negative offset", file, -1, SIZE, 0, EINVAL},
	{"unknown flag", file, 0, SIZE, 0x80000000u, EINVAL},
	{"unknown flag among known ones", file, 0, SIZE, PMEM_MAP_POPULATE | 0x10u, EINVAL},
	{"offset + length overflow", file, 1, SIZE_MAX, 0, EOVERFLOW},
	{"offset + length overflow off_t", file, 1, INT64_MAX, 0, EOVERFLOW},
	{"one byte beyond the end", file, 0, SIZE + 1, 0, ENXIO},
	{"one byte beyond an odd end", odd_file, 0, SIZE + 101, 0, ENXIO},
	{"offset beyond the end", file, 999, 1, 0, ENXIO},
	{"empty file", empty_file, 0, 1, 0, ENXIO},
	{"directory", directory, 0, SIZE, 0, ENODEV},
	{"directory, read-only", directory, 0, SIZE, PMEM_MAP_READONLY, ENODEV},
	{"pipe", pipe_end, 0, SIZE, 0, ENODEV},
	{"socket", socket_end, 0, SIZE, 0, ENODEV},
	{"another device", zero_device, 0, SIZE, 0, ENODEV},
};

static void bad_input_is_refused_with_its_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_inputs) / sizeof(bad_inputs[0]); i++) {
		const struct bad_input *bad = &bad_inputs[i];
		const int fd = bad->open ? bad->open() : -1;
		const off_t offset = bad->offset > 0 && bad->offset < 1000 ? bad->offset * (off_t)page() : bad->offset;
		const int descriptors = open_descriptors();

		errno = 0;
		if (pmem_map_range(fd, offset, bad->length, bad->flags) != NULL || errno != bad->error)
			fail_msg("%s: errno %d instead of %d (%s)", bad->name, errno, bad->error, pmem_errormsg());
		if (strlen(pmem_errormsg()) < 10)
			fail_msg("%s: no message", bad->name);
		assert_int_equal(open_descriptors(), descriptors);
		close(fd);
	}
}

/* --- What the mapping is ------------------------------------------------------------------ */

static void map_gives_the_file(void **state)
{
	const int fd = test_file(SIZE);
	char back[6] = "";
	char *base;

	(void)state;
	assert_int_equal(pwrite(fd, "before", 6, 0), 6);
	base = pmem_map(fd, SIZE);
	assert_non_null(base);
	assert_memory_equal(base, "before", 6);
	memcpy(base, "after!", 6);
	pmem_persist(base, 6, 0);
	assert_int_equal(pread(fd, back, 6, 0), 6);
	assert_memory_equal(back, "after!", 6);
	assert_int_equal(pmem_unmap(base, SIZE), 0);
	close(fd);
}

static void the_descriptor_may_be_closed(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	close(fd);
	base[0] = 1;
	pmem_persist(base, 1, 0);
	assert_int_equal(pmem_unmap(base, SIZE), 0);
}

static void granularity_is_that_of_the_media(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	assert_int_equal(pmem_granularity(base, SIZE), expected_granularity());
	assert_int_equal(pmem_granularity(base + 5, 1), expected_granularity());
	assert_int_equal(pmem_granularity(base, 0), expected_granularity());
	pmem_unmap(base, SIZE);
	close(fd);
}

static void granularity_of_nothing_is_none(void **state)
{
	char *base = mmap(NULL, 3 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	munmap(base + page(), page());
	errno = 0;
	assert_int_equal(pmem_granularity(base + page(), 1), PMEM_GRANULARITY_NONE);
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_int_equal(pmem_granularity(base, 3 * page()), PMEM_GRANULARITY_NONE);
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_int_equal(pmem_granularity((void *)(UINTPTR_MAX - 10), 100), PMEM_GRANULARITY_NONE);
	assert_int_equal(errno, ENOMEM);
	munmap(base, 3 * page());
}

/* The program's own mapping: MAP_SYNC was not asked for, so it can be no finer than a page. */
static void granularity_of_a_foreign_mapping(void **state)
{
	const int fd = test_file(SIZE);
	char *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	const enum pmem_granularity expected =
		expected_granularity() == PMEM_GRANULARITY_NONE ? PMEM_GRANULARITY_NONE : PMEM_GRANULARITY_PAGE;

	(void)state;
	assert_int_equal(pmem_granularity(base, SIZE), expected);
	assert_int_equal(pmem_register(base, SIZE), 0);
	assert_int_equal(pmem_granularity(base, SIZE), expected);
	assert_int_equal(pmem_unregister(base, SIZE), 0);
	assert_int_equal(pmem_granularity(base, SIZE), expected);
	munmap(base, SIZE);
	close(fd);
}

static void the_coarsest_granularity_counts(void **state)
{
	const int fd = test_disk_file(page());
	char *base = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_equal(mmap(base, page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0), base);
	assert_int_equal(pmem_granularity(base, page()), PMEM_GRANULARITY_PAGE);
	assert_int_equal(pmem_granularity(base, 2 * page()), PMEM_GRANULARITY_NONE);
	assert_int_equal(pmem_register(base, 2 * page()), 0);
	assert_int_equal(pmem_granularity(base, page()), PMEM_GRANULARITY_PAGE);
	assert_int_equal(pmem_granularity(base + page() - 1, 2), PMEM_GRANULARITY_NONE);
	pmem_unmap(base, 2 * page());
	close(fd);
}

static void memory_without_a_file_is_volatile(void **state)
{
	const int fd = test_disk_file(page());
	const int memfd = memfd_create("test", MFD_CLOEXEC);
	void *mappings[4];

	(void)state;
	assert_int_equal(ftruncate(memfd, (off_t)page()), 0);
	mappings[0] = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mappings[1] = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mappings[2] = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	mappings[3] = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pmem_granularity(mappings[i], page()), PMEM_GRANULARITY_NONE);
		assert_int_equal(pmem_register(mappings[i], page()), 0);
		assert_int_equal(pmem_granularity(mappings[i], page()), PMEM_GRANULARITY_NONE);
		assert_int_equal(pmem_try_persist(mappings[i], page()), 0);
		pmem_unmap(mappings[i], page());
	}
	close(fd);
	close(memfd);
}

/* --- Flags ----------------------------------------------------------------------------------- */

static void readonly_maps_for_reading(void **state)
{
	const int fd = reopened(O_RDONLY);
	char *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_READONLY);
	int status;

	(void)state;
	assert_non_null(base);
	assert_int_equal(pmem_try_persist(base, SIZE), 0);
	if (fork() == 0) {
		const struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		base[0] = 1;
		_exit(0);
	}
	wait(&status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	pmem_unmap(base, SIZE);
	close(fd);
}

static void copy_on_write_leaves_the_file_alone(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_COPY_ON_WRITE);
	char byte = 7;

	(void)state;
	assert_non_null(base);
	base[0] = 1;
	pmem_persist(base, 1, 0);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(pmem_granularity(base, SIZE), PMEM_GRANULARITY_NONE);
	pmem_unmap(base, SIZE);
	close(fd);
}

static void copy_on_write_of_a_read_only_file(void **state)
{
	const int fd = reopened(O_RDONLY);
	char *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_COPY_ON_WRITE);

	(void)state;
	assert_non_null(base);
	base[0] = 1;
	pmem_unmap(base, SIZE);
	close(fd);
}

static void populate_faults_every_page_in(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_POPULATE);
	unsigned char resident[SIZE / 4096] = {0};

	(void)state;
	if (getenv("PMEM_TEST_EMULATED")) /* qemu-user says 0 to every madvise, and does nothing */
		skip();
	assert_non_null(base);
	if (expected_granularity() > PMEM_GRANULARITY_CACHE_LINE) { /* mincore knows nothing of DAX */
		assert_int_equal(mincore(base, SIZE, resident), 0);
		for (size_t i = 0; i < SIZE / page(); i++)
			assert_true(resident[i] & 1);
	}
	pmem_unmap(base, SIZE);
	close(fd);
}

static void require_pm_says_why_not(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map_range(fd, 0, SIZE, PMEM_MAP_REQUIRE_PM);

	(void)state;
	if (expected_granularity() <= PMEM_GRANULARITY_CACHE_LINE) {
		assert_non_null(base);
		pmem_unmap(base, SIZE);
	} else {
		assert_null(base);
		assert_int_equal(errno, EOPNOTSUPP);
		assert_non_null(strstr(pmem_errormsg(), "not persistent memory"));
		assert_non_null(strstr(pmem_errormsg(), expected_granularity() == PMEM_GRANULARITY_PAGE
								? "page cache"
								: "in memory only"));
	}
	close(fd);
}

/* --- Parts, offsets, many --------------------------------------------------------------------- */

static void offsets_map_the_right_bytes(void **state)
{
	const int fd = test_file(SIZE);
	char *base;

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, (off_t)(3 * page())), 1);
	base = pmem_map_range(fd, (off_t)(3 * page()), page() + 1, 0);
	assert_non_null(base);
	assert_int_equal(base[0], 'x');
	base[page()] = 'y';
	pmem_persist(base + page(), 1, 0);
	assert_int_equal(pmem_unmap(base, page() + 1), 0);
	base = pmem_map_range(fd, (off_t)(4 * page()), 1, 0);
	assert_int_equal(base[0], 'y');
	pmem_unmap(base, 1);
	close(fd);
}

static void the_last_bytes_of_an_odd_file(void **state)
{
	const int fd = test_file(SIZE + 100);
	char *base = pmem_map(fd, SIZE + 100);

	(void)state;
	assert_non_null(base);
	base[SIZE + 99] = 1;
	pmem_persist(base + SIZE + 99, 1, 0);
	assert_int_equal(pmem_unmap(base, SIZE + 100), 0);
	close(fd);
}

static void parts_can_be_unmapped(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	assert_int_equal(pmem_unmap(base + 4 * page(), page()), 0); /* a hole */
	assert_int_equal(pmem_unmap(base, page()), 0);              /* the head */
	assert_int_equal(pmem_unmap(base + SIZE - page(), 1), 0);   /* the tail */
	assert_int_equal(pmem_try_persist(base + page(), 3 * page()), 0);
	assert_int_equal(pmem_try_persist(base + 5 * page(), SIZE - 6 * page()), 0);
	assert_int_equal(pmem_granularity(base + 5 * page(), 1), expected_granularity());
	assert_int_equal(pmem_granularity(base + 4 * page(), 1), PMEM_GRANULARITY_NONE);
	assert_int_equal(pmem_unmap(base, SIZE), 0);
	close(fd);
}

/* hugetlbfs knows no smaller pages than its own; the filesystems lane sees to it that there are some. */
static void huge_pages_are_mapped_and_unmapped_whole(void **state)
{
	const int fd = memfd_create("test", MFD_CLOEXEC | MFD_HUGETLB);
	const size_t huge = (size_t)2 << 20;
	char *base;

	(void)state;
	if (fd < 0 || ftruncate(fd, (off_t)(3 * huge)) < 0)
		skip();
	base = pmem_map(fd, 2 * huge + 1);
	if (!base)
		skip();
	base[2 * huge] = 1;
	pmem_persist(base + 2 * huge, 1, 0);
	assert_int_equal(pmem_granularity(base, 2 * huge + 1), PMEM_GRANULARITY_NONE);
	assert_int_equal(pmem_unmap(base + page(), page()), -1); /* not a whole one: nothing changes */
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_try_persist(base, 3 * huge), 0);
	assert_int_equal(pmem_unmap(base + huge, 1), 0);
	assert_int_equal(pmem_try_persist(base + huge, 1), -1);
	assert_int_equal(pmem_unmap(base, 2 * huge + 1), 0);
	assert_int_equal(pmem_try_persist(base + 3 * huge - 1, 1), -1);
	close(fd);
}

static void unmap_refuses_bad_ranges(void **state)
{
	const int fd = test_file(SIZE);
	char *base = pmem_map(fd, SIZE);

	(void)state;
	assert_int_equal(pmem_unmap(base + 1, page()), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_unmap(base, 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_unmap((void *)(UINTPTR_MAX & ~(page() - 1)), 2 * page()), -1);
	assert_int_equal(errno, EINVAL);
	pmem_persist(base, SIZE, 0);
	pmem_unmap(base, SIZE);
	close(fd);
}

static void a_thousand_mappings_at_once(void **state)
{
	enum { COUNT = 1024 };
	const int fd = test_file(COUNT * 4096);
	char *bases[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		bases[i] = pmem_map_range(fd, (off_t)i / (off_t)(page() / 4096) * (off_t)page(), 1, 0);
		assert_non_null(bases[i]);
	}
	for (int i = 0; i < COUNT; i++) {
		bases[i][0] = (char)i;
		pmem_persist(bases[i], 1, 0);
	}
	for (int i = COUNT - 1; i >= 0; i--)
		assert_int_equal(pmem_unmap(bases[i], 1), 0);
	close(fd);
}

static void large_sparse_mappings(void **state)
{
	const int fd = test_file(SIZE);
	const size_t large = (size_t)3 << 30;
	char *first, *second, *small;

	(void)state;
	if (ftruncate(fd, (off_t)large) < 0)
		skip();
	first = pmem_map(fd, large);
	small = pmem_map(fd, SIZE);
	second = pmem_map(fd, large);
	assert_non_null(first);
	assert_non_null(second);
	assert_non_null(small);
	small[0] = 1;
	first[1] = second[2] = 2;
	pmem_persist(first, 2, 0);
	pmem_persist(second + 2, 1, 0);
	pmem_persist(small, 3, 0);
	assert_int_equal(pmem_unmap(first, large), 0);
	assert_int_equal(pmem_unmap(small, SIZE), 0);
	assert_int_equal(pmem_unmap(second, large), 0);
	first = pmem_map(fd, large);
	assert_non_null(first);
	assert_int_equal(pmem_unmap(first, large), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_input_is_refused_with_its_error),
		cmocka_unit_test(map_gives_the_file),
		cmocka_unit_test(the_descriptor_may_be_closed),
		cmocka_unit_test(granularity_is_that_of_the_media),
		cmocka_unit_test(granularity_of_nothing_is_none),
		cmocka_unit_test(granularity_of_a_foreign_mapping),
		cmocka_unit_test(the_coarsest_granularity_counts),
		cmocka_unit_test(memory_without_a_file_is_volatile),
		cmocka_unit_test(readonly_maps_for_reading),
		cmocka_unit_test(copy_on_write_leaves_the_file_alone),
		cmocka_unit_test(copy_on_write_of_a_read_only_file),
		cmocka_unit_test(populate_faults_every_page_in),
		cmocka_unit_test(require_pm_says_why_not),
		cmocka_unit_test(offsets_map_the_right_bytes),
		cmocka_unit_test(the_last_bytes_of_an_odd_file),
		cmocka_unit_test(parts_can_be_unmapped),
		cmocka_unit_test(huge_pages_are_mapped_and_unmapped_whole),
		cmocka_unit_test(unmap_refuses_bad_ranges),
		cmocka_unit_test(a_thousand_mappings_at_once),
		cmocka_unit_test(large_sparse_mappings),
	};

	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
