/* test_places.c: an event's site leads to the file, line and function that it came from */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "places.h"
#include "places_library.h"

#include "lines.h"

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A trace of this process, as the recorder writes it. */
static struct trace trace;

static void append(enum trace_kind kind, uint64_t site, uint64_t offset, uint64_t length, const char *payload,
		   unsigned flags)
{
	const uint32_t size = trace_event_size(payload ? strlen(payload) : 0);
	struct trace_event *event = calloc(1, size);

	assert_non_null(event);
	event->size = size;
	event->kind = (uint8_t)kind;
	event->flags = (uint8_t)flags;
	event->site = site;
	event->offset = offset;
	event->length = length;
	if (payload)
		memcpy(event->payload, payload, strlen(payload));
	assert_true(trace_append(&trace, event, size, 1));
	free(event);
}

static int append_module(struct dl_phdr_info *module, size_t size, void *arg)
{
	uint64_t low = UINT64_MAX, high = 0;
	char path[4096] = "";

	(void)size;
	(void)arg;
	for (int i = 0; i < module->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &module->dlpi_phdr[i];

		if (segment->p_type != PT_LOAD)
			continue;
		if (low > segment->p_vaddr)
			low = segment->p_vaddr & ~UINT64_C(4095);
		if (high < segment->p_vaddr + segment->p_memsz)
			high = segment->p_vaddr + segment->p_memsz;
	}
	if (module->dlpi_name[0])
		strncpy(path, module->dlpi_name, sizeof(path) - 1);
	else
		assert_true(readlink("/proc/self/exe", path, sizeof(path) - 1) > 0);
	append(TRACE_MODULE, 0, module->dlpi_addr + low, high - low, path, 0);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	trace = (struct trace){0};
	append(TRACE_THREAD, 0, (uint64_t)getpid(), 0, NULL, 0);
	dl_iterate_phdr(append_module, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	trace_free(&trace);
	return 0;
}

static struct place find(uint64_t site, enum trace_kind kind, unsigned flags)
{
	const struct trace_event *event = NULL, *next;
	struct place place;
	struct places *places;

	append(kind, site, 0, 8, "contents", flags);
	for (next = trace_next(&trace, NULL); next; next = trace_next(&trace, next))
		event = next;
	places = places_open(&trace);
	assert_non_null(places);
	places_find(places, event, &place);
	assert_ptr_equal(place.event, event);
	places_close(places);
	return place;
}

static void assert_place(struct place *place, const char *file, int line, const char *function)
{
	assert_non_null(place->file);
	assert_string_equal(strrchr(place->file, '/') ? strrchr(place->file, '/') + 1 : place->file, file);
	assert_int_equal(place->line, line);
	assert_string_equal(place->function, function);
	free(place->file);
	free(place->function);
}

__attribute__((noinline)) static uint64_t here(void)
{
	return (uint64_t)(uintptr_t)__builtin_return_address(0);
}

static volatile uint64_t site;
static volatile int line;

__attribute__((always_inline)) static inline void inlined_here(void)
{
	site = here(), line = __LINE__;
}

static void a_call_is_found_by_its_return_address(void **state)
{
	struct place place;

	(void)state;
	site = here(), line = __LINE__;
	place = find(site, TRACE_FLUSH, 0);
	assert_place(&place, "test_places.c", line, __func__);
}

static void the_innermost_inlined_function_is_named(void **state)
{
	struct place place;

	(void)state;
	inlined_here();
	place = find(site, TRACE_FLUSH, 0);
	assert_place(&place, "test_places.c", line, "inlined_here");
}

static void code_in_a_shared_library_is_found(void **state)
{
	struct place place;
	int where;

	(void)state;
	site = places_library_site(&where);
	place = find(site, TRACE_FLUSH, 0);
	assert_place(&place, "places_library.c", where, "places_library_site");
}

static void a_path_below_the_current_directory_is_relative_and_can_be_opened(void **state)
{
	char *before = getcwd(NULL, 0);
	struct place place;

	(void)state;
	assert_non_null(before);
	assert_int_equal(chdir(SOURCE_ROOT), 0);
	site = here();
	place = find(site, TRACE_FLUSH, 0);
	assert_string_equal(place.file, "tests/unit/test_places.c");
	assert_int_equal(access(place.file, R_OK), 0);
	free(place.file);
	free(place.function);
	assert_int_equal(chdir("/"), 0);
	place = find(site, TRACE_FLUSH, 0);
	assert_string_equal(place.file, SOURCE_ROOT "/tests/unit/test_places.c");
	free(place.file);
	free(place.function);
	assert_int_equal(chdir(before), 0);
	free(before);
}

static void a_store_found_by_comparing_has_no_line_but_one_by_which_it_was_made(void **state)
{
	struct place place;

	(void)state;
	site = here(), line = __LINE__;
	place = find(site, TRACE_STORE, STORE_OBSERVED);
	assert_null(place.file);
	assert_int_equal(place.line, 0);
	assert_string_equal(place.function, __func__);
	assert_non_null(strstr(place.seen_file, "test_places.c"));
	assert_int_equal(place.seen_line, line);
	free(place.seen_file);
	free(place.function);
}

static void unknown_code_has_no_place(void **state)
{
	struct place place;

	(void)state;
	place = find(0, TRACE_FLUSH, 0);
	assert_null(place.file);
	assert_null(place.function);
	place = find(4096, TRACE_FLUSH, 0);
	assert_null(place.file);
	assert_null(place.function);
}

/* A library that was closed, and another mapped where it was: the event tells the time. */
static void code_that_took_anothers_place_is_not_taken_for_it(void **state)
{
	struct place place;

	(void)state;
	site = here(), line = __LINE__;
	place = find(site, TRACE_FLUSH, 0);
	assert_place(&place, "test_places.c", line, __func__);
	append(TRACE_MODULE, 0, site & ~UINT64_C(4095), 8192, "/nonexistent", 0);
	place = find(site, TRACE_FLUSH, 0);
	assert_null(place.file);
}

static void what_is_missing_is_told(void **state)
{
	struct places *places;
	struct place place;
	const struct trace_event *event = NULL, *next;

	(void)state;
	append(TRACE_MODULE, 0, 0x10000, 4096, "/usr/bin/env", 0);
	append(TRACE_FLUSH, 0x10010, 0, 8, NULL, 0);
	for (next = trace_next(&trace, NULL); next; next = trace_next(&trace, next))
		event = next;
	places = places_open(&trace);
	assert_null(places_missing(places));
	places_find(places, event, &place);
	assert_null(place.file);
	assert_non_null(strstr(places_missing(places), "/usr/bin/env has no debug information"));
	places_close(places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_call_is_found_by_its_return_address, begin, end),
		cmocka_unit_test_setup_teardown(the_innermost_inlined_function_is_named, begin, end),
		cmocka_unit_test_setup_teardown(code_in_a_shared_library_is_found, begin, end),
		cmocka_unit_test_setup_teardown(a_path_below_the_current_directory_is_relative_and_can_be_opened, begin,
						end),
		cmocka_unit_test_setup_teardown(a_store_found_by_comparing_has_no_line_but_one_by_which_it_was_made,
						begin, end),
		cmocka_unit_test_setup_teardown(unknown_code_has_no_place, begin, end),
		cmocka_unit_test_setup_teardown(code_that_took_anothers_place_is_not_taken_for_it, begin, end),
		cmocka_unit_test_setup_teardown(what_is_missing_is_told, begin, end),
	};

	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
