/* test_blame.c: whom a failing state is blamed on: one bug, one finding, on the right store */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DATA = 0, FLAG = 64, SAME_LINE_FLAG = 8, OTHER = 128 };

/* Valid data is 1 more than nothing; the flag says that it is there. */
static int flag_means_data(const struct left *left)
{
	return left_word(left, FLAG) != 0 && left_word(left, DATA) != left_word(left, FLAG);
}

static int flag_means_data_in_line(const struct left *left)
{
	return left_word(left, SAME_LINE_FLAG) != 0 && left_word(left, DATA) != left_word(left, SAME_LINE_FLAG);
}

static int output_means_data(const struct left *left)
{
	return left_word(left, DATA) < left->output_length;
}

static int output_means_lines(const struct left *left)
{
	for (uint64_t i = 1; i <= left->output_length; i++) {
		if (left_word(left, i * 64) != i)
			return 1;
	}
	return 0;
}

static int never_torn(const struct left *left)
{
	return left_word(left, DATA) != left_word(left, DATA + 8);
}

static int no_lock_left(const struct left *left)
{
	return left_word(left, OTHER) == 1 ? 7 : 0;
}

static void missing_flush(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_store(script, 2, FLAG, 1);
	script_persist(script, 3, FLAG, 8);
}

static void missing_fence(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_flush(script, 2, DATA, 8);
	script_store(script, 3, FLAG, 1);
	script_persist(script, 4, FLAG, 8);
}

static void late_flush(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_store(script, 2, FLAG, 1);
	script_persist(script, 3, FLAG, 8);
	script_persist(script, 4, DATA, 8);
}

static void flag_first(struct script *script)
{
	script_store(script, 1, FLAG, 1);
	script_store(script, 2, DATA, 1);
	script_persist(script, 3, DATA, 72);
}

static void flag_persisted_first(struct script *script)
{
	script_store(script, 1, FLAG, 1);
	script_persist(script, 2, FLAG, 8);
	script_store(script, 3, DATA, 1);
	script_persist(script, 4, DATA, 8);
}

static void flag_first_in_line(struct script *script)
{
	script_store(script, 1, SAME_LINE_FLAG, 1);
	script_store(script, 2, DATA, 1);
	script_persist(script, 3, DATA, 16);
}

static void promise_first(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_output(script, 2, "x");
	script_persist(script, 3, DATA, 8);
}

/* What is promised last is not what the first lost store breaks. */
static void never_flushed_but_promised(struct script *script)
{
	for (uint64_t i = 1; i <= 3; i++) {
		script_store(script, 1, i * 64, i);
		script_output(script, 2, "x");
	}
	script_persist(script, 3, 0, 256);
}

static void torn_store(struct script *script)
{
	const uint64_t words[] = {1, 1};

	script_store_bytes(script, 1, DATA, words, 16, 0);
	script_persist(script, 2, DATA, 16);
}

static void lock_taken(struct script *script)
{
	script_store(script, 1, OTHER, 1);
	script_persist(script, 2, OTHER, 8);
	script_store(script, 3, DATA, 1);
	script_persist(script, 4, DATA, 8);
	script_store(script, 5, OTHER, 2);
	script_persist(script, 6, OTHER, 8);
}

static int output_means_size(const struct left *left)
{
	return left->output_length > 0 && left->size == SCRIPT_POOL;
}

static void resize_promised_first(struct script *script)
{
	script_size(script, 1, 2 * SCRIPT_POOL);
	script_output(script, 2, "x");
	script_sync(script, 3, 0, UINT64_MAX);
}

static void right_order(struct script *script)
{
	script_store(script, 1, DATA, 1);
	script_persist(script, 2, DATA, 8);
	script_output(script, 3, "x");
	script_store(script, 4, FLAG, 1);
	script_persist(script, 5, FLAG, 8);
}

static void three_times(struct script *script, void (*once)(struct script *script))
{
	for (unsigned i = 0; i < 3; i++)
		once(script);
}

static void missing_flush_in_a_loop(struct script *script)
{
	three_times(script, missing_flush);
	script_store(script, 1, DATA, 1);
}

static uint64_t site_of(const struct place *place)
{
	return place->event ? place->event->site : 0;
}

static void assert_same(const char *name, const char *what, uint64_t is, uint64_t expected)
{
	if (is != expected)
		fail_msg("%s: %s %ju, not %ju", name, what, (uintmax_t)is, (uintmax_t)expected);
}

