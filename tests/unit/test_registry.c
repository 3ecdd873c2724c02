/* test_registry.c: address to mapping, held against an array of pages, and read while it is changed */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "registry.h"
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum {
	PAGE = 4096,
	PAGES = 4 * 512 + 100, /* more than four granules */
	STEPS = 20000,
};

/* Addresses that nothing is mapped at: the registry does not touch what it describes. */
static const uintptr_t base = 0x123456600000 - 50 * PAGE;

static unsigned long long seed = 88172645463325252ull;

static unsigned random_below(unsigned limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % limit);
}

/* The model: 0 for nobody's page, else the number of the add that it came with. */
static unsigned owner[PAGES];
static unsigned adds;

static void add(unsigned first, unsigned count)
{
	struct mapping *mapping = registry_new();

	assert_non_null(mapping);
	mapping->start = base + (uintptr_t)first * PAGE;
	mapping->end = mapping->start + (uintptr_t)count * PAGE;
	mapping->media = MEDIA_VOLATILE;
	assert_int_equal(registry_add(mapping), 0);
	adds++;
	for (unsigned page_number = first; page_number < first + count; page_number++)
		owner[page_number] = adds;
}

static void clear(unsigned first, unsigned count)
{
	assert_int_equal(registry_remove(base + (uintptr_t)first * PAGE, base + (uintptr_t)(first + count) * PAGE), 0);
	memset(&owner[first], 0, count * sizeof(owner[0]));
}

static void compare(void)
{
	uintptr_t next = base;

	for (unsigned i = 0; i < PAGES; i++) {
		const uintptr_t at = base + (uintptr_t)i * PAGE;
		const struct mapping *mapping = registry_find(at + random_below(PAGE));

		assert_int_equal(mapping != NULL, owner[i] != 0);
		if (mapping)
			assert_true(mapping->start <= at && at < mapping->end);
		/* Neighbours of one add are of one record, unless something was taken out between. */
		if (i > 0 && owner[i] && owner[i - 1] && owner[i] != owner[i - 1])
			assert_ptr_not_equal(registry_find(at - 1), mapping);
		if (i > 0 && owner[i] && owner[i] == owner[i - 1])
			assert_ptr_equal(registry_find(at - 1), mapping);
	}
	for (unsigned i = 0; i < PAGES; i++) {
		if (!owner[i])
			continue;
		next = registry_next(next, base + PAGES * PAGE);
		assert_int_equal(next, base + (uintptr_t)i * PAGE);
		next += PAGE;
	}
	assert_int_equal(registry_next(next, base + PAGES * PAGE), base + PAGES * PAGE);
}

static void random_changes_agree_with_the_model(void **state)
{
	(void)state;
	registry_lock();
	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned first = random_below(PAGES);
		const unsigned most = random_below(10) ? 8 : PAGES;
		const unsigned count = 1 + random_below(most < PAGES - first ? most : PAGES - first);

		clear(first, count);
		if (random_below(2))
			add(first, count);
		if (step % 500 == 0)
			compare();
	}
	compare();
	clear(0, PAGES);
	compare();
	registry_unlock();
}

static void addresses_of_nobody(void **state)
{
	static const uintptr_t addresses[] = {
		0, 1, 4096, UINTPTR_MAX, UINTPTR_MAX - 4095, ADDRESS_LIMIT, ADDRESS_LIMIT - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_null(registry_find(addresses[i]));
	assert_int_equal(registry_next(ADDRESS_LIMIT - PAGE, UINTPTR_MAX), UINTPTR_MAX);
}

/* --- While others look -------------------------------------------------------------------- */

enum { NEIGHBOURS = 64 };

static char *memory;
static _Atomic bool stop;
static _Atomic unsigned long persists;

/* Between the neighbours that come and go: this mapping's own record is never touched. */
static void *persist_the_middle(void *unused)
{
	char *middle = memory + NEIGHBOURS / 2 * page();

	(void)unused;
	while (!stop) {
		pmem_persist(middle, page(), 0);
		pmem_persist(middle + 100, 8, 0);
		pmem_flush_cache(middle, 1, 0);
		pmem_fence();
		persists++;
	}
	return NULL;
}

static void *change_neighbours(void *which)
{
	const size_t half = NEIGHBOURS / 2;
	const size_t first = which ? half + 1 : 0;
	unsigned own_seed = which ? 1 : 2;

	while (!stop) {
		const size_t at = first + (size_t)rand_r(&own_seed) % (half - 2);
		char *range = memory + at * page();

		if (rand_r(&own_seed) % 2)
			assert_int_equal(pmem_register(range, 2 * page()), 0);
		else
			assert_int_equal(pmem_unregister(range, 2 * page()), 0);
	}
	return NULL;
}

static void *map_and_unmap(void *unused)
{
	const int fd = test_file(4 * page());

	(void)unused;
	while (!stop) {
		char *mapped = pmem_map(fd, 4 * page());

		assert_non_null(mapped);
		mapped[0] = 1;
		pmem_persist(mapped, 4 * page(), 0);
		assert_int_equal(pmem_unmap(mapped, 4 * page()), 0);
	}
	return NULL;
}

static void look_ups_during_changes(void **state)
{
	pthread_t threads[5];

	(void)state;
	memory = mmap(NULL, NEIGHBOURS * page(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(pmem_register(memory + NEIGHBOURS / 2 * page(), page()), 0);
	pthread_create(&threads[0], NULL, persist_the_middle, NULL);
	pthread_create(&threads[1], NULL, persist_the_middle, NULL);
	pthread_create(&threads[2], NULL, change_neighbours, NULL);
	pthread_create(&threads[3], NULL, change_neighbours, memory);
	pthread_create(&threads[4], NULL, map_and_unmap, NULL);
	while (persists < 20000)
		sched_yield();
	stop = true;
	for (size_t i = 0; i < 5; i++)
		pthread_join(threads[i], NULL);
	pmem_unmap(memory, NEIGHBOURS * page());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_agree_with_the_model),
		cmocka_unit_test(addresses_of_nobody),
		cmocka_unit_test(look_ups_during_changes),
	};

	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
