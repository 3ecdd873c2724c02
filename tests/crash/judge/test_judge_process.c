/* test_judge_process.c: a check finds exactly the state that is tried, whatever the checks before it have done */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "judge_process.h"

#include "command_line.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIZE = 3 * 4096 + 100, LINE = 64 };

/* One pool, one worker. */
static char directory[64];
static unsigned char base[SIZE];
static struct start start;
static struct check check;
static struct judge *judge;
static struct contents contents;
static struct verdict verdict;

static void fill_base(void)
{
	memset(base, 0, sizeof(base));
	memset(base + 4096, 'b', 4096); /* between holes */
	memset(base + SIZE - 10, 'e', 10);
}

static int begin(void **state)
{
	(void)state;
	strcpy(directory, "/dev/shm/judge.XXXXXX");
	assert_non_null(mkdtemp(directory));
	fill_base();
	start = (struct start){.pool_count = 1, .unit = LINE};
	start.pools[0].name = "/somewhere/a pool's";
	start.pools[0].bytes = base;
	start.pools[0].size = SIZE;
	contents = (struct contents){.start = &start, .all_changed = true, .output = ""};
	contents.base[0] = base;
	contents.room[0] = contents.sizes[0] = SIZE;
	judge = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(verdict.output);
	verdict.output = NULL;
	if (judge) {
		judge->end(judge);
		judge_process_free(judge);
	}
	assert_int_equal(rmdir(directory), 0); /* nothing was left behind */
	return 0;
}

static void use(const char *command)
{
	check = (struct check){.command = command};
	judge = judge_process_new(&start, &check, directory, NULL, 0);
	assert_non_null(judge);
	assert_true(judge->begin(judge, 0));
}

static void try(void)
{
	free(verdict.output);
	judge->try(judge, &contents, true, &verdict);
	contents.all_changed = false;
	contents.changed_count = 0;
}

/* --- Verdicts -------------------------------------------------------------------------- */

static void exits_and_signals_are_told_apart(void **state)
{
	static const struct {
		const char *command;
		bool passed;
		enum failure failure;
		int status;
	} cases[] = {
		{"exit 0", true, FAILURE_EXIT, 0},
		{"exit 3", false, FAILURE_EXIT, 3},
		{"kill -SEGV $$", false, FAILURE_CRASH, SIGSEGV},
		{"sh -c 'kill -ABRT $$'; exit $?", false, FAILURE_CRASH, SIGABRT},
		{"test -s {} && test \"$PMEM_IS_PMEM_FORCE\" = 1", true, FAILURE_EXIT, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		end(state);
		begin(state);
		use(cases[i].command);
		try();
		assert_int_equal(verdict.passed, cases[i].passed);
		assert_int_equal(verdict.status, cases[i].status);
		assert_int_equal(verdict.failure, cases[i].failure);
		assert_false(verdict.could_not_start);
	}
}

static void a_check_that_is_missing_is_no_verdict_unless_it_has_passed_once(void **state)
{
	(void)state;
	use("if test -e /dev/shm/no-such-file; then :; else /nonexistent/check {}; fi");
	try();
	assert_true(verdict.could_not_start);
	assert_non_null(strstr(verdict.output, "/nonexistent/check"));
	judge->end(judge);
	judge_process_free(judge);
	use("test ! -s \"$PMEM_CRASH_OUTPUT\" || /nonexistent/check {}");
	try();
	assert_true(verdict.passed);
	contents.output = "promised";
	contents.output_length = 8;
	try();
	assert_false(verdict.passed);
	assert_false(verdict.could_not_start);
	assert_int_equal(verdict.status, 127);
}

static void a_hang_is_killed_at_the_limit_and_must_happen_twice(void **state)
{
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), "echo x >>%s.tries; while :; do :; done", directory);
	use(command);
	judge->limit = 0.05;
	try();
	assert_false(verdict.passed);
	assert_int_equal(verdict.failure, FAILURE_HANG);
	assert_true(verdict.seconds >= 0.05 && verdict.seconds < 20);
	snprintf(command, sizeof(command), "test $(wc -l <%s.tries) = 2 && rm %s.tries", directory, directory);
	assert_int_equal(system(command), 0);
	judge->end(judge);
	judge_process_free(judge);

	/* Slow the first time alone: no hang. */
	snprintf(command, sizeof(command), "test -e %s.slow || { >%s.slow; while :; do :; done; }; rm %s.slow",
		 directory, directory, directory);
	use(command);
	judge->limit = 2; /* enough for the second one, on a busy machine */
	try();
	assert_true(verdict.passed);
}

