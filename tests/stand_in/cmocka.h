/* cmocka.h: what our tests use of cmocka, for processors that the distribution has no cmocka for */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cross builds alone take this: a library of another processor is not to be had
 * without changing the machine's package sources. The names and their meaning
 * are cmocka's; the output is its TAP.
 */
#ifndef STAND_IN_CMOCKA_H
#define STAND_IN_CMOCKA_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	CMUnitTestFunction test;
	CMFixtureFunction setup, teardown;
};

#define cmocka_unit_test(function)                                                                                     \
	{                                                                                                              \
#function, function, NULL, NULL                                                                        \
	}
#define cmocka_unit_test_setup_teardown(function, s, t)                                                                \
	{                                                                                                              \
#function, function, s, t                                                                              \
	}

/* Runs them in order; returns how many failed. */
int stand_in_run(const char *group, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
		 CMFixtureFunction teardown);

#define cmocka_run_group_tests_name(group, tests, setup, teardown)                                                     \
	stand_in_run(group, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* Both leave the test that runs. */
__attribute__((noreturn, format(printf, 3, 4))) void stand_in_fail(const char *file, int line, const char *format, ...);
__attribute__((noreturn)) void stand_in_skip(void);

__attribute__((format(printf, 1, 2))) void print_message(const char *format, ...);

#define skip()                      stand_in_skip()
#define fail()                      stand_in_fail(__FILE__, __LINE__, "fail()")
#define fail_msg(...)               stand_in_fail(__FILE__, __LINE__, __VA_ARGS__)
#define stand_in_check(truth, text) ((truth) ? (void)0 : stand_in_fail(__FILE__, __LINE__, "%s", text))

#define assert_true(value)              stand_in_check(value, #value)
#define assert_false(value)             stand_in_check(!(value), "not " #value)
#define assert_null(value)              stand_in_check((value) == NULL, #value " is NULL")
#define assert_non_null(value)          stand_in_check((value) != NULL, #value " is not NULL")
#define assert_int_equal(a, b)          stand_in_check((uintmax_t)(a) == (uintmax_t)(b), #a " == " #b)
#define assert_int_not_equal(a, b)      stand_in_check((uintmax_t)(a) != (uintmax_t)(b), #a " != " #b)
#define assert_ptr_equal(a, b)          stand_in_check((const void *)(a) == (const void *)(b), #a " == " #b)
#define assert_ptr_not_equal(a, b)      stand_in_check((const void *)(a) != (const void *)(b), #a " != " #b)
#define assert_string_equal(a, b)       stand_in_check(strcmp(a, b) == 0, #a " equals " #b)
#define assert_string_not_equal(a, b)   stand_in_check(strcmp(a, b) != 0, #a " differs from " #b)
#define assert_memory_equal(a, b, size) stand_in_check(memcmp(a, b, size) == 0, #a " equals " #b)
#define assert_in_range(value, low, high)                                                                              \
	stand_in_check((uintmax_t)(value) >= (uintmax_t)(low) && (uintmax_t)(value) <= (uintmax_t)(high), #value)

#endif
