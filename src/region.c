/* region.c: the NVDIMM regions of a file, or of the machine */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cancel.h"
#include "classify.h"
#include "sysfs.h"

#include <pmem.h>
#include <string.h>

struct visitor {
	int (*each)(const struct pmem_region *region, void *arg);
	void *arg;
	int result;
};

static int add_length(uint64_t start, uint64_t length, void *arg)
{
	int64_t *bytes = arg;

	(void)start;
	*bytes += (int64_t)length;
	return 0;
}

static int64_t bad_bytes_of(const char *directory)
{
	int64_t bytes = 0;

	return sysfs_each_bad_of_region(directory, add_length, &bytes) == 0 ? bytes : -1;
}

static int visit(const char *directory, void *arg)
{
	const struct visitor *visitor = arg;
	char provider[32], devices[256];
	uint64_t shutdowns;
	struct pmem_region region = {
		.sz = sizeof(region),
		.directory = directory,
		.name = strrchr(directory, '/') + 1,
		.provider = provider,
		.devices = devices,
		.domain = sysfs_region_domain(directory),
		.numa_node = -1,
		.unsafe_shutdowns = -1,
		.bad_bytes = bad_bytes_of(directory),
	};

	sysfs_region_provider(directory, provider, sizeof(provider));
	sysfs_region_devices(directory, devices, sizeof(devices));
	sysfs_region_size(directory, &region.size);
	sysfs_region_numa_node(directory, &region.numa_node);
	if (sysfs_region_unsafe_shutdowns(directory, &shutdowns))
		region.unsafe_shutdowns = (int64_t)shutdowns;
	return visitor->each(&region, visitor->arg);
}

static void visit_until_stopped(const char *directory, void *arg)
{
	struct visitor *visitor = arg;

	if (visitor->result == 0)
		visitor->result = visit(directory, visitor);
}

static int visit_file(int fd, struct visitor *visitor)
{
	struct target target;

	if (target_of(fd, &target) < 0)
		return -1;
	sysfs_regions(target.kind, target.major, target.minor, visit_until_stopped, visitor);
	return visitor->result;
}

int pmem_each_region(int fd, int (*each)(const struct pmem_region *region, void *arg), void *arg)
{
	struct visitor visitor = {.each = each, .arg = arg};
	const int cancel = cancel_forbid();
	const int result = fd == -1 ? sysfs_all_regions(visit, &visitor) : visit_file(fd, &visitor);

	cancel_allow(cancel);
	return result;
}
