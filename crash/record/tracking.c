/* tracking.c: which pages of the pools were stored to: the kernel knows */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing a large pool takes milliseconds. Since Linux 6.7 a mapping can be
 * write-protected so that the kernel notes the first store to each page without
 * telling anybody, and one ioctl of /proc/self/pagemap tells the pages and
 * protects them anew. Where there is no such thing, or userfaultfd is not
 * allowed, pools are compared whole, and less often.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/fs.h> and <linux/userfaultfd.h> in Linux 6.7; Debian 12 has older ones. */
struct scan_request {
	uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
	uint64_t inverted, all_of, any_of, returned;
};

struct scan_region {
	uint64_t start, end, categories;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_request)

enum {
	SCAN_PROTECT = 1 << 0,
	SCAN_PROTECTED_ASYNC_ONLY = 1 << 1, /* an error where the mapping is not tracked */
	CATEGORY_WRITTEN = 1 << 1,
	FEATURE_WRITE_PROTECT_ASYNC = 1 << 15,
	REGIONS = 256,
	HIGH_DESCRIPTOR = 1000, /* out of the way of the program's own */
	UNKNOWN = -1,
	UNAVAILABLE = -2,
};

static int tracker = UNKNOWN;

static int open_tracker(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_WRITE_PROTECT_ASYNC};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	int high;

	if (fd < 0)
		return UNAVAILABLE;
	if (ioctl(fd, UFFDIO_API, &api) < 0) {
		syscall(SYS_close, fd);
		return UNAVAILABLE;
	}
	high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	if (high < 0)
		return fd;
	syscall(SYS_close, fd);
	return high;
}

bool tracking_begin(const void *address, size_t length)
{
	struct uffdio_register range = {
		.range = {.start = (uintptr_t)address, .len = length},
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	const int error = errno;
	bool begun;

	if (!recording.on || recording.instrumented || length < TRACKING_PAYS)
		return false;
	if (tracker == UNKNOWN)
		tracker = open_tracker();
	begun = tracker >= 0 && ioctl(tracker, UFFDIO_REGISTER, &range) == 0;
	errno = error;
	return begun;
}

void tracking_forget(void)
{
	tracker = UNKNOWN;
}

static bool scan(int pagemap, uintptr_t start, uintptr_t end,
		 void (*found)(const void *start, size_t length, void *argument), void *argument)
{
	struct scan_region regions[REGIONS];
	struct scan_request request = {
		.size = sizeof(request),
		.flags = SCAN_PROTECT | SCAN_PROTECTED_ASYNC_ONLY,
		.start = start,
		.end = end,
		.regions = (uintptr_t)regions,
		.region_count = REGIONS,
		.all_of = CATEGORY_WRITTEN,
		.returned = CATEGORY_WRITTEN,
	};

	while (request.start < end) {
		const int count = ioctl(pagemap, SCAN_IOCTL, &request);

		if (count < 0)
			return false;
		for (int i = 0; i < count; i++)
			found((const void *)(uintptr_t)regions[i].start, regions[i].end - regions[i].start, argument);
		request.start = request.walk_end;
	}
	return true;
}

bool tracking_written(const void *address, size_t length,
		      void (*found)(const void *start, size_t length, void *argument), void *argument)
{
	const int error = errno;
	const int pagemap = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	bool done;

	if (pagemap < 0) {
		errno = error;
		return false;
	}
	done = scan(pagemap, (uintptr_t)address, (uintptr_t)address + length, found, argument);
	syscall(SYS_close, pagemap);
	errno = error;
	return done;
}
