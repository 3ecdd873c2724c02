/* stores.c: what compilers and the C library store; each line says what the hooks must tell */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "pool.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct record {
	uint8_t byte;
	uint16_t half;
	uint32_t word;
	uint64_t number;
	double real;
	volatile uint32_t seen;
	char text[32];
};

struct __attribute__((packed)) unaligned {
	uint8_t byte;
	uint64_t number;
};

struct pair {
	char bytes[40];
};

static struct pair some = {"a structure of forty bytes"};

__attribute__((noinline)) static void store_fields(struct record *at, uint64_t value)
{
	at->byte = (uint8_t)value;  /* = store 0 1 */
	at->half = (uint16_t)value; /* = store 2 2 */
	at->word = (uint32_t)value; /* = store 4 4 */
	at->number = value;         /* = store 8 8 */
	at->real = (double)value;   /* = store 16 8 */
	at->seen = 1;               /* = store 24 4 */
	at->text[value] = 'x';      /* = store 35 1 */
}

__attribute__((noinline)) static void store_unaligned(struct unaligned *at, uint64_t value)
{
	at->number = value; /* = store 129 8 */
}

__attribute__((noinline)) static void store_wide(unsigned __int128 *at, uint64_t value)
{
	*at = (unsigned __int128)value << 64 | value; /* = unordered 256 16 */
}

__attribute__((noinline)) static void copy_structure(struct pair *at)
{
	*at = some; /* = unordered 512 40 */
}

__attribute__((noinline)) static void copy_by_library(char *at, const char *text, size_t length)
{
	memcpy(at, text, length);                  /* = unordered 1024 20 */
	memmove(at + 50, at, length);              /* = unordered 1074 20 */
	memset(at + 100, 1, 40);                   /* = unordered 1124 40 */
	memcpy(at + 150, "a constant length", 17); /* = unordered 1174 17 */
	strcpy(at + 200, text);                    /* = unordered 1224 21 */
	strcpy(at + 250, "of a constant length");  /* = unordered 1274 21 */
	strncpy(at + 300, text + 10, 15);          /* = unordered 1324 15 */
	strcat(at + 300, text);                    /* = unordered 1334 21 */
	stpcpy(at + 350, text);                    /* = unordered 1374 21 */
	sprintf(at + 400, "%zu", length);          /* = unordered 1424 3 */
	snprintf(at + 450, 4, "%s", text);         /* = unordered 1474 4 */
	mempcpy(at + 500, text, length);           /* = unordered 1524 20 */
}

__attribute__((noinline)) static void read_into_pool(char *at)
{
	int pipes[2];
	FILE *file;

	if (pipe(pipes) < 0 || write(pipes[1], "1234567\n", 8) != 8)
		abort();
	if (read(pipes[0], at, 4) != 4) /* = unordered 2048 4 */
		abort();
	file = fdopen(pipes[0], "r");
	if (!fgets(at, 16, file)) /* = unordered 2048 5 */
		abort();
}

int main(void)
{
	char *pool = pool_map();

	store_fields((struct record *)pool, 7);
	store_unaligned((struct unaligned *)(pool + 128), 7);
	store_wide((unsigned __int128 *)(pool + 256), 7);
	copy_structure((struct pair *)(pool + 512));
	copy_by_library(pool + 1024, "twenty letters, yes!", 20);
	read_into_pool(pool + 2048);
	return 0;
}
