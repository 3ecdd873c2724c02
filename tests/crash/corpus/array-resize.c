/* array-resize.c: where an array lies, and how large it is, change one after the other */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct description {
	uint64_t at, capacity; /* at: offset in the pool, 0: none */
};

struct array {
	_Alignas(LINE) uint64_t current; /* which description */
	struct description descriptions[2];
};

static void grow(struct array *array, uint64_t capacity)
{
	struct description *old = &array->descriptions[array->current];
	struct description *fresh = &array->descriptions[IS_FIXED ? !array->current : array->current];
	const uint64_t at = old->at ? 2 * old->at : 1024, used = old->capacity;
	uint64_t *elements = (uint64_t *)((char *)array + at);

	memcpy(elements, (char *)array + old->at, old->at ? used * sizeof(*elements) : 0);
	for (uint64_t i = used; i < capacity; i++)
		elements[i] = i + 1;
	pmem_persist(elements, capacity * sizeof(*elements), 0);
	fresh->capacity = capacity; /* BUG */
	pmem_persist(fresh, sizeof(*fresh), 0);
	fresh->at = at; /* BUG */
	pmem_persist(fresh, sizeof(*fresh), 0);
	array->current = (uint64_t)(fresh - array->descriptions);
	pmem_persist(&array->current, sizeof(array->current), 0);
}

static void run(void *pool)
{
	grow(pool, 8);
	grow(pool, 16);
}

static bool check(void *pool, size_t promised)
{
	const struct array *array = pool;
	const struct description *description = &array->descriptions[array->current];
	const uint64_t *elements = (const uint64_t *)((const char *)pool + description->at);

	(void)promised;
	if (!description->at)
		return description->capacity == 0;
	for (uint64_t i = 0; i < description->capacity; i++) {
		if (elements[i] != i + 1)
			return false;
	}
	return true;
}
