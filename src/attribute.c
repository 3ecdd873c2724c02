/* attribute.c: the attributes of SNIA's NVM Programming Model, and what programs want to know besides */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "cancel.h"
#include "examine.h"
#include "explain.h"
#include "failure.h"
#include "pages.h"
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pmem.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef FS_XFLAG_DAX
#define FS_XFLAG_DAX 0x00008000
#endif
#ifndef FS_XFLAG_REALTIME
#define FS_XFLAG_REALTIME 0x00000001
#endif

/* Each returns 0 with the value set, or -1 with errno and message. */
typedef int answer(const struct examination *found, uint64_t *value);

static int say(uint64_t *value, uint64_t number)
{
	*value = number;
	return 0;
}

static bool is_pm(const struct examination *found)
{
	return found->verdict.media == MEDIA_PM;
}

/* In memory that a power failure empties. */
static bool is_volatile(const struct examination *found)
{
	return found->verdict.media == MEDIA_VOLATILE;
}

/* --- Mapping and flushing ------------------------------------------------------------------- */

static int map_copy_on_write(const struct examination *found, uint64_t *value)
{
	const int can = try_mapping(found, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	return can < 0 ? -1 : say(value, (uint64_t)can);
}

/*
 * Intel's and AMD's processors store aligned 8 bytes in one piece, and so do
 * their memory controllers. No other vendor has said so of a power failure.
 */
static int interrupted_store_atomicity(const struct examination *found, uint64_t *value)
{
	if (!is_pm(found))
		return say(value, 0);
#if defined(__x86_64__)
	return say(value, 1);
#else
	return fail(ENODATA, "this processor's vendor does not say what a power failure leaves of an aligned store");
#endif
}

static int optimized_flush(const struct examination *found, uint64_t *value)
{
	return say(value, is_pm(found));
}

/* Linux has no way of its own to verify what was flushed. */
static int never(const struct examination *found, uint64_t *value)
{
	(void)found;
	return say(value, 0);
}

static int deep_flush(const struct examination *found, uint64_t *value)
{
	const struct target *target = &found->target;
	char region[SYSFS_PATH_SIZE];

	if (!target->device_dax)
		return say(value, !is_volatile(found));
	return say(value, sysfs_region(target->kind, target->major, target->minor, region, sizeof(region)) &&
				  sysfs_has_deep_flush(region));
}

static int granularity(const struct examination *found, uint64_t *value)
{
	return say(value, granularity_of(found->verdict.media, found->verdict.cpu_work));
}

static int mapping_alignment(const struct examination *found, uint64_t *value)
{
	return say(value, found->target.alignment);
}

/* --- Errors --------------------------------------------------------------------------------- */

/*
 * After a memory error the kernel takes a page out of service, on device-dax the
 * mapping's unit. What a disk under a page cache loses at once is its own secret.
 */
static int error_range(const struct examination *found, uint64_t *value)
{
	if (!is_pm(found))
		return fail(ENODATA, "what is lost at once is known of persistent memory only");
	return say(value, found->target.alignment);
}

/* File offsets are aligned as the media is, since direct access maps whole pages of it. */
static int error_range_offset(const struct examination *found, uint64_t *value)
{
	return error_range(found, value) < 0 ? -1 : say(value, 0);
}

static int error_event(const struct examination *found, uint64_t *value)
{
	bool known;
	const bool recovers = proc_memory_failure_recovery(&known);

	(void)found;
	if (!known)
		return fail(ENODATA, "/proc/sys/vm/memory_failure_recovery cannot be read");
	return say(value, recovers);
}

/* Whether the processor reports errors at the instruction that meets them, the kernel does not tell programs. */
static int error_event_precise(const struct examination *found, uint64_t *value)
{
	uint64_t events = 0;

	if (error_event(found, &events) < 0)
		return -1;
	if (!events)
		return say(value, 0);
	return fail(ENODATA, "whether this processor's memory errors are precise is not told to programs");
}

/* --- The file's mode ------------------------------------------------------------------------ */

/* Could direct access be had, with MAP_SYNC, if the file's flag were on? */
static bool flag_would_make_pm(const struct examination *found, const struct direct *direct)
{
	const struct target *target = &found->target;

	return direct->by_file && (direct->obstacle == DIRECT_FLAG_OFF || direct->obstacle == DIRECT_FLAG_WAITS) &&
	       sysfs_direct_access(target->major, target->minor) == DIRECT_ACCESS_YES &&
	       !sysfs_is_virtio_pmem(target->kind, target->major, target->minor) && target_may_be_pm(target);
}

/* The flag and the mode agree, but between a change and the last close. */
static unsigned modes_of_file(const struct examination *found)
{
	struct direct direct;

	find_obstacle(found, &direct);
	if (is_pm(found))
		return direct.by_file ? PMEM_FILE_MODE_PM | PMEM_FILE_MODE_BLOCK : PMEM_FILE_MODE_PM;
	return flag_would_make_pm(found, &direct) ? PMEM_FILE_MODE_PM | PMEM_FILE_MODE_BLOCK : PMEM_FILE_MODE_BLOCK;
}

static int supported_modes(const struct examination *found, uint64_t *value)
{
	if (is_volatile(found))
		return say(value, 0);
	return say(value, found->target.device_dax ? PMEM_FILE_MODE_PM : modes_of_file(found));
}

static int file_mode(const struct examination *found, uint64_t *value)
{
	if (is_volatile(found))
		return fail(ENODATA, "the file is in volatile memory, and has none of the model's modes");
	return say(value, is_pm(found) ? PMEM_FILE_MODE_PM : PMEM_FILE_MODE_BLOCK);
}

static int set_direct_flag(int fd, bool on)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return fail(errno == ENOTTY ? ENOTSUP : errno, "reading the file's flags: %m");
	if (on)
		attributes.fsx_xflags |= FS_XFLAG_DAX;
	else
		attributes.fsx_xflags &= ~(uint32_t)FS_XFLAG_DAX;
	if (ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0)
		return fail(errno == ENOTTY || errno == EOPNOTSUPP ? ENOTSUP : errno,
			    "setting the file's DAX flag: %m");
	return 0;
}

