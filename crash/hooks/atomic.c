/* atomic.c: the hooks that compilers call in place of atomic operations (-fsanitize=thread) */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * These do the operation. The order that is asked for is a number at run time,
 * so the strongest is taken; whether it is a fence for flushed lines follows
 * what the processor would have executed: each read-modify-write is a locked
 * instruction, a store is one if it is sequentially consistent, a load never.
 */
#include "event.h"
#include "wide.h"

#define PLAIN_LOAD(address)            __atomic_load_n(address, __ATOMIC_SEQ_CST)
#define PLAIN_RELEASE(address, value)  __atomic_store_n(address, value, __ATOMIC_RELEASE)
#define PLAIN_EXCHANGE(address, value) __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST)
#define PLAIN_COMPARE_EXCHANGE(address, expected, desired)                                                             \
	__atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
#define PLAIN_FETCH(name, address, value) __atomic_fetch_##name(address, value, __ATOMIC_SEQ_CST)

#define WIDE_LOAD(address)                                wide_load((volatile wide *)(address))
#define WIDE_RELEASE(address, value)                      ((void)wide_exchange(address, value))
#define WIDE_EXCHANGE(address, value)                     wide_exchange(address, value)
#define WIDE_COMPARE_EXCHANGE(address, expected, desired) wide_compare_exchange(address, expected, desired)
#define WIDE_FETCH(name, address, value)                  wide_fetch_##name(address, value)

#define DEFINE_FETCH(bits, type, ACCESS, name)                                                                         \
	HOOK type __tsan_atomic##bits##_fetch_##name(volatile type *address, type value, int order)                    \
	{                                                                                                              \
		const bool begun = tell_atomic_begin(address, sizeof(type), SITE);                                     \
		const type before = ACCESS##_FETCH(name, address, value);                                              \
                                                                                                                       \
		(void)order;                                                                                           \
		tell_atomic_end(begun, address, sizeof(type), true, SITE);                                             \
		return before;                                                                                         \
	}

#define DEFINE_COMPARE_EXCHANGE(bits, type, ACCESS, strength)                                                          \
	HOOK int __tsan_atomic##bits##_compare_exchange_##strength(volatile type *address, type *expected,             \
								   type desired, int order, int failure_order)         \
	{                                                                                                              \
		const bool begun = tell_atomic_begin(address, sizeof(type), SITE);                                     \
		const bool stored = ACCESS##_COMPARE_EXCHANGE(address, expected, desired);                             \
                                                                                                                       \
		(void)order, (void)failure_order;                                                                      \
		tell_atomic_end(begun, address, sizeof(type), stored, SITE);                                           \
		return stored;                                                                                         \
	}

#define DEFINE_ATOMIC(bits, type, ACCESS)                                                                              \
	HOOK type __tsan_atomic##bits##_load(const volatile type *address, int order)                                  \
	{                                                                                                              \
		(void)order;                                                                                           \
		tell_load((const void *)address, sizeof(type), SITE);                                                  \
		return ACCESS##_LOAD(address);                                                                         \
	}                                                                                                              \
	HOOK type __tsan_atomic##bits##_exchange(volatile type *address, type value, int order)                        \
	{                                                                                                              \
		const bool begun = tell_atomic_begin(address, sizeof(type), SITE);                                     \
		const type before = ACCESS##_EXCHANGE(address, value);                                                 \
                                                                                                                       \
		(void)order;                                                                                           \
		tell_atomic_end(begun, address, sizeof(type), true, SITE);                                             \
		return before;                                                                                         \
	}                                                                                                              \
	HOOK void __tsan_atomic##bits##_store(volatile type *address, type value, int order)                           \
	{                                                                                                              \
		bool begun;                                                                                            \
                                                                                                                       \
		if (order != __ATOMIC_SEQ_CST) {                                                                       \
			tell_store((const void *)address, sizeof(type), SITE);                                         \
			ACCESS##_RELEASE(address, value);                                                              \
			return;                                                                                        \
		}                                                                                                      \
		begun = tell_atomic_begin(address, sizeof(type), SITE);                                                \
		(void)ACCESS##_EXCHANGE(address, value);                                                               \
		tell_atomic_end(begun, address, sizeof(type), true, SITE);                                             \
	}                                                                                                              \
	HOOK type __tsan_atomic##bits##_compare_exchange_val(volatile type *address, type expected, type desired,      \
							     int order, int failure_order)                             \
	{                                                                                                              \
		const bool begun = tell_atomic_begin(address, sizeof(type), SITE);                                     \
		const bool stored = ACCESS##_COMPARE_EXCHANGE(address, &expected, desired);                            \
                                                                                                                       \
		(void)order, (void)failure_order;                                                                      \
		tell_atomic_end(begun, address, sizeof(type), stored, SITE);                                           \
		return expected;                                                                                       \
	}                                                                                                              \
	DEFINE_COMPARE_EXCHANGE(bits, type, ACCESS, strong)                                                            \
	DEFINE_COMPARE_EXCHANGE(bits, type, ACCESS, weak)                                                              \
	DEFINE_FETCH(bits, type, ACCESS, add)                                                                          \
	DEFINE_FETCH(bits, type, ACCESS, sub)                                                                          \
	DEFINE_FETCH(bits, type, ACCESS, and)                                                                          \
	DEFINE_FETCH(bits, type, ACCESS, or)                                                                           \
	DEFINE_FETCH(bits, type, ACCESS, xor)                                                                          \
	DEFINE_FETCH(bits, type, ACCESS, nand)

DEFINE_ATOMIC(8, uint8_t, PLAIN)
DEFINE_ATOMIC(16, uint16_t, PLAIN)
DEFINE_ATOMIC(32, uint32_t, PLAIN)
DEFINE_ATOMIC(64, uint64_t, PLAIN)
DEFINE_ATOMIC(128, wide, WIDE)

HOOK void __tsan_atomic_thread_fence(int order)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (order == __ATOMIC_SEQ_CST)
		tell_fence(SITE);
}

/* For the compiler alone: it is no instruction. */
HOOK void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}
