/* stores.c: what flushes and copies do, on mappings of every kind */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "interface.h"

#include <libpmem.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Flushing: there is no result, so that what counts is to come back, with the bytes in place -------------- */

void flush_all(const char *name, char *at, size_t length)
{
	char text[200];

	for (size_t i = 0; i < length; i += 61)
		at[i] = (char)i;
	for (size_t from = 0; from < 70 && from < length; from += 7) {
		pmem_flush(at + from, length - from);
		pmem_deep_flush(at + from, length - from);
		pmem_drain();
		pmem_persist(at + from, length - from);
	}
	pmem_persist(at, 0);
	pmem_flush(at, 0);
	pmem_deep_flush(at, 0);
	snprintf(text, sizeof(text), "flush: %s", name);
	for (size_t i = 0; i < length; i += 61) {
		if (at[i] != (char)i) {
			tell(text, "byte %zu has changed", i);
			return;
		}
	}
	tell(text, "done");
}

void flush_each_kind(void)
{
	char *at = pmem_map_file(path_of("f"), LENGTH, PMEM_FILE_CREATE, 0600, NULL, NULL);
	char local[300];

	flush_all("map_file", at, LENGTH);
	pmem_unmap(at, LENGTH);
	at = malloc(100 * KIB);
	flush_all("heap", at, 100 * KIB);
	free(at);
	flush_all("stack", local, sizeof(local));
	pmem_persist(NULL, 0);
	pmem_flush(NULL, 0);
	tell("flush: nothing", "done");
	clean("f");
}

/* --- Copies ------------------------------------------------------------------------------------------------- */

enum { ROOM = 20000 };

/* A source that lies apart from the destination, wherever that is. */
#define FAR SIZE_MAX

static unsigned char expected[ROOM], pattern[ROOM];

static const size_t lengths[] = {0,   1,   7,   8,   15,  16,  31,   63,   64,   65,
				 127, 128, 200, 255, 256, 257, 1000, 4096, 5000, 9000};

/* Every combination of flags with short ranges, and those that choose a way to copy with long ones too. */
static const struct scale {
	size_t room, far, length_max;
} short_ranges = {1400, 700, 257}, long_ranges = {ROOM, 10000, 9000};

/* A destination, a source, and a length: apart, and overlapping in each way. */
static bool copy_is_right(unsigned char *room, const struct scale *scale, const size_t offsets[2], size_t length,
			  unsigned flags, int variant)
{
	const size_t to = offsets[0], from = offsets[1] == FAR ? scale->far : offsets[1];
	void *result;

	memcpy(room, pattern, scale->room);
	memcpy(expected, pattern, scale->room);
	if (variant == 2) {
		memset(expected + to, 0x5a, length);
		result = pmem_memset(room + to, 0x35a, length, flags);
	} else {
		memmove(expected + to, expected + from, length);
		result = (variant ? pmem_memcpy : pmem_memmove)(room + to, room + from, length, flags);
	}
	return result == room + to && memcmp(room, expected, scale->room) == 0;
}

static int count_wrong_copies(unsigned char *room, const struct scale *scale, unsigned flags, int variant)
{
	static const size_t offsets[][2] = {{0, FAR},  {3, FAR},  {64, FAR},  {100, 101}, {101, 100},
					    {128, 64}, {64, 128}, {300, 300}, {17, 4},    {4, 17}};
	int wrong = 0;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		for (size_t j = 0; j < sizeof(lengths) / sizeof(lengths[0]) && lengths[j] <= scale->length_max; j++)
			wrong += !copy_is_right(room, scale, offsets[i], lengths[j], flags, variant);
	}
	return wrong;
}

static void copy_with_flags(unsigned char *room, const char *kind)
{
	static const char *const variants[] = {"memmove", "memcpy", "memset"};
	static const unsigned ways[] = {0, PMEM_F_MEM_NODRAIN, PMEM_F_MEM_NONTEMPORAL, PMEM_F_MEM_TEMPORAL,
					PMEM_F_MEM_NOFLUSH};
	static const unsigned unknown[] = {0xffffffc0u, 1u << 6 | PMEM_F_MEM_NODRAIN};
	char text[200];

	for (int variant = 0; variant < 3; variant++) {
		int wrong = 0;

		for (unsigned flags = 0; flags < 64; flags++)
			wrong += count_wrong_copies(room, &short_ranges, flags, variant);
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
			wrong += count_wrong_copies(room, &long_ranges, ways[i], variant);
		snprintf(text, sizeof(text), "%s: %s, flags in each combination", variants[variant], kind);
		tell(text, "%d wrong", wrong);
		wrong = 0;
		for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
			wrong += count_wrong_copies(room, &short_ranges, unknown[i], variant);
		snprintf(text, sizeof(text), "%s: %s, unknown flags", variants[variant], kind);
		tell(text, "%d wrong", wrong);
	}
}

void copy_without_flags(unsigned char *room, const char *kind)
{
	char text[200];
	int wrong = 0;

	memcpy(room, pattern, ROOM);
	memcpy(expected, pattern, ROOM);
	memmove(expected + 5, expected + 300, 1000);
	wrong += pmem_memmove_persist(room + 5, room + 300, 1000) != room + 5;
	memmove(expected + 305, expected + 300, 1000);
	wrong += pmem_memmove_nodrain(room + 305, room + 300, 1000) != room + 305;
	memmove(expected + 5000, expected + 300, 100);
	wrong += pmem_memcpy_persist(room + 5000, room + 300, 100) != room + 5000;
	memmove(expected + 6000, expected + 300, 3000);
	wrong += pmem_memcpy_nodrain(room + 6000, room + 300, 3000) != room + 6000;
	memset(expected + 12000, 7, 500);
	wrong += pmem_memset_persist(room + 12000, 7, 500) != room + 12000;
	memset(expected + 13000, -1, 500);
	wrong += pmem_memset_nodrain(room + 13000, -1, 500) != room + 13000;
	pmem_drain();
	snprintf(text, sizeof(text), "copies without flags: %s", kind);
	tell(text, "%d wrong", wrong + (memcmp(room, expected, ROOM) != 0));
}

void copy_each_kind(void)
{
	unsigned char *at = pmem_map_file(path_of("f"), ROOM, PMEM_FILE_CREATE, 0600, NULL, NULL);
	unsigned char *heap = malloc(ROOM);

	for (size_t i = 0; i < ROOM; i++)
		pattern[i] = (unsigned char)(i * 7 + i / 256);
	copy_without_flags(at, "map_file");
	copy_with_flags(heap, "heap");
	copy_without_flags(heap, "heap");
	free(heap);
	pmem_unmap(at, ROOM);
	clean("f");
}
