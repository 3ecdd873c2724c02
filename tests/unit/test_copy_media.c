/* test_copy_media.c: what a copy or a fill makes durable, on every kind of mapping, and what it says when it cannot */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "arch/arch.h"
#include "copy.h"
#include "msync_double.h"
#include "registry.h"
#include "steps.h"
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

enum { PAGES = 16 };

struct fixture {
	int fd;
	char *base; /* in the page cache */
	size_t size;
	char *memory; /* for the processor: two mappings of it, one behind the other */
};

static struct {
	unsigned calls;
	int error;
} told;

static void note_failure(const struct pmem_failure *failure, void *arg)
{
	(void)arg;
	told.calls++;
	told.error = failure->error;
}

static int start(void **state)
{
	static struct fixture fixture;

	fixture.size = PAGES * page();
	fixture.fd = test_disk_file(fixture.size);
	fixture.base = pmem_map(fixture.fd, fixture.size);
	fixture.memory = mmap(NULL, fixture.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!fixture.base || fixture.memory == MAP_FAILED || pmem_register(fixture.memory, fixture.size) < 0)
		return -1;
	memset(&told, 0, sizeof(told));
	pmem_on_failure(note_failure, NULL);
	msync_reset();
	*state = &fixture;
	return 0;
}

static int finish(void **state)
{
	struct fixture *fixture = *state;

	msync_reset();
	pmem_fence();
	pmem_unmap(fixture->base, fixture->size);
	pmem_unmap(fixture->memory, fixture->size);
	close(fixture->fd);
	pmem_on_failure(NULL, NULL);
	return 0;
}

/* --- The page cache --------------------------------------------------------------------------- */

static void copies_to_the_page_cache_wait_for_the_fence(void **state)
{
	struct fixture *fixture = *state;

	assert_ptr_equal(pmem_copy(fixture->base + 100, "hello", 5), fixture->base + 100);
	assert_ptr_equal(pmem_fill(fixture->base + 4 * page() - 1, 'x', 2), fixture->base + 4 * page() - 1);
	assert_memory_equal(fixture->base + 100, "hello", 5);
	assert_memory_equal(fixture->base + 4 * page() - 1, "xx", 2);
	assert_int_equal(msync_calls(), 0);
	pmem_fence();
	assert_true(msync_covered(fixture->base, page()));
	assert_true(msync_covered(fixture->base + 3 * page(), 2 * page()));
	assert_int_equal(msync_calls(), 2);
}

static void persisting_copies_do_not_wait(void **state)
{
	struct fixture *fixture = *state;

	assert_ptr_equal(pmem_copy_persist(fixture->base + 100, "hello", 5), fixture->base + 100);
	assert_memory_equal(fixture->base + 100, "hello", 5);
	assert_true(msync_covered(fixture->base, page()));
	assert_ptr_equal(pmem_fill_persist(fixture->base + 2 * page(), 'x', 10), fixture->base + 2 * page());
	assert_true(msync_covered(fixture->base + 2 * page(), page()));
	assert_int_equal(msync_calls(), 2);
}

/* The fence of a persist is for everything that the thread has flushed, whichever media that was on. */
static void a_persisting_copy_completes_earlier_flushes(void **state)
{
	struct fixture *fixture = *state;

	pmem_flush_cache(fixture->base, 1, 0);
	pmem_copy_persist(fixture->memory, "hello", 5);
	assert_true(msync_covered(fixture->base, page()));
	pmem_flush_cache(fixture->base + page(), 1, 0);
	pmem_fill_persist(fixture->memory, 'x', 5);
	assert_true(msync_covered(fixture->base + page(), page()));
	pmem_flush_cache(fixture->base + 2 * page(), 1, 0);
	pmem_copy(fixture->memory, "hello", 5);
	assert_false(msync_touched(fixture->base + 2 * page(), page()));
}