static int set_file_mode(int fd, uint64_t mode)
{
	struct examination found;
	uint64_t supported;
	char why[EXPLAIN_SIZE];

	if (mode != PMEM_FILE_MODE_BLOCK && mode != PMEM_FILE_MODE_PM)
		return fail(EINVAL, "%ju is no file mode", (uintmax_t)mode);
	if (examine(fd, &found) < 0 || supported_modes(&found, &supported) < 0)
		return -1;
	if (supported == (PMEM_FILE_MODE_BLOCK | PMEM_FILE_MODE_PM))
		return set_direct_flag(fd, mode == PMEM_FILE_MODE_PM);
	if (supported == mode)
		return 0;
	explain(&found, why, sizeof(why));
	return fail(ENOTSUP, "the file's mode cannot be changed: %s", why);
}

/* --- Devices and regions -------------------------------------------------------------------- */

/* XFS may keep a file's data on a second device. */
static bool is_on_its_device(const struct examination *found)
{
	struct fsxattr attributes;

	return found->target.device_dax || ioctl(found->fd, FS_IOC_FSGETXATTR, &attributes) < 0 ||
	       !(attributes.fsx_xflags & FS_XFLAG_REALTIME);
}

static int persistence_domain(const struct examination *found, uint64_t *value)
{
	const struct target *target = &found->target;
	const enum pmem_domain domain = is_on_its_device(found)
						? sysfs_domain(target->kind, target->major, target->minor)
						: PMEM_DOMAIN_UNKNOWN;

	if (domain == PMEM_DOMAIN_UNKNOWN)
		return fail(ENODATA, "no NVDIMM region says what the file's persistence domain is");
	return say(value, domain);
}

