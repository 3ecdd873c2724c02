/* effect.c: system calls that change pools or the program's output, made into events */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "effect.h"

#include "schedule.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What was done before the call is told before it. A thread must not be cancelled while it holds the lock. */
static struct effect begin(int identity, int fd, uint64_t size, const void *site, const void *frame)
{
	struct effect effect = {.concerns = true, .identity = identity, .fd = fd, .size = size};

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &effect.cancel_state);
	record_lock();
	pending_tell(&record_self);
	effect.origin = stack_origin_of_call(site, frame);
	contents_tell_all(&effect.origin);
	if (identity == IDENTITY_OUTPUT && size > atomic_load(&recording.session->output_told))
		output_catch_up(&effect.origin);
	return effect;
}

struct effect effect_begin(int fd, const void *site, const void *frame)
{
	const struct effect none = {.identity = IDENTITY_OTHER};
	uint64_t size = 0;
	int identity;

	schedule_point();
	if (!record_enter())
		return none;
	identity = recording.session ? identify(fd, &size) : IDENTITY_OTHER;
	if (identity == IDENTITY_OTHER) {
		record_leave();
		return none;
	}
	return begin(identity, fd, size, site, frame);
}

static void end(struct effect *effect)
{
	record_unlock();
	pthread_setcancelstate(effect->cancel_state, NULL);
	record_leave();
}

static uint64_t size_now(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* The file has changed there: its size, then its bytes, as they are now. */
static void tell_change(struct effect *effect, uint64_t offset, uint64_t length)
{
	const uint32_t pool = (uint32_t)effect->identity;

	contents_resized(pool, size_now(effect->fd), &effect->origin);
	if (contents_view(pool))
		contents_tell(pool, offset, length, recording.pools[pool].contents + offset,
			      STORE_OBSERVED | STORE_BY_KERNEL, &effect->origin);
}

static bool is_synchronous(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_DSYNC);
}

static void tell_write(struct effect *effect, uint64_t offset, uint64_t length, bool synchronous)
{
	tell_change(effect, offset, length);
	if (synchronous || is_synchronous(effect->fd))
		tell(TRACE_SYNC, &effect->origin, (uint32_t)effect->identity, offset, length);
}

void effect_wrote(struct effect *effect, const void *bytes, ssize_t length)
{
	const int error = errno;

	if (!effect->concerns)
		return;
	if (length > 0 && effect->identity == IDENTITY_OUTPUT && bytes)
		output_tell(bytes, (size_t)length, &effect->origin);
	else if (length > 0 && effect->identity == IDENTITY_OUTPUT)
		output_catch_up(&effect->origin);
	else if (length > 0)
		tell_write(effect, (uint64_t)(lseek(effect->fd, 0, SEEK_CUR) - length), (uint64_t)length, false);
	end(effect);
	errno = error;
}

void effect_wrote_at(struct effect *effect, off_t offset, ssize_t length, bool synchronous)
{
	const int error = errno;

	if (!effect->concerns)
		return;
	if (length > 0 && effect->identity == IDENTITY_OUTPUT)
		output_catch_up(&effect->origin);
	else if (length > 0)
		tell_write(effect, (uint64_t)offset, (uint64_t)length, synchronous);
	end(effect);
	errno = error;
}

void effect_changed(struct effect *effect, bool succeeded)
{
	const int error = errno;

	if (!effect->concerns)
		return;
	if (succeeded && effect->identity == IDENTITY_OUTPUT)
		output_catch_up(&effect->origin);
	else if (succeeded)
		tell_change(effect, 0, UINT64_MAX);
	end(effect);
	errno = error;
}

void effect_synced(struct effect *effect, bool succeeded, uint64_t offset, uint64_t length)
{
	const int error = errno;

	if (!effect->concerns)
		return;
	if (succeeded && effect->identity != IDENTITY_OUTPUT) {
		contents_resized((uint32_t)effect->identity, size_now(effect->fd), &effect->origin);
		tell(TRACE_SYNC, &effect->origin, (uint32_t)effect->identity, offset, length);
	}
	end(effect);
	errno = error;
}

struct effect effect_begin_everything(const void *site, const void *frame)
{
	schedule_point();
	if (!recording.session || !record_enter())
		return (struct effect){.identity = IDENTITY_OTHER};
	return begin(IDENTITY_OTHER, -1, 0, site, frame);
}

void effect_synced_everything(struct effect *effect, bool succeeded)
{
	const int error = errno;

	if (!effect->concerns)
		return;
	for (uint32_t pool = 0; succeeded && pool < recording.pool_count; pool++)
		tell(TRACE_SYNC, &effect->origin, pool, 0, recording.pools[pool].size);
	end(effect);
	errno = error;
}

struct effect effect_begin_mapped(const void *address, size_t length, const void *site, const void *frame)
{
	const struct effect none = {.identity = IDENTITY_OTHER};

	if (!recording.session || !record_may_touch(address, length))
		return none;
	schedule_point();
	if (!record_enter())
		return none;
	return begin(IDENTITY_OTHER, -1, 0, site, frame);
}

void effect_synced_mapped(struct effect *effect, bool succeeded, const void *address, size_t length)
{
	const size_t page = 4096;
	const unsigned char *at = address, *end_of_range = at + (length + page - 1) / page * page;
	const int error = errno;
	struct mapped_part part;

	if (!effect->concerns)
		return;
	while (succeeded && at < end_of_range && mapping_find(at, (size_t)(end_of_range - at), &part)) {
		tell(TRACE_SYNC, &effect->origin, part.pool, part.offset, part.length);
		at = part.address + part.length;
	}
	end(effect);
	errno = error;
}
