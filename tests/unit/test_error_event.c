/* test_error_event.c: every SIGBUS that Linux sends, decoded; and a real one, in its handler */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "test_file.h"

#include <errno.h>
#include <pmem.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOT_AN_EVENT = 0 };

static const struct event {
	const char *name;
	int code;
	short exponent; /* si_addr_lsb */
	uintptr_t at;
	int cause; /* enum pmem_error_cause */
	uintptr_t start;
	size_t len; /* 0: a page */
	int resumable;
} events[] = {
	{"poison consumed, in a page", BUS_MCEERR_AR, 12, 0x7f0000005678, PMEM_ERROR_CONSUMED, 0x7f0000005000, 4096, 0},
	{"poison consumed, in 2 MiB", BUS_MCEERR_AR, 21, 0x7f0000345678, PMEM_ERROR_CONSUMED, 0x7f0000200000, 2 << 20,
	 0},
	{"poison consumed, unit not told", BUS_MCEERR_AR, 0, 0x7f0000005678, PMEM_ERROR_CONSUMED, 0x7f0000005000, 0, 0},
	{"a unit below a page", BUS_MCEERR_AR, 6, 0x7f0000005678, PMEM_ERROR_CONSUMED, 0x7f0000005000, 0, 0},
	{"a unit that cannot be", BUS_MCEERR_AR, 64, 0x7f0000005678, PMEM_ERROR_CONSUMED, 0x7f0000005000, 0, 0},
	{"poison found early", BUS_MCEERR_AO, 12, 0x7f0000005000, PMEM_ERROR_FOUND, 0x7f0000005000, 4096, 1},
	{"poison found early, in 2 MiB", BUS_MCEERR_AO, 21, 0x7f0000200000, PMEM_ERROR_FOUND, 0x7f0000200000, 2 << 20,
	 1},
	{"no page", BUS_ADRERR, 0, 0x7f0000005fff, PMEM_ERROR_NO_PAGE, 0x7f0000005000, 0, 0},
	{"no page, a unit that means nothing", BUS_ADRERR, 21, 0x7f0000005fff, PMEM_ERROR_NO_PAGE, 0x7f0000005000, 0,
	 0},
	{"unaligned", BUS_ADRALN, 0, 0x7f0000005001, NOT_AN_EVENT, 0, 0, 0},
	{"from kill", SI_USER, 0, 0, NOT_AN_EVENT, 0, 0, 0},
	{"from sigqueue", SI_QUEUE, 0, 0, NOT_AN_EVENT, 0, 0, 0},
};

static siginfo_t signal_info(int code, short exponent, uintptr_t at)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_signo = SIGBUS;
	info.si_code = code;
	info.si_addr = (void *)at;
	info.si_addr_lsb = exponent;
	return info;
}

static void every_signal_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct event *event = &events[i];
		const siginfo_t info = signal_info(event->code, event->exponent, event->at);
		struct pmem_error_info out = {.sz = sizeof(out)};
		const size_t len = event->len ? event->len : page();
		int result;

		errno = 77;
		result = pmem_get_error_info(&info, &out);
		if (event->cause == NOT_AN_EVENT) {
			if (result != -1 || errno != EINVAL)
				fail_msg("%s: %d, errno %d", event->name, result, errno);
			continue;
		}
		if (result != 0 || errno != 77 || out.addr != (void *)event->start || out.len != len ||
		    (int)out.cause != event->cause || out.resumable != event->resumable || strlen(out.message) < 10)
			fail_msg("%s: %d, errno %d, %zu bytes at %p, cause %d, resumable %d", event->name, result,
				 errno, out.len, out.addr, (int)out.cause, out.resumable);
	}
}

static void what_is_no_bus_error_is_refused(void **state)
{
	siginfo_t info = signal_info(BUS_MCEERR_AR, 12, 0);
	struct pmem_error_info out = {.sz = 0};

	(void)state;
	assert_int_equal(pmem_get_error_info(&info, &out), -1);
	assert_int_equal(errno, EINVAL);
	out.sz = sizeof(out);
	info.si_signo = SIGSEGV;
	assert_int_equal(pmem_get_error_info(&info, &out), -1);
	assert_int_equal(errno, EINVAL);
}

static sigjmp_buf back;
static struct pmem_error_info seen;
static int decoded;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	seen.sz = sizeof(seen);
	decoded = pmem_get_error_info(info, &seen);
	siglongjmp(back, 1);
}

static void a_real_one_is_decoded_in_its_handler(void **state)
{
	const struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction before;
	const int fd = test_file(2 * page());
	char *base = mmap(NULL, 2 * page(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)state;
	assert_ptr_not_equal(base, MAP_FAILED);
	assert_int_equal(ftruncate(fd, (off_t)page()), 0);
	sigaction(SIGBUS, &action, &before);
	decoded = -1;
	if (sigsetjmp(back, 1) == 0) {
		(void)*(volatile char *)(base + page() + 100);
		fail_msg("no SIGBUS");
	}
	sigaction(SIGBUS, &before, NULL);
	assert_int_equal(decoded, 0);
	assert_ptr_equal(seen.addr, base + page());
	assert_int_equal(seen.len, page());
	assert_int_equal(seen.cause, PMEM_ERROR_NO_PAGE);
	munmap(base, 2 * page());
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_signal_is_decoded),
		cmocka_unit_test(what_is_no_bus_error_is_refused),
		cmocka_unit_test(a_real_one_is_decoded_in_its_handler),
	};

	return cmocka_run_group_tests_name("error_event", tests, NULL, NULL);
}
