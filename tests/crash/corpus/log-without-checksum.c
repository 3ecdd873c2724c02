/* log-without-checksum.c: a record and its length are written at once, and recovery believes the length */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct record {
	_Alignas(LINE) uint64_t length;
	uint64_t checksum;
	unsigned char bytes[112];
};

static uint64_t checksum(const unsigned char *bytes, uint64_t length)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (uint64_t i = 0; i < length; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3u;
	return sum;
}

static void run(void *pool)
{
	struct record *record = pool, built = {.length = 100};

	memset(built.bytes, 'r', built.length);
	built.checksum = checksum(built.bytes, built.length);
	memcpy(record, &built, sizeof(built)); /* BUG */
	pmem_persist(record, sizeof(*record), 0);
	acknowledge();
}

static bool check(void *pool, size_t promised)
{
	const struct record *record = pool;

	if (record->length > sizeof(record->bytes))
		return false;
	if (!record->length || (IS_FIXED && record->checksum != checksum(record->bytes, record->length)))
		return promised == 0; /* it never happened */
	for (uint64_t i = 0; i < record->length; i++) {
		if (record->bytes[i] != 'r')
			return false;
	}
	return true;
}
