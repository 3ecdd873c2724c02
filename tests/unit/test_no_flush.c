/* test_no_flush.c: PMEM_NO_FLUSH=1: a fence is enough, unless a deep flush is asked for */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#define PMEM_BUILD /* both interfaces in one file, as in the library */
#include "steps.h"
#include "test_file.h"

#include <libpmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char *base;

static void persist(void *arg)
{
	(void)arg;
	libpmem_persist(base, 1000);
}

static void copy(void *arg)
{
	(void)arg;
	pmem_memset_persist(base, 1, 1000);
}

static void deep_flush(void *arg)
{
	(void)arg;
	pmem_deep_flush(base, 1000);
	pmem_drain();
}

static void only_a_deep_flush_flushes(void)
{
	struct steps steps;

	if (!step_through(persist, NULL, &steps))
		skip();
	assert_int_equal(steps.flushes, 0);
	assert_true(steps.fences + steps.locked >= 1);
	assert_true(step_through(copy, NULL, &steps));
	assert_int_equal(steps.flushes + steps.direct_stores, 0);
	assert_true(steps.fences + steps.locked >= 1);
	assert_true(step_through(deep_flush, NULL, &steps));
	assert_true(steps.flushes > 0 || strcmp(pmem_flush_method(), "none") == 0);
}

static void mappings_of_the_library(void **state)
{
	const int fd = test_file(page());

	(void)state;
	base = pmem_map(fd, page());
	close(fd);
	assert_int_equal(pmem_granularity(base, page()), PMEM_GRANULARITY_BYTE);
	only_a_deep_flush_flushes();
	pmem_unmap(base, page());
}

static void memory_that_is_not_known(void **state)
{
	(void)state;
	base = mmap(NULL, page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	only_a_deep_flush_flushes();
	munmap(base, page());
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_of_the_library),
		cmocka_unit_test(memory_that_is_not_known),
	};

	if (!getenv("PMEM_NO_FLUSH")) {
		setenv("PMEM_NO_FLUSH", "1", 1);
		setenv("PMEM_IS_PMEM_FORCE", "1", 1);
		execv("/proc/self/exe", argv);
		return argc;
	}
	return cmocka_run_group_tests_name("no_flush", tests, NULL, NULL);
}
