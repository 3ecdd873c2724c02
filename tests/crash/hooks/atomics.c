/* atomics.c: atomic operations; each line says what the hooks must tell, and the results are checked */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static void want(bool right)
{
	if (!right)
		abort();
}

__attribute__((noinline)) static void eight_bytes(_Atomic uint64_t *at)
{
	uint64_t expected = 5;

	atomic_store_explicit(at, 1, memory_order_relaxed);                /* = store 0 8 */
	atomic_store_explicit(at, 2, memory_order_release);                /* = store 0 8 */
	atomic_store(at, 3);                                               /* = atomic 0 8; done */
	want(atomic_exchange(at, 4) == 3);                                 /* = atomic 0 8; done */
	want(atomic_fetch_add_explicit(at, 2, memory_order_relaxed) == 4); /* = atomic 0 8; done */
	want(atomic_fetch_sub(at, 1) == 6);                                /* = atomic 0 8; done */
	want(atomic_compare_exchange_strong(at, &expected, 12));           /* = atomic 0 8; done */
	want(!atomic_compare_exchange_strong(at, &expected, 13));          /* = atomic 0 8; unchanged */
	want(expected == 12);
	want(atomic_fetch_or(at, 3) == 12);                                  /* = atomic 0 8; done */
	want(atomic_fetch_and(at, 6) == 15);                                 /* = atomic 0 8; done */
	want(atomic_fetch_xor(at, 5) == 6);                                  /* = atomic 0 8; done */
	want(__atomic_fetch_nand((uint64_t *)at, 1, __ATOMIC_SEQ_CST) == 3); /* = atomic 0 8; done */
	want(atomic_load(at) == ~(uint64_t)1);
}

__attribute__((noinline)) static void other_widths(_Atomic uint8_t *one, _Atomic uint16_t *two, _Atomic uint32_t *four)
{
	want(atomic_fetch_add(one, 255) == 0);                      /* = atomic 64 1; done */
	want(atomic_fetch_add(one, 1) == 255);                      /* = atomic 64 1; done */
	want(atomic_fetch_sub(two, 1) == 0);                        /* = atomic 66 2; done */
	want(atomic_exchange(two, 9) == 65535);                     /* = atomic 66 2; done */
	want(atomic_fetch_or(four, 1) == 0);                        /* = atomic 68 4; done */
	want(__sync_bool_compare_and_swap((uint32_t *)four, 1, 2)); /* = atomic 68 4; done */
	want(*one == 0 && *two == 9 && *four == 2);
}

__attribute__((noinline)) static void sixteen_bytes(unsigned __int128 *at)
{
	enum { ORDER = __ATOMIC_SEQ_CST };
	const unsigned __int128 big = (unsigned __int128)1 << 100;
	unsigned __int128 expected = big + 1;

	__atomic_store_n(at, big, ORDER);                                          /* = atomic 128 16; done */
	want(__atomic_fetch_add(at, 1, ORDER) == big);                             /* = atomic 128 16; done */
	want(__atomic_compare_exchange_n(at, &expected, 7, false, ORDER, ORDER));  /* = atomic 128 16; done */
	want(!__atomic_compare_exchange_n(at, &expected, 8, false, ORDER, ORDER)); /* = atomic 128 16; unchanged */
	want(expected == 7);
	want(__atomic_exchange_n(at, big, ORDER) == 7); /* = atomic 128 16; done */
	want(*at == big);
}

__attribute__((noinline)) static void fences(void)
{
	atomic_thread_fence(memory_order_release);
	atomic_thread_fence(memory_order_seq_cst); /* = fence */
	atomic_signal_fence(memory_order_seq_cst);
	__sync_synchronize(); /* = fence */
}

__attribute__((noinline)) static void not_in_the_pool(_Atomic uint64_t *at)
{
	atomic_store_explicit(at, 1, memory_order_relaxed);
	want(atomic_fetch_add(at, 1) == 1); /* = atomic elsewhere; done */
}

int main(void)
{
	static _Atomic uint64_t other;
	char *pool = pool_map();

	eight_bytes((_Atomic uint64_t *)pool);
	other_widths((_Atomic uint8_t *)(pool + 64), (_Atomic uint16_t *)(pool + 66), (_Atomic uint32_t *)(pool + 68));
	sixteen_bytes((unsigned __int128 *)(pool + 128));
	fences();
	not_in_the_pool(&other);
	return 0;
}
