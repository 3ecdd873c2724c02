/* test_callback.c: checks that run in the test's own processes: undone, and survived */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "judge_callback.h"
#include "script.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { DATA = 0, FLAG = 64, MARK = 2048 };

static uint64_t word(const void *pool, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)pool + offset, sizeof(value));
	return value;
}

static bool is_bad(const void *pool)
{
	return word(pool, FLAG) != 0 && word(pool, DATA) == 0;
}

/* How a check may fail, and what of it must not be seen by the next one. */

static int returns_an_error(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)promises, (void)arg;
	return is_bad(pool) ? 5 : 0;
}

static int crashes(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)promises, (void)arg;
	if (is_bad(pool))
		raise(SIGSEGV);
	return 0;
}

static int aborts(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)promises, (void)arg;
	if (is_bad(pool))
		abort();
	return 0;
}

static volatile unsigned long deep;

static int overflows(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	volatile char room[1024] = {1};

	if (!is_bad(pool))
		return 0;
	deep += (unsigned long)room[deep % sizeof(room)];
	return overflows(pool, size, promises, arg) + room[1];
}

static int hangs(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)promises, (void)arg;
	while (is_bad(pool))
		deep++;
	return 0;
}

static int leaves(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)size, (void)promises, (void)arg;
	if (is_bad(pool))
		_exit(5);
	return 0;
}

static int calls_so_far;

/* Fails if anything is left of an earlier call, in the pool or in static data. */
static int writes_everywhere(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)promises, (void)arg;
	if (calls_so_far++ > 0 || word(pool, MARK) != 0)
		return 1;
	memset(pool, 0xff, size);
	return 0;
}

static void store_flag_before_data(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_store(script, 2, FLAG, 1);
	script_persist(script, 3, FLAG, 8);
	script_persist(script, 4, DATA, 8);
}

/* More than a dozen states for each worker. */
static void store_many(struct script *script)
{
	for (uint64_t line = 0; line < 8; line++)
		script_store(script, line, line * 64, 1);
	script_persist(script, 9, 0, 512);
}

static enum explore_status explore_with(const struct pmem_crash_test *test, void (*write)(struct script *script),
					struct result *result)
{
	static struct start start;
	struct explore_options options = {.model = MODEL_X86, .budget = 60, .workers = 2, .instrumented = true};
	struct callback_judge judge;
	struct script script = {0};
	struct verdict control;
	enum explore_status status;
	unsigned char *pool = mmap(NULL, SCRIPT_POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	start = (struct start){.pool_count = 1, .unit = 64};
	start.pools[0].name = "pool";
	start.pools[0].bytes = calloc(1, SCRIPT_POOL);
	start.pools[0].size = SCRIPT_POOL;
	write(&script);
	assert_true(callback_judge_make(&judge, test, pool, false));
	status = explore(&start, &script.trace, &options, &judge.judge, result, &control);
	free(control.output);
	callback_judge_free(&judge);
	return status;
}

static void every_way_to_fail_is_caught(void **unused)
{
	static const struct {
		const char *name;
		int (*check)(void *, size_t, const struct pmem_crash_promises *, void *);
		enum failure failure;
		int status;
	} cases[] = {
		{"an error", returns_an_error, FAILURE_EXIT, 5},
		{"a crash", crashes, FAILURE_CRASH, SIGSEGV},
		{"an abort", aborts, FAILURE_CRASH, SIGABRT},
		{"a stack that overflows", overflows, FAILURE_CRASH, SIGSEGV},
		{"a hang", hangs, FAILURE_HANG, SIGKILL},
		{"an exit", leaves, FAILURE_EXIT, 5},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned flags = 0; flags <= PMEM_CRASH_ISOLATED; flags++) {
			const struct pmem_crash_test test = {
				.sz = sizeof(test),
				.pool_size = SCRIPT_POOL,
				.check = cases[i].check,
				.flags = flags,
			};
			struct result result;

			assert_int_equal(explore_with(&test, store_flag_before_data, &result), EXPLORE_DONE);
			assert_true(result.complete);
			assert_int_equal(result.finding_count, 1);
			assert_int_equal(result.findings[0].kind, FINDING_LOST);
			assert_int_equal(result.findings[0].store.event->site, 1);
			if (result.findings[0].failure != cases[i].failure ||
			    result.findings[0].status != cases[i].status)
				fail_msg("%s, %s: failure %d, status %d", cases[i].name,
					 flags ? "isolated" : "in process", (int)result.findings[0].failure,
					 result.findings[0].status);
			result_free(&result);
		}
	}
}

static void what_a_check_leaves_behind_is_undone(void **unused)
{
	const struct pmem_crash_test test = {
		.sz = sizeof(test),
		.pool_size = SCRIPT_POOL,
		.check = writes_everywhere,
	};
	struct result result;

	(void)unused;
	calls_so_far = 0;
	assert_int_equal(explore_with(&test, store_many, &result), EXPLORE_DONE);
	assert_true(result.complete);
	assert_true(result.progress.states > 24);
	assert_int_equal(result.finding_count, 0);
	assert_int_equal(result.hint_count, 0);
	result_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_fail_is_caught),
		cmocka_unit_test(what_a_check_leaves_behind_is_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
