/* test_force.c: PMEM_IS_PMEM_FORCE, and that it is read once */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "msync_double.h"
#include "test_file.h"

#include <pmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void everything_is_persistent_memory(void **state)
{
	const int fds[] = {test_file(page()), test_disk_file(page())};
	char *anonymous = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	unsetenv("PMEM_IS_PMEM_FORCE"); /* too late to change anything */
	for (size_t i = 0; i < 2; i++) {
		char *base = pmem_map_range(fds[i], 0, page(), PMEM_MAP_REQUIRE_PM);
		char *own = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);

		assert_non_null(base);
		assert_int_equal(pmem_granularity(base, page()), PMEM_GRANULARITY_CACHE_LINE);
		assert_int_equal(pmem_granularity(own, page()), PMEM_GRANULARITY_CACHE_LINE);
		pmem_persist(base, page(), 0);
		pmem_persist(own, page(), 0);
		pmem_unmap(base, page());
		munmap(own, page());
		close(fds[i]);
	}
	pmem_persist(anonymous, page(), 0);
	assert_int_equal(pmem_granularity(anonymous, page()), PMEM_GRANULARITY_CACHE_LINE);
	assert_int_equal(msync_calls(), 0);
	munmap(anonymous, page());
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(everything_is_persistent_memory)};

	if (!getenv("PMEM_IS_PMEM_FORCE")) {
		setenv("PMEM_IS_PMEM_FORCE", "1", 1);
		execv("/proc/self/exe", argv);
		return argc;
	}
	return cmocka_run_group_tests_name("force", tests, NULL, NULL);
}
