/* loads.c: what is read from the pool; each line says what the hooks must tell */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

__attribute__((noinline)) static uint64_t by_fields(const uint8_t *one, const uint32_t *four, const uint64_t *eight)
{
	uint64_t sum;

	sum = *one;    /* = load 0 1 */
	sum += *four;  /* = load 64 4 */
	sum += *eight; /* = load 128 8 */
	return sum;
}

__attribute__((noinline)) static size_t by_library(const char *at, char *to, size_t length)
{
	size_t sum;

	memcpy(to, at, length);               /* = load 256 20 */
	sum = strlen(at);                     /* = load 256 1 */
	sum += strcmp(at, to) != 0;           /* = load 256 1 */
	sum += memcmp(at, to, length) != 0;   /* = load 256 20 */
	sum += strnlen(at + 1, length);       /* = load 257 1 */
	sum += memchr(at, 1, length) != NULL; /* = load 256 20 */
	sum += (size_t)write(-1, at, length); /* = load 256 20 */
	return sum;
}

int main(void)
{
	char copy[32];
	char *pool = pool_map();
	uint64_t sum = by_fields((uint8_t *)pool, (uint32_t *)(pool + 64), (uint64_t *)(pool + 128));

	return (int)(sum + by_library(pool + 256, copy, 20) + 1);
}
