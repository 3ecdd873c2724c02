/* access.c: the hooks that compilers call before each load and store (-fsanitize=thread) */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names and arguments are those that gcc and clang document by what they emit:
 * gcc/sanitizer.def, and ThreadSanitizer.cpp in LLVM, up to version 19.
 */
#include "event.h"

/* gcc and clang tell sizes apart by name; other sizes come as ranges. */
#define EACH_SIZE(DEFINE) DEFINE(1) DEFINE(2) DEFINE(4) DEFINE(8) DEFINE(16)

/* Up to 8 bytes are one instruction; what is wider, or no power of two, is made of several, in no order that is known. */
static inline void tell_write(const void *address, size_t size, const void *site)
{
	if (size > 8 || (size & (size - 1)))
		tell_copy(address, size, site);
	else
		tell_store(address, size, site);
}

#define DEFINE_ACCESS(prefix, size)                                                                                    \
	HOOK void __tsan_##prefix##read##size(void *address)                                                           \
	{                                                                                                              \
		tell_load(address, size, SITE);                                                                        \
	}                                                                                                              \
	HOOK void __tsan_##prefix##write##size(void *address)                                                          \
	{                                                                                                              \
		tell_write(address, size, SITE);                                                                       \
	}

#define DEFINE_ACCESSES(size)                                                                                          \
	DEFINE_ACCESS(, size)                                                                                          \
	DEFINE_ACCESS(volatile_, size)                                                                                 \
	DEFINE_ACCESS(unaligned_, size)                                                                                \
	DEFINE_ACCESS(unaligned_volatile_, size)

EACH_SIZE(DEFINE_ACCESSES)

/* A load and a store of the same place. */
#define DEFINE_READ_WRITE(size)                                                                                        \
	HOOK void __tsan_read_write##size(void *address)                                                               \
	{                                                                                                              \
		tell_load(address, size, SITE);                                                                        \
		tell_write(address, size, SITE);                                                                       \
	}                                                                                                              \
	HOOK void __tsan_unaligned_read_write##size(void *address)                                                     \
	{                                                                                                              \
		tell_load(address, size, SITE);                                                                        \
		tell_write(address, size, SITE);                                                                       \
	}

EACH_SIZE(DEFINE_READ_WRITE)

HOOK void __tsan_read_range(void *address, unsigned long size)
{
	tell_load(address, size, SITE);
}

/* gcc's, for copies of structures and for what is not aligned. */
HOOK void __tsan_write_range(void *address, unsigned long size)
{
	tell_write(address, size, SITE);
}

HOOK void __tsan_vptr_read(void **address)
{
	tell_load(address, sizeof(*address), SITE);
}

HOOK void __tsan_vptr_update(void **address, void *value)
{
	(void)value;
	tell_store(address, sizeof(*address), SITE);
}

/* Called by a constructor of each file that was compiled with hooks, and by a start file of gcc. */
HOOK void __tsan_init(void)
{
	tell_instrumented();
}

/* Calls are not recorded: the stack is walked where it is wanted. */
HOOK void __tsan_func_entry(void *site)
{
	(void)site;
}

HOOK void __tsan_func_exit(void)
{
}

/* These switch race detection off and on, which nobody does here. */
HOOK void __tsan_ignore_thread_begin(void)
{
}

HOOK void __tsan_ignore_thread_end(void)
{
}
