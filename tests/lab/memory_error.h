/* memory_error.h: ways to have memory errors in the lab, and to see them */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMORY_ERROR_H
#define MEMORY_ERROR_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Each test program has a file of this size, or the beginning of a device, and one bad place in it. */
enum {
	PAGE = 4096,
	SECTOR = 512,
	SIZE = 2 << 20,
	BAD = 5 * PAGE,
};

/* The last SIGBUS. */
extern siginfo_t bus_error;

void catch_bus_errors(void);

/* Does the action raise SIGBUS? */
bool raises(void (*action)(char *at), char *at);

/* An action: loads the byte. */
void load(char *at);

/* An open file whose blocks are there, or the device. */
int open_media(const char *path);

/* A mapping whose pages are there and hold something. */
char *map_media(int fd);

/* The folder in /sys of the device that a file is on, or of its region. */
void device_folder(int fd, bool region, char folder[4096]);

/* The physical address of a device or region. */
uint64_t resource_of(const char *folder);

/* Is the sector in the folder's list? It is filled in after the signal: this waits up to five seconds. */
bool lists_sector(const char *folder, uint64_t sector);

/* Puts sectors on a disk's list, as after a boot with known errors. */
void list_sectors(const char *folder, uint64_t sector, unsigned count);

/* The sector of its device that an offset of a file is in. */
uint64_t sector_of(int fd, off_t offset);

uint64_t physical_address(const char *at);

/* The host sends a machine check for that address. */
void ask_for_machine_check(uint64_t physical);

#endif
