/* test_pmem_crash.c: pmem_crash.h: a queue in a pool, right and wrong, and what the functions promise */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Built twice: with a plain compiler, and with hooks (WITH_HOOKS).
 */
#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <pmem_crash.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LENGTH_MAX = 64, APPENDED = 12 };

/* The length says how many elements are there: it comes last. */
struct queue {
	uint64_t length;
	uint64_t unused[7];
	struct element {
		uint64_t value, check;
	} elements[LENGTH_MAX];
};

static uint64_t check_of(uint64_t value)
{
	return value * 0x9e3779b97f4a7c15u + 1;
}

/* What is wrong with a queue that a test appends to. */
enum mistake { NONE, NO_PERSIST, NO_FENCE, LENGTH_FIRST, EARLY_PROMISE };

static void append(struct queue *queue, uint64_t value, enum mistake mistake)
{
	struct element *element = &queue->elements[queue->length];

	if (mistake == LENGTH_FIRST) {
		queue->length++;
		pmem_persist(&queue->length, sizeof(queue->length), 0);
	}
	element->value = value;
	element->check = check_of(value);
	if (mistake == NO_FENCE)
		pmem_flush_cache(element, sizeof(*element), 0);
	else if (mistake != NO_PERSIST)
		pmem_persist(element, sizeof(*element), 0);
	if (mistake == LENGTH_FIRST)
		return;
	queue->length++;
	if (mistake == EARLY_PROMISE)
		pmem_crash_acknowledge(value);
	pmem_persist(&queue->length, sizeof(queue->length), 0);
}

static int run(void *pool, size_t size, void *arg)
{
	const enum mistake mistake = *(const enum mistake *)arg;

	(void)size;
	for (uint64_t value = 1; value <= APPENDED; value++) {
		append(pool, value, mistake);
		if (mistake != EARLY_PROMISE)
			pmem_crash_acknowledge(value);
	}
	return 0;
}

/* Recovery writes: it clears what lies behind the last element. */
static int check(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	struct queue *queue = pool;

	(void)size;
	(void)arg;
	if (queue->length > LENGTH_MAX || queue->length < promises->count)
		return 1;
	for (uint64_t i = 0; i < queue->length; i++) {
		if (queue->elements[i].value != i + 1 || queue->elements[i].check != check_of(i + 1))
			return 2;
	}
	memset(&queue->elements[queue->length], 0, sizeof(struct element));
	pmem_persist(&queue->elements[queue->length], sizeof(struct element), 0);
	return 0;
}

static struct pmem_crash_test queue_test(enum mistake *mistake)
{
	return (struct pmem_crash_test){
		.sz = sizeof(struct pmem_crash_test),
		.name = "queue",
		.pool_size = 1 << 20,
		.run = run,
		.check = check,
		.arg = mistake,
		.flags = PMEM_CRASH_QUIET,
		.budget = 30,
	};
}

static void a_right_queue_is_clean(void **unused)
{
	enum mistake mistake = NONE;
	const struct pmem_crash_test test = queue_test(&mistake);
	struct pmem_crash_summary summary = {.sz = sizeof(summary)};

	(void)unused;
	assert_int_equal(pmem_crash_explore(&test, &summary), 0);
	assert_true(summary.complete);
	assert_false(summary.isolated);
	assert_true(summary.failure_points > 2 * APPENDED);
	assert_true(summary.states > summary.failure_points / 2);
}

