/* explain.c: what a mapping is, and why it is no better, in words */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "explain.h"

#include "arch/arch.h"
#include "arch/copy.h"
#include "cancel.h"
#include "failure.h"
#include "pages.h"
#include "sysfs.h"

#include <errno.h>
#include <inttypes.h>
#include <pmem.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL_SIZE = 160 };

static const char *filesystem_name(const struct examination *found)
{
	return found->target.filesystem[0] ? found->target.filesystem : "the file system";
}

static void device_name(const struct examination *found, char *name, size_t size)
{
	if (!sysfs_device_name(found->target.kind, found->target.major, found->target.minor, name, size))
		snprintf(name, size, "%s", found->target.kind == DEVICE_BLOCK ? "" : "device-dax");
}

/* --- Why MAP_SYNC is refused ---------------------------------------------------------------- */

static void explain_obstacle(const struct examination *found, char *text, size_t size)
{
	const char *name = filesystem_name(found);
	struct direct direct;
	char device[64];

	find_obstacle(found, &direct);
	device_name(found, device, sizeof(device));
	switch (direct.obstacle) {
	case DIRECT_IN_EFFECT:
		snprintf(text, size, "%s, which has direct access (DAX) but cannot promise it", name);
		break;
	case DIRECT_NO_FILESYSTEM:
		snprintf(text, size, "%s, which has no direct access (DAX)", name);
		break;
	case DIRECT_NO_DEVICE:
		snprintf(text, size, "%s, whose device %s has no direct access (DAX)", name, device);
		break;
	case DIRECT_BLOCK_SIZE:
		snprintf(text, size, "%s with blocks of %" PRIu64 " bytes; direct access (DAX) needs %zu", name,
			 direct.block_size, (size_t)page_size());
		break;
	case DIRECT_MOUNTED_NEVER:
		snprintf(text, size, "%s mounted with dax=never", name);
		break;
	case DIRECT_ENCRYPTED:
		snprintf(text, size, "%s, since the file is encrypted", name);
		break;
	case DIRECT_COMPRESSED:
		snprintf(text, size, "%s, since the file is compressed", name);
		break;
	case DIRECT_VERITY:
		snprintf(text, size, "%s, since the file has fs-verity", name);
		break;
	case DIRECT_FLAG_OFF:
		snprintf(text, size, "%s mounted without dax, and the file's DAX flag is off", name);
		break;
	case DIRECT_FLAG_WAITS:
		snprintf(text, size, "%s until all have closed the file: its DAX flag was set since", name);
		break;
	case DIRECT_OTHER:
		snprintf(text, size, "%s for this file, though mounted with dax", name);
		break;
	}
}

static void explain_refusal(const struct examination *found, char *text, size_t size)
{
	char device[64];

	if (!sysfs_is_virtio_pmem(found->target.kind, found->target.major, found->target.minor)) {
		explain_obstacle(found, text, size);
		return;
	}
	device_name(found, device, sizeof(device));
	snprintf(text, size, "%s: %s is virtio-pmem, which only the host makes durable", filesystem_name(found),
		 device);
}

/* --- The whole line ------------------------------------------------------------------------- */

static void explain_pm(const struct examination *found, char *text, size_t size)
{
	char granted[64] = "a device-dax";

	if (!found->verdict.device_dax)
		snprintf(granted, sizeof(granted), "MAP_SYNC granted by %s", filesystem_name(found));
	if (found->verdict.cpu_work == CPU_FENCE)
		snprintf(text, size, "persistent memory: %s, and the caches are persistent (eADR); persist is a fence",
			 granted);
	else
		snprintf(text, size, "persistent memory: %s; persist flushes by %s", granted, cpu.name);
}

static void explain_page(const struct examination *found, char *text, size_t size)
{
	char detail[DETAIL_SIZE] = "msync was asked for";

	if (found->verdict.reason == REASON_NO_FLUSH) {
		snprintf(detail, sizeof(detail), "this processor has no proven flush");
	} else if (found->verdict.reason == REASON_VIRTIO_MISTAKE) {
		snprintf(detail, sizeof(detail),
			 "MAP_SYNC granted by mistake: on virtio-pmem only the host makes durable");
	} else if (found->verdict.reason == REASON_NO_MAP_SYNC) {
		const int length = snprintf(detail, sizeof(detail), "MAP_SYNC refused by ");

		explain_refusal(found, detail + length, sizeof(detail) - (size_t)length);
	}
	snprintf(text, size, "page cache: %s; persist goes through msync", detail);
}

/* Whatever the reason, nothing can make it durable. */
static const char *const why_volatile[] = {
	[REASON_NO_FILE] = "anonymous memory",
	[REASON_PRIVATE] = "a private mapping: stores stay in this process",
	[REASON_DAX_OF_RAM] = "a device-dax of ordinary memory, in no NVDIMM region",
	[REASON_DAX_OF_HOST] = "a device-dax of virtio-pmem: the host cannot be asked to make it durable",
	[REASON_DAX_NO_FLUSH] = "a device-dax, and this processor has no proven flush",
	[REASON_FIT] = "a working copy: pmem_fit_mode() was called",
};

void explain(const struct examination *found, char *text, size_t size)
{
	switch (found->verdict.reason) {
	case REASON_PM:
		explain_pm(found, text, size);
		break;
	case REASON_FORCED:
		snprintf(text, size, "treated as persistent memory: PMEM_IS_PMEM_FORCE=1");
		break;
	case REASON_FILESYSTEM:
		snprintf(text, size, "volatile: %s keeps files in memory only; nothing makes them durable",
			 filesystem_name(found));
		break;
	case REASON_MSYNC:
	case REASON_NO_FLUSH:
	case REASON_NO_MAP_SYNC:
	case REASON_VIRTIO_MISTAKE:
		explain_page(found, text, size);
		break;
	default:
		snprintf(text, size, "volatile: %s", why_volatile[found->verdict.reason]);
	}
}

static int explain_file(int fd, struct pmem_explanation *explanation)
{
	struct examination found;

	if (examine(fd, &found) < 0)
		return -1;
	explain(&found, explanation->text, sizeof(explanation->text));
	snprintf(explanation->filesystem, sizeof(explanation->filesystem), "%s", found.target.filesystem);
	device_name(&found, explanation->device, sizeof(explanation->device));
	return 0;
}

int pmem_explain(int fd, struct pmem_explanation *explanation)
{
	int result, cancel;

	if (explanation->sz < sizeof(*explanation))
		return fail(EINVAL, "pmem_explain: sz is %zu, less than the structure", explanation->sz);
	cancel = cancel_forbid();
	result = explain_file(fd, explanation);
	cancel_allow(cancel);
	return result;
}

const char *pmem_flush_method(void)
{
	return cpu.name;
}

const char *pmem_copy_method(void)
{
	return cpu_copy_name;
}