static void what_the_check_leaves_running_is_killed(void **state)
{
	char command[512], line[64] = "";
	pid_t pids[2] = {0};
	FILE *file;

	(void)state;
	snprintf(command, sizeof(command),
		 "sleep 600 & echo $! >%s.pids; setsid sh -c 'echo $$ >>%s.pids; exec sleep 600' & "
		 "while test $(wc -l <%s.pids) != 2; do :; done",
		 directory, directory, directory);
	use(command);
	try();
	assert_true(verdict.passed);
	snprintf(command, sizeof(command), "%s.pids", directory);
	file = fopen(command, "r");
	assert_non_null(file);
	for (size_t i = 0; i < 2 && fgets(line, sizeof(line), file); i++)
		pids[i] = atoi(line);
	fclose(file);
	unlink(command);
	for (size_t i = 0; i < 2; i++) {
		assert_true(pids[i] > 0);
		assert_int_equal(kill(pids[i], 0), -1);
		assert_int_equal(errno, ESRCH);
	}
}

static void long_output_is_kept_at_both_ends(void **state)
{
	(void)state;
	use("echo beginning; i=0; while test $i != 3000; do echo filling up the middle of it; i=$((i+1)); done; "
	    "echo end >&2; exit 1");
	try();
	assert_non_null(verdict.output);
	assert_int_equal(strncmp(verdict.output, "beginning\n", 10), 0);
	assert_string_equal(verdict.output + strlen(verdict.output) - 4, "end\n");
	assert_non_null(strstr(verdict.output, "bytes are left out here"));
	assert_true(strlen(verdict.output) < 20000);
}

/* --- Contents ---------------------------------------------------------------------------- */

/* Compares the image with what it should be after every check, and says where it differs. */
static const char compare[] = "cmp {} \"$(dirname {})\".expected";

static void write_expected(void)
{
	unsigned char bytes[SIZE * 2] = {0};
	char path[128];
	FILE *file;

	memcpy(bytes, base, contents.room[0]);
	for (size_t i = 0; i < contents.unit_count; i++)
		memcpy(bytes + contents.units[i].offset, contents.units[i].bytes, LINE);
	snprintf(path, sizeof(path), "%s/0.expected", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, contents.sizes[0], file), contents.sizes[0]);
	fclose(file);
}

static void assert_finds_what_is_tried(void)
{
	write_expected();
	try();
	if (!verdict.passed)
		print_message("%s\n", verdict.output);
	assert_true(verdict.passed);
}

static void remove_expected(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/0.expected", directory);
	assert_int_equal(unlink(path), 0);
}

/* What a check may do to its image, and beside it, after it has looked. */
static const char *const damages[] = {
	":",
	"printf xxx | dd of={} conv=notrunc bs=1 seek=5000 2>/dev/null",
	"printf xxx | dd of={} conv=notrunc bs=1 seek=10 2>/dev/null",    /* in a hole */
	"printf xxx | dd of={} conv=notrunc bs=1 seek=20000 2>/dev/null", /* beyond the end */
	": >{}",
	"truncate -s 5000 {}; truncate -s 13000 {}",
	"rm {}",
	"rm {}; mkdir {}",
	"cp {} {}.new; printf xxx >>{}.new; mv {}.new {}",
	"rm {}; ln -s /etc/passwd {}",
	"chmod 0 {}",
	"fallocate -p -o 4096 -l 4096 {}",
};

static void damage_by_a_check_is_undone(void **state)
{
	char command[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		end(state);
		begin(state);
		snprintf(command, sizeof(command), "%s && test \"$(stat -c %%a {})\" = 600 && { %s; }", compare,
			 damages[i]);
		use(command);
		assert_finds_what_is_tried();
		assert_finds_what_is_tried();
		assert_finds_what_is_tried();
		remove_expected();
	}
}

static void units_lie_over_the_base_in_one_state_only(void **state)
{
	unsigned char line[LINE];
	const struct image_unit units[] = {{.offset = 0, .bytes = line},
					   {.offset = 4096 + LINE, .bytes = line},
					   {.offset = SIZE / LINE * LINE, .bytes = line}};

	(void)state;
	memset(line, 'u', sizeof(line));
	use(compare);
	assert_finds_what_is_tried();
	contents.units = units;
	contents.unit_count = 2;
	assert_finds_what_is_tried();
	contents.unit_count = 3; /* the last one sticks out of the pool */
	write_expected();
	try();
	assert_true(verdict.passed);
	contents.unit_count = 0;
	assert_finds_what_is_tried();
	remove_expected();
}

