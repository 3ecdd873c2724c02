/* test_msync_mode.c: after pmem_msync_mode() every persist goes through msync */
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
#include <unistd.h>

#include <cmocka.h>

static void files_go_through_msync(void **state)
{
	const int fds[] = {test_file(page()), test_disk_file(page())};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *base = pmem_map(fds[i], page());

		assert_non_null(base);
		assert_true(pmem_granularity(base, page()) >= PMEM_GRANULARITY_PAGE);
		msync_reset();
		pmem_persist(base + 3, 1, 0);
		if (pmem_granularity(base, page()) == PMEM_GRANULARITY_PAGE)
			assert_true(msync_covered(base, page()));
		pmem_unmap(base, page());
		close(fds[i]);
	}
}

static void nothing_is_persistent_memory(void **state)
{
	const int fd = test_disk_file(page());

	(void)state;
	assert_null(pmem_map_range(fd, 0, page(), PMEM_MAP_REQUIRE_PM));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_non_null(strstr(pmem_errormsg(), "msync was asked for"));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_go_through_msync),
		cmocka_unit_test(nothing_is_persistent_memory),
	};

	pmem_msync_mode();
	return cmocka_run_group_tests_name("msync_mode", tests, NULL, NULL);
}
