/* string-length.c: the length of a text grows before the text does */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct text {
	_Alignas(LINE) uint64_t length;
	_Alignas(LINE) char bytes[256];
};

static void append(struct text *text, const char *more)
{
	const size_t length = strlen(more);

	memcpy(text->bytes + text->length, more, length); /* BUG */
	if (IS_FIXED)
		pmem_persist(text->bytes + text->length, length, 0);
	text->length += length;
	pmem_persist(text, sizeof(*text), 0);
}

static void run(void *pool)
{
	append(pool, "a first sentence. ");
	append(pool, "and another one, so that the text is longer than one cache line. ");
}

static bool check(void *pool, size_t promised)
{
	const struct text *text = pool;

	(void)promised;
	return text->length < sizeof(text->bytes) && strnlen(text->bytes, text->length) == text->length;
}
