/* test_explore.c: which states a power cut may leave, and whom a failing one is blamed on */
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

/* --- What may be durable ------------------------------------------------------------------ */

/* A check that passes always and notes which pairs of words it saw, for workers too. */
static struct {
	bool pair[8][8];
	bool torn, cut_short;
} * seen;

static int note_pair(const struct left *left)
{
	const uint64_t data = left_word(left, DATA), flag = left_word(left, FLAG);

	assert_true(data < 8 && flag < 8);
	seen->pair[data][flag] = true;
	return 0;
}

static int note_pair_in_line(const struct left *left)
{
	seen->pair[left_word(left, DATA)][left_word(left, SAME_LINE_FLAG)] = true;
	return 0;
}

static void explore_and_note(const struct script *script, enum model_kind model, script_check *check)
{
	struct result result;

	if (!seen)
		seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(seen, 0, sizeof(*seen));
	assert_int_equal(script_explore(script, model, check, &result), EXPLORE_DONE);
	assert_true(result.complete);
	assert_int_equal(result.finding_count, 0);
	result_free(&result);
}

/* pairs: "data flag" words, the list of all that may be seen. */
static void assert_seen(const char *pairs)
{
	bool expected[8][8] = {{false}};

	for (const char *at = pairs; *at; at += at[2] ? 3 : 2)
		expected[at[0] - '0'][at[1] - '0'] = true;
	for (unsigned data = 0; data < 8; data++) {
		for (unsigned flag = 0; flag < 8; flag++) {
			if (seen->pair[data][flag] != expected[data][flag])
				fail_msg("data %u with flag %u: %s", data, flag,
					 expected[data][flag] ? "not tried" : "is forbidden");
		}
	}
}

static void two_lines_are_independent(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_store(&script, 2, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 01 10 11");
}

static void a_persist_orders_what_follows(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_persist(&script, 2, DATA, 8);
	script_store(&script, 3, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 10 11");
}

static void a_flush_without_a_fence_orders_nothing(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_flush(&script, 2, DATA, 8);
	script_store(&script, 3, FLAG, 1);
	script_persist(&script, 4, FLAG, 8);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 01 10 11");
}

static void a_fence_counts_for_its_own_thread(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_flush(&script, 2, DATA, 8);
	script.thread = 1;
	script_fence(&script, 3);
	script.thread = 0;
	script_store(&script, 4, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 01 10 11");
}

static void an_ordered_flush_needs_no_fence(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_flush_ordered(&script, 2, DATA, 8);
	script_store(&script, 3, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 10 11");
}

static void a_line_keeps_the_order_of_its_stores(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_store(&script, 2, SAME_LINE_FLAG, 1);
	script_store(&script, 3, DATA, 2);
	explore_and_note(&script, MODEL_X86, note_pair_in_line);
	assert_seen("00 10 11 21");
}

static void what_was_stored_after_the_flush_waits_for_the_next(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_flush(&script, 2, DATA, 8);
	script_store(&script, 3, DATA, 2);
	script_fence(&script, 4);
	script_store(&script, 5, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 10 20 11 21");
}

static void a_sync_covers_whole_pages_of_every_thread(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script.thread = 1;
	script_sync(&script, 2, 2048, 1);
	script_store(&script, 3, FLAG, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 10 11");
}

static void persistent_caches_keep_the_order_of_all_stores(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_store(&script, 2, FLAG, 1);
	script_store(&script, 3, DATA, 2);
	explore_and_note(&script, MODEL_EADR, note_pair);
	assert_seen("00 10 11 21");
}

static void non_temporal_stores_wait_for_the_fence_even_there(void **unused)
{
	const uint64_t one = 1;
	struct script script = {0};

	(void)unused;
	script_store_bytes(&script, 1, DATA, &one, 8, STORE_NONTEMPORAL);
	script_store(&script, 2, FLAG, 1);
	script_fence(&script, 3);
	script_store(&script, 4, FLAG, 2);
	explore_and_note(&script, MODEL_EADR, note_pair);
	assert_seen("00 01 10 11 12");
}

static void a_sector_is_in_one_of_its_versions(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, DATA, 1);
	script_store(&script, 2, FLAG, 1); /* of the same sector */
	explore_and_note(&script, MODEL_PAGE, note_pair);
	assert_seen("00 10 11");
}

static int note_torn(const struct left *left)
{
	const bool first = left_word(left, DATA) == 1, second = left_word(left, DATA + 8) == 1;

	seen->torn |= first != second;
	return 0;
}

static void a_store_is_atomic_in_8_aligned_bytes(void **unused)
{
	static const struct {
		const char *name;
		uint64_t offset;
		size_t length;
		unsigned flags;
		bool tears;
	} cases[] = {
		{"16 bytes", DATA, 16, 0, true},
		{"16 bytes found by comparing", DATA, 16, STORE_OBSERVED, false},
		{"16 bytes by a system call", DATA, 16, STORE_BY_KERNEL, false},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t words[] = {1, 1};
		struct script script = {0};

		script_store_bytes(&script, 1, cases[i].offset, words, cases[i].length, cases[i].flags);
		explore_and_note(&script, MODEL_X86, note_torn);
		if (seen->torn != cases[i].tears)
			fail_msg("%s: %s", cases[i].name, seen->torn ? "torn" : "not torn");
	}
}

static int note_size(const struct left *left)
{
	seen->pair[left->size / SCRIPT_POOL][left_word(left, DATA)] = true;
	return 0;
}

static void a_new_size_is_sure_after_a_sync(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_size(&script, 1, 2 * SCRIPT_POOL);
	script_sync(&script, 2, 0, UINT64_MAX);
	script_store(&script, 3, DATA, 1);
	explore_and_note(&script, MODEL_X86, note_size);
	assert_seen("10 20 21");
}

static void what_is_cut_off_is_zero_when_the_file_grows_again(void **unused)
{
	struct script script = {0};

	(void)unused;
	script_store(&script, 1, FLAG, 1);
	script_persist(&script, 2, FLAG, 8);
	script_size(&script, 3, FLAG);
	script_size(&script, 4, SCRIPT_POOL);
	script_sync(&script, 5, 0, UINT64_MAX);
	script_store(&script, 6, DATA, 1);
	explore_and_note(&script, MODEL_X86, note_pair);
	assert_seen("00 01 10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_lines_are_independent),
		cmocka_unit_test(a_persist_orders_what_follows),
		cmocka_unit_test(a_flush_without_a_fence_orders_nothing),
		cmocka_unit_test(a_fence_counts_for_its_own_thread),
		cmocka_unit_test(an_ordered_flush_needs_no_fence),
		cmocka_unit_test(a_line_keeps_the_order_of_its_stores),
		cmocka_unit_test(what_was_stored_after_the_flush_waits_for_the_next),
		cmocka_unit_test(a_sync_covers_whole_pages_of_every_thread),
		cmocka_unit_test(persistent_caches_keep_the_order_of_all_stores),
		cmocka_unit_test(non_temporal_stores_wait_for_the_fence_even_there),
		cmocka_unit_test(a_sector_is_in_one_of_its_versions),
		cmocka_unit_test(a_store_is_atomic_in_8_aligned_bytes),
		cmocka_unit_test(a_new_size_is_sure_after_a_sync),
		cmocka_unit_test(what_is_cut_off_is_zero_when_the_file_grows_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