/* --- Mixed, unknown, empty, impossible ------------------------------------------------------------ */

static void every_part_of_a_mixed_destination(void **state)
{
	struct fixture *fixture = *state;
	const size_t size = 5 * page();
	char *mixed = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *source = fixture->memory;

	/* anonymous, registered file, anonymous, unregistered file, anonymous */
	mmap(mixed + page(), page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fixture->fd, 0);
	mmap(mixed + 3 * page(), page(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fixture->fd, 0);
	assert_int_equal(pmem_register(mixed + page(), page()), 0);
	for (size_t i = 0; i < size; i++)
		source[i] = (char)(i / page() % 3 * 50 + i % 7); /* the file's page is there twice: pages 1 and 3 */
	memcpy(source + 3 * page(), source + page(), page());
	pmem_copy_persist(mixed, source, size);
	assert_memory_equal(mixed, source, size);
	assert_true(msync_covered(mixed + page(), page()));
	assert_true(msync_covered(mixed + 3 * page(), page()));
	assert_int_equal(told.calls, 0);
	assert_int_equal(pmem_unmap(mixed, size), 0);
}

static void unknown_mappings_of_a_file(void **state)
{
	struct fixture *fixture = *state;
	char *own = mmap(NULL, fixture->size, PROT_READ | PROT_WRITE, MAP_SHARED, fixture->fd, 0);

	pmem_copy(own + 5, "hello", 5);
	assert_true(msync_covered(own, page()));
	pmem_fill_persist(own + page(), 'x', 5);
	assert_true(msync_covered(own + page(), page()));
	assert_memory_equal(fixture->base + 5, "hello", 5);
	munmap(own, fixture->size);
}

static void a_length_of_0_does_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_ptr_equal(pmem_copy(fixture->base, "x", 0), fixture->base);
	assert_ptr_equal(pmem_copy_persist(NULL, NULL, 0), NULL);
	assert_ptr_equal(pmem_fill((void *)UINTPTR_MAX, 1, 0), (void *)UINTPTR_MAX);
	assert_ptr_equal(pmem_fill_persist(fixture->base, 1, 0), fixture->base);
	pmem_fence();
	assert_int_equal(fixture->base[0], 0);
	assert_int_equal(msync_calls(), 0);
	assert_int_equal(told.calls, 0);
}

static void a_destination_that_wraps_is_a_failure(void **state)
{
	struct fixture *fixture = *state;
	char *const before = fixture->base + page();

	memset(before, 7, page());
	assert_ptr_equal(pmem_fill_persist(before, 1, SIZE_MAX - 10), before);
	assert_ptr_equal(pmem_copy(before, fixture->memory, SIZE_MAX), before);
	assert_int_equal(told.calls, 2);
	assert_int_equal(told.error, EINVAL);
	assert_non_null(strstr(pmem_errormsg(), "wrap"));
	for (size_t i = 0; i < page(); i++)
		assert_int_equal(before[i], 7);
}

static void failures_are_told_and_dst_is_returned(void **state)
{
	struct fixture *fixture = *state;

	msync_fail(fixture->base, page(), ENOSPC, 1);
	assert_ptr_equal(pmem_copy_persist(fixture->base, "hello", 5), fixture->base);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.error, ENOSPC);
	assert_memory_equal(fixture->base, "hello", 5);
	assert_ptr_equal(pmem_fill_persist(fixture->base, 'x', 5), fixture->base); /* the file stays failed */
	assert_int_equal(told.calls, 2);
	pmem_copy(fixture->base, "hello", 5);
	assert_int_equal(told.calls, 2);
	pmem_fence();
	assert_int_equal(told.calls, 3);
}

/* --- What the processor executes ------------------------------------------------------------------ */

static char *stepped_memory;

static void copy_there(void *arg)
{
	(void)arg;
	pmem_copy(stepped_memory + 10, stepped_memory + 8192, 1000);
}

