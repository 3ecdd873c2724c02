/* test_register.c: which mappings can be registered and forgotten, and what stays true of the others */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* pmem_map places its mappings by what is registered: were one forgotten, the next could be laid over it. */
static void mappings_of_pmem_map_are_never_forgotten(void **state)
{
	const int fds[] = {test_disk_file(page()), test_disk_file(page())};
	char *first = pmem_map(fds[0], page()), *second;

	(void)state;
	first[0] = 1;
	assert_int_equal(pmem_unregister(first, page()), 0);
	assert_int_equal(pmem_try_persist(first, 1), 0);
	second = pmem_map(fds[1], page());
	assert_non_null(second);
	assert_ptr_not_equal(second, first);
	assert_int_equal(first[0], 1);
	assert_int_equal(pmem_unmap(first, page()), 0);
	assert_int_equal(pmem_unmap(second, page()), 0);
	close(fds[0]);
	close(fds[1]);
}

static void registering_a_mapping_of_pmem_map_changes_nothing(void **state)
{
	const int fd = test_disk_file(3 * page());
	char *base = pmem_map(fd, 3 * page());

	(void)state;
	msync_reset();
	msync_fail(base, page(), EIO, 1);
	assert_int_equal(pmem_try_persist(base, 1), -1);
	assert_int_equal(pmem_register(base + page(), page()), 0);
	assert_int_equal(pmem_try_persist(base + page(), 1), -1); /* what was lost is lost: map it anew */
	assert_int_equal(pmem_unmap(base, 3 * page()), 0);
	msync_reset();
	close(fd);
}

/* Nothing is reserved around a large mapping, so that one of the program's own may follow. */
static void a_range_over_both_kinds_registers_the_programs_part(void **state)
{
	const size_t large = (size_t)768 << 20;
	const int fd = test_disk_file(page());
	char *base, *edge;

	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)large), 0);
	base = pmem_map(fd, large);
	edge = base + large - page();
	assert_ptr_equal(mmap(edge + page(), page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0),
			 edge + page());
	assert_int_equal(pmem_register(edge, 2 * page()), 0);
	msync_reset();
	pmem_flush_cache(edge, 2 * page(), 0);
	assert_int_equal(msync_calls(), 0); /* both known: the pages wait for the fence */
	pmem_fence();
	assert_true(msync_covered(edge, 2 * page()));
	assert_int_equal(pmem_unregister(edge, 2 * page()), 0);
	msync_reset();
	pmem_flush_cache(edge, 1, 0);
	assert_int_equal(msync_calls(), 0);
	pmem_flush_cache(edge + page(), 1, 0);
	assert_int_equal(msync_calls(), 1); /* not known any more: the kernel is asked at once */
	pmem_fence();
	assert_int_equal(pmem_unmap(base, large + page()), 0);
	close(fd);
}

/* A guard page, say: the processor cannot flush what it may not read. */
static void pages_that_cannot_be_read_may_lie_in_the_range(void **state)
{
	char *base = mmap(NULL, 3 * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_int_equal(mprotect(base + page(), page(), PROT_NONE), 0);
	assert_int_equal(pmem_register(base, 3 * page()), 0);
	assert_int_equal(pmem_granularity(base, 3 * page()), PMEM_GRANULARITY_NONE);
	assert_int_equal(pmem_try_persist(base, 3 * page()), 0);
	pmem_unmap(base, 3 * page());
}

static void forgetting_what_was_never_known_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(pmem_unregister((void *)page(), page()), 0);
	assert_int_equal(pmem_unregister((void *)(page() + 1), 1), 0);
	assert_int_equal(pmem_unregister((void *)page(), 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_unregister((void *)page(), SIZE_MAX), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_register((void *)page(), 0), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_register((void *)page(), SIZE_MAX), -1);
	assert_int_equal(errno, EINVAL);
}

/* The mapping moves away from its record: the kernel is asked at the new place, and the old one is a hole. */
static void a_mapping_that_mremap_moved(void **state)
{
	const int fd = test_disk_file(2 * page());
	char *base = pmem_map(fd, page()), *moved;

	(void)state;
	base[0] = 1;
	pmem_flush_cache(base, 1, 0);
	moved = mremap(base, page(), 2 * page(), MREMAP_MAYMOVE);
	assert_ptr_not_equal(moved, MAP_FAILED);
	msync_reset();
	pmem_fence(); /* through the file's cursor: nothing is lost, nothing is complained of */
	moved[page()] = 2;
	assert_int_equal(pmem_try_persist(moved, 2 * page()), 0);
	assert_true(msync_covered(moved, 2 * page()));
	if (moved != base) {
		assert_int_equal(pmem_try_persist(base, 1), -1);
		assert_int_equal(errno, ENOMEM);
	}
	assert_int_equal(pmem_unmap(moved, 2 * page()), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_of_pmem_map_are_never_forgotten),
		cmocka_unit_test(registering_a_mapping_of_pmem_map_changes_nothing),
		cmocka_unit_test(a_range_over_both_kinds_registers_the_programs_part),
		cmocka_unit_test(pages_that_cannot_be_read_may_lie_in_the_range),
		cmocka_unit_test(forgetting_what_was_never_known_is_no_error),
		cmocka_unit_test(a_mapping_that_mremap_moved),
	};

	return cmocka_run_group_tests_name("register", tests, NULL, NULL);
}
