/* poison.c: memory errors reach a mapping as SIGBUS: poison hwpoison|listed|machine-check|nothing FILE|DEVICE */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "memory_error.h"
#include "report.h"

#include <pmem.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

static enum pmem_error_cause cause_of(int code)
{
	if (code == BUS_MCEERR_AO)
		return PMEM_ERROR_FOUND;
	return code == BUS_MCEERR_AR ? PMEM_ERROR_CONSUMED : PMEM_ERROR_NO_PAGE;
}

/* Is the signal, decoded, this range, for the cause that the kernel gave? */
static bool is_decoded(uintptr_t address, size_t unit)
{
	struct pmem_error_info info = {.sz = sizeof(info)};

	if (pmem_get_error_info(&bus_error, &info) < 0)
		return false;
	note("%s: %zu bytes, resumable %d", info.message, info.len, info.resumable);
	return (uintptr_t)info.addr == address && info.len == unit && info.cause == cause_of(bus_error.si_code) &&
	       info.resumable == (bus_error.si_code == BUS_MCEERR_AO);
}

/* The SIGBUS that was caught: its address must be in the page, its unit one that the kernel gave. */
static void expect_bus_error(const char *bad, bool raised, const char *name)
{
	const uintptr_t unit = (uintptr_t)1 << (bus_error.si_addr_lsb ? bus_error.si_addr_lsb : 12);
	const uintptr_t address = (uintptr_t)bus_error.si_addr & ~(unit - 1);

	expect(raised, "%s", name);
	note("code %d, address +%jd, lsb %d", bus_error.si_code, (intmax_t)((char *)bus_error.si_addr - (bad - BAD)),
	     bus_error.si_addr_lsb);
	expect(raised && address == ((uintptr_t)bad & ~(unit - 1)), "the signal has the address of the bad page");
	expect(is_decoded(address, unit), "pmem_get_error_info decodes it");
}

/* --- Three ways to have an error --------------------------------------------------------- */

/* The kernel is told that the page is bad, and treats this as if the load had found it. */
static void poison_and_load(char *at)
{
	if (madvise(at, PAGE, MADV_HWPOISON) < 0)
		give_up("MADV_HWPOISON");
	load(at);
}

static void poison_page(int fd)
{
	char *base = map_media(fd);

	expect(!raises(load, base + BAD), "before, the page can be loaded");
	expect_bus_error(base + BAD, raises(poison_and_load, base + BAD), "poison in a mapped page raises SIGBUS");
	expect(bus_error.si_code == BUS_MCEERR_AR, "the signal says that action is required");
}

/* The disk's list says that some sectors are bad, as after a boot with known errors. */
static void load_what_is_listed(int fd)
{
	const uint64_t sector = sector_of(fd, BAD);
	char *base = map_media(fd), folder[4096];

	pmem_unmap(base, SIZE); /* what is in the page tables would not be asked about */
	device_folder(fd, false, folder);
	list_sectors(folder, sector, PAGE / SECTOR);
	expect(lists_sector(folder, sector), "the sector is in the disk's list");
	base = pmem_map(fd, SIZE);
	expect(base && !raises(load, base), "other pages can be loaded");
	expect_bus_error(base + BAD, raises(load, base + BAD + 8), "a load from the bad page raises SIGBUS");
}

static void wait_for_signal(char *at)
{
	(void)at;
	usleep(100000);
}

/*
 * An error that the hardware found in patrol: a process that wants to know early
 * is told while it maps the page; others learn it from the lists and by loading.
 */
static void take_machine_check(int fd)
{
	char *base = map_media(fd), folder[4096];
	const uint64_t physical = physical_address(base + BAD);
	bool told = false;

	if (prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0) < 0)
		give_up("PR_MCE_KILL");
	ask_for_machine_check(physical);
	for (int i = 0; i < 200 && !told; i++)
		told = raises(wait_for_signal, base + BAD);
	expect_bus_error(base + BAD, told, "a process that maps the page gets SIGBUS");
	expect(bus_error.si_code == BUS_MCEERR_AO, "the signal says that action is optional");
	device_folder(fd, true, folder);
	expect(lists_sector(folder, (physical - resource_of(folder)) / SECTOR), "the sector is in the region's list");
	device_folder(fd, false, folder);
	expect(lists_sector(folder, sector_of(fd, BAD)), "the sector is in the disk's list");
	pmem_unmap(base, SIZE);
	base = pmem_map(fd, SIZE);
	expect_bus_error(base + BAD, base && raises(load, base + BAD), "a load through a new mapping raises SIGBUS");
}

/* The negative: without an error this fails. */
static void find_no_error(int fd)
{
	char *base = map_media(fd);

	expect_bus_error(base + BAD, raises(load, base + BAD), "a load from a good page raises SIGBUS");
}

int main(int argc, char *argv[])
{
	int fd;

	if (argc != 3)
		give_up("usage: poison hwpoison|listed|machine-check|nothing FILE|DEVICE");
	fd = open_media(argv[2]);
	catch_bus_errors();
	if (strcmp(argv[1], "hwpoison") == 0)
		poison_page(fd);
	else if (strcmp(argv[1], "listed") == 0)
		load_what_is_listed(fd);
	else if (strcmp(argv[1], "machine-check") == 0)
		take_machine_check(fd);
	else
		find_no_error(fd);
	return report_status();
}
