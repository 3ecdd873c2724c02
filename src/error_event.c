/* error_event.c: what a SIGBUS says of the memory that it is about */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs in signal handlers: no lock, no allocation, no message.
 * Sources: sigaction(2) for si_code and si_addr_lsb; the kernel's
 * mm/memory-failure.c for which signal is sent when.
 */
#define _GNU_SOURCE
#include "pages.h"

#include <errno.h>
#include <pmem.h>
#include <signal.h>

/* The unit that is lost is a power of two with this exponent; 0 where the kernel says nothing. */
static size_t lost_unit(const siginfo_t *info)
{
	const int exponent = info->si_addr_lsb;
	const size_t page = page_size();

	if (info->si_code == BUS_ADRERR || exponent < 0 || exponent >= 63 || (size_t)1 << exponent < page)
		return page;
	return (size_t)1 << exponent;
}

static int describe(const siginfo_t *info, struct pmem_error_info *out)
{
	switch (info->si_code) {
	case BUS_MCEERR_AR:
		out->cause = PMEM_ERROR_CONSUMED;
		out->message = "the memory has lost what was stored here";
		break;
	case BUS_MCEERR_AO:
		out->cause = PMEM_ERROR_FOUND;
		out->message = "the memory was found to have lost what was stored here";
		break;
	case BUS_ADRERR:
		out->cause = PMEM_ERROR_NO_PAGE;
		out->message = "no page could be had: beyond the end of the file, file system full, or a bad block";
		break;
	default:
		return -1;
	}
	out->resumable = info->si_code == BUS_MCEERR_AO;
	return 0;
}

int pmem_get_error_info(const siginfo_t *info, struct pmem_error_info *out)
{
	size_t unit;

	if (out->sz < sizeof(*out) || info->si_signo != SIGBUS || describe(info, out) < 0) {
		errno = EINVAL;
		return -1;
	}
	unit = lost_unit(info);
	out->addr = (const void *)((uintptr_t)info->si_addr & ~(uintptr_t)(unit - 1));
	out->len = unit;
	return 0;
}
