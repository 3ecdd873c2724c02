/* cmocka.c: runs tests one after the other and says in TAP how each ended */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

enum outcome {
	PASSED, /* what setjmp says at first */
	FAILED,
	SKIPPED,
};

static jmp_buf leave;

void stand_in_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	printf("# %s:%d: not so: ", file, line);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	longjmp(leave, FAILED);
}

void stand_in_skip(void)
{
	longjmp(leave, SKIPPED);
}

void print_message(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
}

static enum outcome run(const struct CMUnitTest *test, void *state)
{
	const enum outcome outcome = (enum outcome)setjmp(leave);

	if (outcome != PASSED)
		return outcome;
	if (test->setup && test->setup(&state) != 0)
		return FAILED;
	test->test(&state);
	return test->teardown && test->teardown(&state) != 0 ? FAILED : PASSED;
}

int stand_in_run(const char *group, const struct CMUnitTest *tests, size_t count, CMFixtureFunction setup,
		 CMFixtureFunction teardown)
{
	void *state = NULL;
	int failed = 0;

	setvbuf(stdout, NULL, _IONBF, 0); /* a child that a test forks must not print it again */
	printf("1..%zu\n", count);
	if (setup && setup(&state) != 0) {
		printf("not ok 1 - %s: the group's setup\n", group);
		return 1;
	}
	for (size_t i = 0; i < count; i++) {
		const enum outcome outcome = run(&tests[i], state);

		if (outcome == SKIPPED)
			printf("ok %zu # SKIP %s\n", i + 1, tests[i].name);
		else
			printf("%sok %zu - %s\n", outcome == FAILED ? "not " : "", i + 1, tests[i].name);
		failed += outcome == FAILED;
	}
	if (teardown)
		teardown(&state);
	return failed;
}
