/* count-before-element.c: an array's count is raised before its new element is there */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct array {
	_Alignas(LINE) uint64_t count;
	_Alignas(LINE) uint64_t elements[16];
};

static void store_count(struct array *array, uint64_t count)
{
	array->count = count; /* BUG */
	pmem_persist(&array->count, sizeof(array->count), 0);
}

static void append(struct array *array, uint64_t element)
{
	const uint64_t at = array->count;

	if (!IS_FIXED)
		store_count(array, at + 1);
	array->elements[at] = element; /* BUG */
	pmem_persist(&array->elements[at], sizeof(element), 0);
	if (IS_FIXED)
		store_count(array, at + 1);
}

static void run(void *pool)
{
	for (uint64_t i = 1; i <= 6; i++)
		append(pool, i * 11);
}

static bool check(void *pool, size_t promised)
{
	const struct array *array = pool;

	(void)promised;
	for (uint64_t at = 0; at < array->count; at++) {
		if (array->elements[at] != (at + 1) * 11)
			return false;
	}
	return array->count <= 6;
}
