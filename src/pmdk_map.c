/* pmdk_map.c: pmem_map_file(): opens or makes a file as its flags say, and maps the whole of it */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "pmdk.h"

#include "cancel.h"
#include "classify.h"
#include "failure.h"
#include "pages.h"
#include "placement.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libpmem.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	FILE_KNOWN_FLAGS = PMEM_FILE_CREATE | PMEM_FILE_EXCL | PMEM_FILE_SPARSE | PMEM_FILE_TMPFILE,
	DEVICE_KNOWN_FLAGS = PMEM_FILE_CREATE | PMEM_FILE_SPARSE,
	MESSAGE_ROOM = 800,
};

/* --- What the caller asks for --------------------------------------------------------------- */

static int check_file_flags(const char *path, size_t len, int flags)
{
	const bool create = flags & PMEM_FILE_CREATE;

	if (!create && (flags & PMEM_FILE_TMPFILE))
		return fail(EINVAL, "%s: PMEM_FILE_TMPFILE makes a file: it needs PMEM_FILE_CREATE", path);
	if (!create && len != 0)
		return fail(EINVAL,
			    "%s: a length of %zu without PMEM_FILE_CREATE: an existing file is mapped whole, with "
			    "a length of 0",
			    path, len);
	if (create && len == 0)
		return fail(EINVAL, "%s: a length of 0 with PMEM_FILE_CREATE", path);
	if (create && len > INT64_MAX)
		return fail(EINVAL, "%s: a length of %zu is more than a file can have", path, len);
	return 0;
}

static int check_call(const char *path, int flags)
{
	if (!path)
		return fail(EINVAL, "the path is NULL");
	if (flags & ~FILE_KNOWN_FLAGS)
		return fail(EINVAL, "%s: unknown flags 0x%x", path, (unsigned)(flags & ~FILE_KNOWN_FLAGS));
	return 0;
}

/* Character devices are judged before they are opened: to open some does something. */
static bool is_device(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISCHR(status.st_mode);
}

/* --- Device-dax ------------------------------------------------------------------------------- */

static int check_device(const char *path, int fd, size_t len, int flags, struct target *target)
{
	if (target_of(fd, target) < 0 || !target->device_dax)
		return fail(EINVAL, "%s: a character device, and not a device-dax", path);
	if (flags & ~DEVICE_KNOWN_FLAGS)
		return fail(EINVAL, "%s: a device-dax knows no flags but PMEM_FILE_CREATE and PMEM_FILE_SPARSE", path);
	if (len != 0 && len != target->size)
		return fail(EINVAL,
			    "%s: a length of %zu: a device-dax is mapped whole, with a length of 0 or of %" PRIu64,
			    path, len, target->size);
	return 0;
}

/* A descriptor and, in *len, the size of what it is open on. -1 with errno and message. */
static int open_device(const char *path, size_t *len, int flags)
{
	struct target target;
	int fd = open(path, O_PATH | O_CLOEXEC), result;

	if (fd < 0)
		return fail(errno, "%s: %m", path);
	result = check_device(path, fd, *len, flags, &target);
	close(fd);
	if (result < 0)
		return -1;
	*len = target.size;
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? fail(errno, "%s: opening it for reading and writing: %m", path) : fd;
}

/* --- Files ---------------------------------------------------------------------------------------- */

/* Where O_TMPFILE is not known (NFS, some of FUSE): a file whose name is gone at once. */
static int make_and_unlink(const char *folder, mode_t mode)
{
	char path[PATH_MAX];
	int fd, error;

	if ((size_t)snprintf(path, sizeof(path), "%s/pmem.XXXXXX", folder) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -1;
	error = fchmod(fd, mode) < 0 ? errno : 0;
	unlink(path);
	errno = error;
	return fd;
}

static int open_without_name(const char *folder, int flags, mode_t mode)
{
	const int excl = flags & PMEM_FILE_EXCL ? O_EXCL : 0;
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | excl, mode);

	if (fd < 0 && errno == EOPNOTSUPP)
		fd = make_and_unlink(folder, mode);
	return fd < 0 ? fail(errno, "%s: making a file without a name in it: %m", folder) : fd;
}