static int numa_node(const struct examination *found, uint64_t *value)
{
	const struct target *target = &found->target;
	int node;

	if (!is_on_its_device(found) || !sysfs_numa_node(target->kind, target->major, target->minor, &node))
		return fail(ENODATA, "neither region nor device says which NUMA node the file is on");
	return say(value, (uint64_t)node);
}

static int unsafe_shutdowns(const struct examination *found, uint64_t *value)
{
	const struct target *target = &found->target;

	if (!is_on_its_device(found) || !sysfs_unsafe_shutdowns(target->kind, target->major, target->minor, value))
		return fail(ENODATA, "not all of the file's memory is on NVDIMMs that count unsafe shutdowns");
	return 0;
}

/* --- The table ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	answer *get;
} attributes[] = {
#define ATTRIBUTE(attribute_name, get_function)                                                                        \
	[PMEM_ATTRIBUTE_##attribute_name] = {.name = #attribute_name, .get = get_function}
	ATTRIBUTE(MAP_COPY_ON_WRITE_CAPABLE, map_copy_on_write),
	ATTRIBUTE(INTERRUPTED_STORE_ATOMICITY, interrupted_store_atomicity),
	ATTRIBUTE(FUNDAMENTAL_ERROR_RANGE, error_range),
	ATTRIBUTE(FUNDAMENTAL_ERROR_RANGE_OFFSET, error_range_offset),
	ATTRIBUTE(OPTIMIZED_FLUSH_CAPABLE, optimized_flush),
	ATTRIBUTE(OPTIMIZED_FLUSH_AND_VERIFY_CAPABLE, never),
	ATTRIBUTE(DEEP_FLUSH_CAPABLE, deep_flush),
	ATTRIBUTE(ERROR_EVENT_CAPABLE, error_event),
	ATTRIBUTE(ERROR_EVENT_MINIMAL_CAPABLE, error_event),
	ATTRIBUTE(ERROR_EVENT_PRECISE_CAPABLE, error_event_precise),
	ATTRIBUTE(ERROR_EVENT_ERROR_UNIT_CAPABLE, error_event),
	ATTRIBUTE(ERROR_EVENT_MAPPED_SUPPORT_CAPABLE, error_event),
	ATTRIBUTE(ERROR_EVENT_LIVE_SUPPORT_CAPABLE, error_event),
	ATTRIBUTE(SUPPORTED_MODES, supported_modes),
	ATTRIBUTE(FILE_MODE, file_mode),
	ATTRIBUTE(GRANULARITY, granularity),
	ATTRIBUTE(MAPPING_ALIGNMENT, mapping_alignment),
	ATTRIBUTE(PERSISTENCE_DOMAIN, persistence_domain),
	ATTRIBUTE(NUMA_NODE, numa_node),
	ATTRIBUTE(UNSAFE_SHUTDOWNS, unsafe_shutdowns),
#undef ATTRIBUTE
};

const char *pmem_attribute_name(enum pmem_attribute attribute)
{
	return (size_t)attribute < sizeof(attributes) / sizeof(attributes[0]) ? attributes[attribute].name : NULL;
}

static int check_attribute(enum pmem_attribute attribute)
{
	return pmem_attribute_name(attribute) ? 0 : fail(EINVAL, "there is no attribute %d", (int)attribute);
}

int pmem_get_attribute(int fd, enum pmem_attribute attribute, uint64_t *value)
{
	struct examination found;
	int result = -1, cancel;

	if (check_attribute(attribute) < 0)
		return -1;
	cancel = cancel_forbid();
	if (examine(fd, &found) == 0)
		result = attributes[attribute].get(&found, value);
	cancel_allow(cancel);
	return result;
}

int pmem_set_attribute(int fd, enum pmem_attribute attribute, uint64_t value)
{
	int result, cancel;

	if (check_attribute(attribute) < 0)
		return -1;
	if (attribute != PMEM_ATTRIBUTE_FILE_MODE)
		return fail(ENOTSUP, "the attribute %s can only be read", pmem_attribute_name(attribute));
	cancel = cancel_forbid();
	result = set_file_mode(fd, value);
	cancel_allow(cancel);
	return result;
}
