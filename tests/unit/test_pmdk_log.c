/* test_pmdk_log.c: who is told what, by the log of libpmem.h */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#define PMEM_BUILD /* both interfaces in one file, as in the library */
#include "test_file.h"

#include <errno.h>
#include <libpmem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static unsigned messages;
static enum pmem_log_level level_of_last;
static char last[2000];

static void note(enum pmem_log_level level, const char *file_name, unsigned line_no, const char *function_name,
		 const char *message)
{
	assert_string_equal(file_name, "libpmem");
	assert_int_equal(line_no, 0);
	assert_string_equal(function_name, "");
	messages++;
	level_of_last = level;
	snprintf(last, sizeof(last), "%s", message);
	errno = ERANGE; /* nobody may see this */
}

static int set_up(void **state)
{
	(void)state;
	messages = 0;
	return pmem_log_set_function(note);
}

static int tear_down(void **state)
{
	(void)state;
	return pmem_log_set_function(PMEM_LOG_USE_DEFAULT_FUNCTION) |
	       pmem_log_set_threshold(PMEM_LOG_THRESHOLD, PMEM_LOG_LEVEL_WARNING) |
	       pmem_log_set_threshold(PMEM_LOG_THRESHOLD_AUX, PMEM_LOG_LEVEL_HARK);
}

static void fail_once(void)
{
	assert_null(pmem_map_file("/not/there", 0, 0, 0, NULL, NULL));
	assert_int_equal(errno, ENOENT);
}

static void a_failure_is_told_once_with_its_message(void **state)
{
	(void)state;
	fail_once();
	assert_int_equal(messages, 1);
	assert_int_equal(level_of_last, PMEM_LOG_LEVEL_ERROR);
	assert_string_equal(last, pmem_errormsg());
	assert_non_null(strstr(last, "/not/there"));
}

static void the_threshold_keeps_messages_back(void **state)
{
	(void)state;
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD, PMEM_LOG_LEVEL_FATAL), 0);
	fail_once();
	assert_int_equal(messages, 0);
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD, PMEM_LOG_LEVEL_ERROR), 0);
	fail_once();
	assert_int_equal(messages, 1);
}

static void a_notice_tells_why_a_file_is_not_persistent_memory(void **state)
{
	char path[4096];
	int fd = test_file_at(page(), path), is_pmem = 1;
	size_t length;
	void *at;

	(void)state;
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD, PMEM_LOG_LEVEL_NOTICE), 0);
	at = pmem_map_file(path, 0, 0, 0, &length, &is_pmem);
	assert_non_null(at);
	assert_int_equal(messages, is_pmem ? 0 : 1);
	if (!is_pmem) {
		assert_int_equal(errno, EOPNOTSUPP);
		assert_int_equal(level_of_last, PMEM_LOG_LEVEL_NOTICE);
		assert_non_null(strstr(last, path));
		assert_non_null(strstr(last, "not persistent memory: "));
		assert_true(strlen(strstr(last, "memory: ")) > 20);
	}
	pmem_unmap(at, length);
	unlink(path);
	close(fd);
}

static void thresholds_are_checked_and_told(void **state)
{
	enum pmem_log_level level;

	(void)state;
	assert_int_equal(pmem_log_get_threshold(PMEM_LOG_THRESHOLD, &level), 0);
	assert_int_equal(level, PMEM_LOG_LEVEL_WARNING);
	assert_int_equal(pmem_log_get_threshold(PMEM_LOG_THRESHOLD_AUX, &level), 0);
	assert_int_equal(level, PMEM_LOG_LEVEL_HARK);
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD_AUX, PMEM_LOG_LEVEL_DEBUG), 0);
	assert_int_equal(pmem_log_get_threshold(PMEM_LOG_THRESHOLD_AUX, &level), 0);
	assert_int_equal(level, PMEM_LOG_LEVEL_DEBUG);
	errno = 0;
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD_AUX, PMEM_LOG_LEVEL_DEBUG + 1), EINVAL);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(pmem_log_set_threshold((enum pmem_log_threshold)2, PMEM_LOG_LEVEL_DEBUG), EINVAL);
	assert_int_equal(pmem_log_set_threshold((enum pmem_log_threshold) - 1, PMEM_LOG_LEVEL_DEBUG), EINVAL);
	assert_int_equal(pmem_log_get_threshold((enum pmem_log_threshold)2, &level), EINVAL);
	assert_int_equal(pmem_log_get_threshold(PMEM_LOG_THRESHOLD, NULL), EINVAL);
}

/* What fail_once() writes to stderr; stderr is put back before anything is judged. */
static ssize_t stderr_of_failure(char *text, size_t size)
{
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t length;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	fail_once();
	dup2(saved, STDERR_FILENO);
	close(saved);
	length = read(ends[0], text, size - 1);
	close(ends[0]);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

static void the_default_is_silent_until_it_is_asked_to_speak(void **state)
{
	char text[3000];

	(void)state;
	assert_int_equal(pmem_log_set_function(NULL), 0);
	assert_int_equal(stderr_of_failure(text, sizeof(text)), 0);
	assert_int_equal(pmem_log_set_threshold(PMEM_LOG_THRESHOLD_AUX, PMEM_LOG_LEVEL_ERROR), 0);
	assert_true(stderr_of_failure(text, sizeof(text)) > 0);
	assert_int_equal(strncmp(text, "libpmem: error: /not/there", 26), 0);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_int_equal(messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failure_is_told_once_with_its_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_threshold_keeps_messages_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_notice_tells_why_a_file_is_not_persistent_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thresholds_are_checked_and_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_default_is_silent_until_it_is_asked_to_speak, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("pmdk_log", tests, NULL, NULL);
}