static int open_file(const char *path, int flags, mode_t mode)
{
	int open_flags = O_RDWR | O_CLOEXEC;
	int fd;

	if (flags & PMEM_FILE_TMPFILE)
		return open_without_name(path, flags, mode);
	open_flags |= flags & PMEM_FILE_CREATE ? O_CREAT : 0;
	open_flags |= flags & PMEM_FILE_EXCL ? O_EXCL : 0;
	fd = open(path, open_flags, mode);
	return fd < 0 ? fail(errno, "%s: opening it for reading and writing: %m", path) : fd;
}

/* posix_fallocate() leaves it to its caller to go on after a signal. */
static int allocate(int fd, size_t len)
{
	int error;

	do {
		error = posix_fallocate(fd, 0, (off_t)len);
	} while (error == EINTR);
	return error;
}

static int size_file(const char *path, int fd, size_t len, int flags)
{
	int error;

	if (ftruncate(fd, (off_t)len) < 0)
		return fail(errno, "%s: giving it a length of %zu: %m", path, len);
	if (flags & PMEM_FILE_SPARSE)
		return 0;
	error = allocate(fd, len);
	return error ? fail(error, "%s: allocating %zu bytes: %m", path, len) : 0;
}

/* The length of an existing file; 0, or -1 with errno and message. */
static int length_of_file(const char *path, int fd, size_t *len)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return fail(errno, "%s: %m", path);
	if (!S_ISREG(status.st_mode))
		return fail(EINVAL, "%s: neither a regular file nor a device-dax", path);
	if (status.st_size == 0)
		return fail(EINVAL, "%s: the file is empty: nothing to map", path);
	*len = (size_t)status.st_size;
	return 0;
}

/* --- Both ------------------------------------------------------------------------------------------- */

/* Says why, to those who listen: it is what users of this interface ask most. */
static void tell_whether_pmem(const char *path, int fd, const void *at, size_t len)
{
	struct pmem_explanation explanation = {.sz = sizeof(explanation)};

	if (pmdk_wants_notices() && !pmem_is_pmem(at, len) && pmem_explain(fd, &explanation) == 0)
		pmdk_log_notice("%s: not persistent memory: %s", path, explanation.text);
}

/* The message of what failed below says nothing of the path. */
static void *fail_on_path(const char *path)
{
	const int error = errno;
	char reason[MESSAGE_ROOM];

	snprintf(reason, sizeof(reason), "%s", pmem_errormsg());
	fail(error, "%s: %s", path, reason);
	return NULL;
}

/* NULL with errno and message. */
static void *map_open_file(const char *path, int fd, size_t len)
{
	const uintptr_t hint = placement_hint();
	void *at = hint ? placement_map(hint, fd, len) : pmem_map_range(fd, 0, len, 0);

	if (!at)
		return fail_on_path(path);
	tell_whether_pmem(path, fd, at, len);
	return at;
}

static void *size_and_map(const char *path, int fd, size_t *len, int flags)
{
	if ((flags & PMEM_FILE_CREATE ? size_file(path, fd, *len, flags) : length_of_file(path, fd, len)) < 0)
		return NULL;
	return map_open_file(path, fd, *len);
}

static void *open_and_map(const char *path, size_t *len, int flags, mode_t mode)
{
	const bool device = is_device(path);
	const bool made = (flags & PMEM_FILE_CREATE) && (flags & PMEM_FILE_EXCL) && !(flags & PMEM_FILE_TMPFILE);
	int fd, error;
	void *at;

	if (!device && check_file_flags(path, *len, flags) < 0)
		return NULL;
	fd = device ? open_device(path, len, flags) : open_file(path, flags, mode);
	if (fd < 0)
		return NULL;
	at = device ? map_open_file(path, fd, *len) : size_and_map(path, fd, len, flags);
	error = errno;
	close(fd);
	if (!at && made && !device)
		unlink(path);
	errno = error;
	return at;
}

void *pmem_map_file(const char *path, size_t len, int flags, mode_t mode, size_t *mapped_lenp, int *is_pmemp)
{
	int cancel, is_pmem;
	void *at;

	if (check_call(path, flags) < 0)
		return NULL;
	cancel = cancel_forbid();
	at = open_and_map(path, &len, flags, mode);
	cancel_allow(cancel);
	if (!at)
		return NULL;
	if (mapped_lenp)
		*mapped_lenp = len;
	is_pmem = pmem_is_pmem(at, len);
	if (is_pmemp)
		*is_pmemp = is_pmem;
	/* PMDK leaves the refusal of MAP_SYNC in errno, and fio takes it for the reason why it must not go on. */
	if (!is_pmem)
		errno = EOPNOTSUPP;
	return at;
}