static void a_wrong_queue_is_one_finding(void **unused)
{
	static const struct {
		const char *name;
		enum mistake mistake;
		const char *kind;
	} cases[] = {
		{"no persist", NO_PERSIST, "lost"},
		{"no fence", NO_FENCE, "lost"},
		{"length first", LENGTH_FIRST, WITH_HOOKS ? "early" : "cut"},
		{"promise first", EARLY_PROMISE, "lost"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum mistake mistake = cases[i].mistake;
		struct pmem_crash_test test = queue_test(&mistake);
		struct pmem_crash_summary summary = {.sz = sizeof(summary)};
		char json[] = "/tmp/queue.XXXXXX", text[65536] = "", kind[32];
		const int fd = mkstemp(json);
		ssize_t length;

		test.json = json;
		if (pmem_crash_explore(&test, &summary) != 1)
			fail_msg("%s: not one finding", cases[i].name);
		assert_int_equal(summary.findings, 1);
		assert_true(summary.complete);
		length = read(fd, text, sizeof(text) - 1);
		assert_true(length > 0);
		snprintf(kind, sizeof(kind), "\"kind\":\"%s\"", cases[i].kind);
		for (char *from = text, *to = text; (*to = *from); from++)
			to += *from != ' ';
		if (!strstr(text, kind))
			fail_msg("%s: not %s: %s", cases[i].name, kind, text);
		if (WITH_HOOKS && !strstr(text, "test_pmem_crash.c"))
			fail_msg("no source line: %s", text);
		close(fd);
		unlink(json);
	}
}

static void each_check_can_have_a_process_of_its_own(void **unused)
{
	enum mistake mistake = NO_PERSIST;
	struct pmem_crash_test test = queue_test(&mistake);
	struct pmem_crash_summary summary = {.sz = sizeof(summary)};

	(void)unused;
	test.flags |= PMEM_CRASH_ISOLATED;
	assert_int_equal(pmem_crash_explore(&test, &summary), 1);
	assert_true(summary.isolated);
}

static int fails(void *pool, size_t size, void *arg)
{
	(void)pool, (void)size, (void)arg;
	return 1;
}

static int never_passes(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	(void)pool, (void)size, (void)promises, (void)arg;
	return 3;
}

static int explores_again(void *pool, size_t size, void *arg)
{
	enum mistake mistake = NONE;
	const struct pmem_crash_test test = queue_test(&mistake);

	(void)pool, (void)size, (void)arg;
	return pmem_crash_explore(&test, NULL) == -1 && errno == EBUSY ? 1 : 0;
}

static void no_size(struct pmem_crash_test *test)
{
	test->sz = 8;
}

static void no_run(struct pmem_crash_test *test)
{
	test->run = NULL;
}

static void no_check(struct pmem_crash_test *test)
{
	test->check = NULL;
}

static void empty_pool(struct pmem_crash_test *test)
{
	test->pool_size = 0;
}

static void unknown_model(struct pmem_crash_test *test)
{
	test->model = (enum pmem_crash_model)7;
}

static void unknown_flag(struct pmem_crash_test *test)
{
	test->flags = 0x80;
}

static void budget_below_0(struct pmem_crash_test *test)
{
	test->budget = -1;
}

static void setup_that_fails(struct pmem_crash_test *test)
{
	test->setup = fails;
}

static void run_that_fails(struct pmem_crash_test *test)
{
	test->run = fails;
}

static void check_that_never_passes(struct pmem_crash_test *test)
{
	test->check = never_passes;
}

static void one_inside_of_another(struct pmem_crash_test *test)
{
	test->run = explores_again;
}

static void report_nowhere(struct pmem_crash_test *test)
{
	test->html = "/nowhere/at/all";
}

/* What is refused is told on stderr, where nobody wants to read it here. */
static int explore_in_silence(const struct pmem_crash_test *test)
{
	const int before = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);
	int result, error;

	dup2(nowhere, STDERR_FILENO);
	result = pmem_crash_explore(test, NULL);
	error = errno;
	dup2(before, STDERR_FILENO);
	close(before);
	close(nowhere);
	errno = error;
	return result;
}

static void what_cannot_run_is_an_error(void **unused)
{
	static const struct {
		const char *name;
		void (*spoil)(struct pmem_crash_test *test);
		int error;
	} cases[] = {
		{"no size", no_size, EINVAL},
		{"no run", no_run, EINVAL},
		{"no check", no_check, EINVAL},
		{"an empty pool", empty_pool, EINVAL},
		{"an unknown model", unknown_model, EINVAL},
		{"an unknown flag", unknown_flag, EINVAL},
		{"a budget below 0", budget_below_0, EINVAL},
		{"a setup that fails", setup_that_fails, ECANCELED},
		{"a run that fails", run_that_fails, ECANCELED},
		{"a check that never passes", check_that_never_passes, ECANCELED},
		{"an exploration inside of another", one_inside_of_another, ECANCELED},
		{"a report that cannot be written", report_nowhere, ENOENT},
	};
	enum mistake mistake = NONE;

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pmem_crash_test test = queue_test(&mistake);

		cases[i].spoil(&test);
		errno = 0;
		if (explore_in_silence(&test) != -1 || errno != cases[i].error)
			fail_msg("%s: %s", cases[i].name, strerror(errno));
	}
}

static int stores_twice(void *pool, size_t size, void *arg)
{
	uint64_t *words = pool;

	(void)size, (void)arg;
	words[0] = 1;
	words[1] = 1;
	pmem_persist(pool, 16, 0);
	return 0;
}

static int first_is_not_behind(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	const uint64_t *words = pool;

	(void)size, (void)promises, (void)arg;
	return words[0] < words[1] ? 1 : 0;
}

static int second_is_not_behind(void *pool, size_t size, const struct pmem_crash_promises *promises, void *arg)
{
	const uint64_t *words = pool;

	(void)size, (void)promises, (void)arg;
	return words[1] < words[0] ? 1 : 0;
}

/* Without hooks a line is old or new: no order inside of it is claimed. */
static void the_order_inside_a_line_is_known_with_hooks_alone(void **unused)
{
	struct pmem_crash_test test = {
		.sz = sizeof(test),
		.pool_size = 4096,
		.run = stores_twice,
		.check = first_is_not_behind,
		.flags = PMEM_CRASH_QUIET,
	};

	(void)unused;
	assert_int_equal(pmem_crash_explore(&test, NULL), 0);
	test.check = second_is_not_behind;
	assert_int_equal(pmem_crash_explore(&test, NULL), WITH_HOOKS);
}

static void a_promise_outside_of_a_run_is_nothing(void **unused)
{
	(void)unused;
	pmem_crash_acknowledge(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_right_queue_is_clean),
		cmocka_unit_test(a_wrong_queue_is_one_finding),
		cmocka_unit_test(each_check_can_have_a_process_of_its_own),
		cmocka_unit_test(what_cannot_run_is_an_error),
		cmocka_unit_test(the_order_inside_a_line_is_known_with_hooks_alone),
		cmocka_unit_test(a_promise_outside_of_a_run_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