static void changes_of_the_base_arrive(void **state)
{
	const struct image_unit changed[] = {{.offset = 8192}, {.offset = 4096}};

	(void)state;
	use(compare);
	assert_finds_what_is_tried();
	memset(base + 8192, 'c', LINE); /* was a hole */
	memset(base + 4096, 0, LINE);
	contents.changed = changed;
	contents.changed_count = 2;
	assert_finds_what_is_tried();
	fill_base();
	contents.all_changed = true;
	assert_finds_what_is_tried();
	remove_expected();
}

static void the_size_is_part_of_a_state(void **state)
{
	static const uint64_t sizes[] = {SIZE, 5000, 4096, 0, SIZE, 1};

	(void)state;
	use(compare);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		contents.sizes[0] = sizes[i];
		assert_finds_what_is_tried();
	}
	remove_expected();
}

static void what_is_left_beside_the_image_is_gone_at_the_next_check(void **state)
{
	(void)state;
	use("cd \"$(dirname {})\" && test \"$(ls -A)\" = \"a pool's\" && >lock && mkdir -p a/b && >a/b/c");
	for (int i = 0; i < 3; i++) {
		try();
		assert_true(verdict.passed);
	}
}

static void the_promise_is_what_was_written_before_the_cut(void **state)
{
	static const size_t lengths[] = {3, 5, 0, 4, 4, 5};
	char command[512];

	(void)state;
	snprintf(command, sizeof(command),
		 "cmp \"$PMEM_CRASH_OUTPUT\" %s/0.expected && printf zz >\"$PMEM_CRASH_OUTPUT\"", directory);
	use(command);
	contents.output = "12345";
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), "%s/0.expected", directory);
		file = fopen(path, "w");
		fwrite("12345", 1, lengths[i], file);
		fclose(file);
		contents.output_length = lengths[i];
		try();
		assert_true(verdict.passed);
	}
	remove_expected();
}

static void an_image_that_cannot_be_written_is_no_verdict(void **state)
{
	(void)state;
	use("true");
	contents.sizes[0] = UINT64_C(1) << 62; /* more than any file may have */
	contents.room[0] = SIZE;
	try();
	assert_true(verdict.could_not_start);
}

/* --- Commands ------------------------------------------------------------------------------ */

static void paths_are_quoted_for_the_shell(void **state)
{
	static const char *const paths[] = {"/dev/shm/it's a \"pool\" $HOME", "/dev/shm/second"};
	char *text = fill_in_paths("a {} {2} {1} {3} {x} {} {", paths, 2);

	(void)state;
	assert_string_equal(text,
			    "a '/dev/shm/it'\\''s a \"pool\" $HOME' /dev/shm/second "
			    "'/dev/shm/it'\\''s a \"pool\" $HOME' {3} {x} '/dev/shm/it'\\''s a \"pool\" $HOME' {");
	free(text);
	assert_int_equal(find_missing_path("a {} {2} {x}", 2), 0);
	assert_int_equal(find_missing_path("a {} {3}", 2), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exits_and_signals_are_told_apart, begin, end),
		cmocka_unit_test_setup_teardown(a_check_that_is_missing_is_no_verdict_unless_it_has_passed_once, begin,
						end),
		cmocka_unit_test_setup_teardown(a_hang_is_killed_at_the_limit_and_must_happen_twice, begin, end),
		cmocka_unit_test_setup_teardown(what_the_check_leaves_running_is_killed, begin, end),
		cmocka_unit_test_setup_teardown(long_output_is_kept_at_both_ends, begin, end),
		cmocka_unit_test_setup_teardown(damage_by_a_check_is_undone, begin, end),
		cmocka_unit_test_setup_teardown(units_lie_over_the_base_in_one_state_only, begin, end),
		cmocka_unit_test_setup_teardown(changes_of_the_base_arrive, begin, end),
		cmocka_unit_test_setup_teardown(the_size_is_part_of_a_state, begin, end),
		cmocka_unit_test_setup_teardown(what_is_left_beside_the_image_is_gone_at_the_next_check, begin, end),
		cmocka_unit_test_setup_teardown(the_promise_is_what_was_written_before_the_cut, begin, end),
		cmocka_unit_test_setup_teardown(an_image_that_cannot_be_written_is_no_verdict, begin, end),
		cmocka_unit_test(paths_are_quoted_for_the_shell),
	};

	return cmocka_run_group_tests_name("judge_process", tests, NULL, NULL);
}