static void copy_there_and_persist(void *arg)
{
	(void)arg;
	pmem_copy_persist(stepped_memory + 10, stepped_memory + 8192, 1000);
}

static void fill_there_and_persist(void *arg)
{
	(void)arg;
	pmem_fill_persist(stepped_memory + 10, 3, 1000);
}

static void by_cpu_without_a_flush(void *arg)
{
	(void)arg;
	copy_by_cpu(stepped_memory + 10, stepped_memory + 8192, 1000, 0);
	fill_by_cpu(stepped_memory + 10, 3, 1000, COPY_FENCE);
}

static void by_cpu_flushed(void *arg)
{
	(void)arg;
	copy_by_cpu(stepped_memory + 10, stepped_memory + 8192, 1000, COPY_FLUSH);
	fill_by_cpu(stepped_memory + 10, 3, 1000, COPY_FLUSH | COPY_FENCE);
}

static const struct stepped_case {
	const char *name;
	void (*run)(void *arg);
	bool caches_are_persistent;
	unsigned flushed; /* how many times all the lines */
	unsigned fences;
} stepped_cases[] = {
	{"copy", copy_there, false, 1, 0},
	{"copy, persist", copy_there_and_persist, false, 1, 1},
	{"fill, persist", fill_there_and_persist, false, 1, 1},
	{"copy, persistent caches", copy_there, true, 0, 0},
	{"copy, persist, persistent caches", copy_there_and_persist, true, 0, 1},
	{"fill, persist, persistent caches", fill_there_and_persist, true, 0, 1},
	{"by the CPU, not flushed", by_cpu_without_a_flush, false, 0, 1},
	{"by the CPU, flushed", by_cpu_flushed, false, 2, 1},
};

/* Each line on its way once, one fence a persist and no other; neither a lock nor the kernel. */
static void no_more_than_the_media_needs(void **state)
{
	enum { LINES = (10 + 1000 + 63) / 64 };
	struct fixture *fixture = *state;
	struct mapping *mapping = registry_find((uintptr_t)fixture->memory);
	struct steps steps;

	if (!cpu.proven)
		skip();
	stepped_memory = fixture->memory;
	memset(stepped_memory, 1, fixture->size);
	for (size_t i = 0; i < sizeof(stepped_cases) / sizeof(stepped_cases[0]); i++) {
		const struct stepped_case *one = &stepped_cases[i];

		mapping->cpu_work = one->caches_are_persistent ? CPU_FENCE : CPU_FLUSH;
		if (!step_through(one->run, NULL, &steps))
			skip();
		if (steps.flushes + steps.direct_stores != (size_t)one->flushed * LINES || steps.fences != one->fences)
			fail_msg("%s: %zu flushes, %zu direct stores, %zu fences", one->name, steps.flushes,
				 steps.direct_stores, steps.fences);
		assert_int_equal(steps.locked + steps.system_calls, 0);
	}
	mapping->cpu_work = CPU_FLUSH;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_to_the_page_cache_wait_for_the_fence, start, finish),
		cmocka_unit_test_setup_teardown(persisting_copies_do_not_wait, start, finish),
		cmocka_unit_test_setup_teardown(a_persisting_copy_completes_earlier_flushes, start, finish),
		cmocka_unit_test_setup_teardown(every_part_of_a_mixed_destination, start, finish),
		cmocka_unit_test_setup_teardown(unknown_mappings_of_a_file, start, finish),
		cmocka_unit_test_setup_teardown(a_length_of_0_does_nothing, start, finish),
		cmocka_unit_test_setup_teardown(a_destination_that_wraps_is_a_failure, start, finish),
		cmocka_unit_test_setup_teardown(failures_are_told_and_dst_is_returned, start, finish),
		cmocka_unit_test_setup_teardown(no_more_than_the_media_needs, start, finish),
	};

	return cmocka_run_group_tests_name("copy_media", tests, NULL, NULL);
}