static void one_bug_is_one_finding_on_the_right_store(void **unused)
{
	static const struct {
		const char *name;
		void (*write)(struct script *script);
		script_check *check;
		enum finding_kind kind;
		uint64_t store, other, flush, after;
	} cases[] = {
		{"missing flush", missing_flush, flag_means_data, FINDING_LOST, 1, 2, 0, 0},
		{"missing fence", missing_fence, flag_means_data, FINDING_LOST, 1, 3, 2, 0},
		{"late flush", late_flush, flag_means_data, FINDING_LOST, 1, 2, 4, 0},
		{"flag first", flag_first, flag_means_data, FINDING_EARLY, 1, 2, 3, 0},
		{"flag persisted first", flag_persisted_first, flag_means_data, FINDING_CUT, 3, 0, 0, 1},
		{"flag first in the line", flag_first_in_line, flag_means_data_in_line, FINDING_EARLY, 1, 2, 3, 0},
		{"promise first", promise_first, output_means_data, FINDING_LOST, 1, 2, 3, 0},
		{"never flushed, but promised", never_flushed_but_promised, output_means_lines, FINDING_LOST, 1, 2, 3,
		 0},
		{"torn store", torn_store, never_torn, FINDING_LOST, 1, 0, 2, 0},
		{"lock taken", lock_taken, no_lock_left, FINDING_CUT, 3, 0, 0, 1},
		{"resize promised first", resize_promised_first, output_means_size, FINDING_LOST, 1, 0, 0, 0},
		{"missing flush in a loop", missing_flush_in_a_loop, flag_means_data, FINDING_LOST, 1, 2, 0, 0},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct script script = {0};
		struct result result;

		cases[i].write(&script);
		assert_int_equal(script_explore(&script, MODEL_X86, cases[i].check, &result), EXPLORE_DONE);
		assert_true(result.complete);
		assert_same(cases[i].name, "findings", result.finding_count, 1);
		assert_same(cases[i].name, "kind", result.findings[0].how, cases[i].kind);
		assert_same(cases[i].name, "store", site_of(&result.findings[0].store), cases[i].store);
		assert_same(cases[i].name, "other", site_of(&result.findings[0].other), cases[i].other);
		assert_same(cases[i].name, "flush", site_of(&result.findings[0].flush), cases[i].flush);
		assert_same(cases[i].name, "after", site_of(&result.findings[0].after), cases[i].after);
		result_free(&result);
		trace_free(&script.trace);
	}
}

static void the_right_order_has_no_findings(void **unused)
{
	struct script script = {0};
	struct result result;

	(void)unused;
	right_order(&script);
	assert_int_equal(script_explore(&script, MODEL_X86, flag_means_data, &result), EXPLORE_DONE);
	assert_true(result.complete);
	assert_int_equal(result.finding_count, 0);
	assert_int_equal(result.hint_count, 0);
	result_free(&result);
}

static bool *failed_once; /* shared with the workers */

/* Fails on the first bad state that it sees, and never again. */
static int fails_by_chance(const struct left *left)
{
	if (!flag_means_data(left) || *failed_once)
		return 0;
	*failed_once = true;
	return 1;
}

static void a_failure_that_does_not_come_again_is_a_hint(void **unused)
{
	struct script script = {0};
	struct result result;

	(void)unused;
	failed_once = mmap(NULL, sizeof(*failed_once), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	missing_flush(&script);
	script_persist(&script, 4, DATA, 8);
	assert_int_equal(script_explore(&script, MODEL_X86, fails_by_chance, &result), EXPLORE_DONE);
	assert_int_equal(result.finding_count, 0);
	assert_int_equal(result.hint_count, 1);
	assert_int_equal(result.hints[0].kind, HINT_FLAKY);
	result_free(&result);
}

static int always_fails(const struct left *left)
{
	(void)left;
	return 1;
}

static void a_control_run_that_fails_is_no_finding(void **unused)
{
	struct script script = {0};
	struct result result;

	(void)unused;
	right_order(&script);
	assert_int_equal(script_explore(&script, MODEL_X86, always_fails, &result), EXPLORE_CONTROL_FAILED);
	assert_int_equal(result.finding_count, 0);
	assert_int_equal(script_states_seen(), 1);
	result_free(&result);
}

static int kills_its_worker(const struct left *left)
{
	if (left_word(left, FLAG) != 0 && left_word(left, DATA) == 0)
		_exit(9);
	return 0;
}

static void a_check_that_kills_its_worker_is_a_finding(void **unused)
{
	struct script script = {0};
	struct result result;
	int status = 0;

	(void)unused;
	missing_flush(&script);
	script_persist(&script, 4, DATA, 8);
	/* The last look, in this process, would end the test: a child makes it. */
	if (fork() == 0) {
		script_explore(&script, MODEL_X86, kills_its_worker, &result);
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(WEXITSTATUS(status), 9);
}

static void hints_tell_of_waste(void **unused)
{
	struct script script = {0};
	struct result result;

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_persist(&script, 2, DATA, 8);
	script_persist(&script, 3, DATA, 8);
	script_store(&script, 4, OTHER, 1);
	assert_int_equal(script_explore(&script, MODEL_X86, flag_means_data, &result), EXPLORE_DONE);
	assert_int_equal(result.hint_count, 2);
	assert_int_equal(result.hints[0].kind, HINT_REDUNDANT_FLUSH);
	assert_int_equal(site_of(&result.hints[0].place), 3);
	assert_int_equal(result.hints[1].kind, HINT_NEVER_FLUSHED);
	assert_int_equal(site_of(&result.hints[1].place), 4);
	result_free(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_bug_is_one_finding_on_the_right_store),
		cmocka_unit_test(the_right_order_has_no_findings),
		cmocka_unit_test(a_failure_that_does_not_come_again_is_a_hint),
		cmocka_unit_test(a_control_run_that_fails_is_no_finding),
		cmocka_unit_test(a_check_that_kills_its_worker_is_a_finding),
		cmocka_unit_test(hints_tell_of_waste),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
