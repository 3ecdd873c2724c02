/* image_file.c: a file that is made to hold one state of a pool after the other */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4096, BITS = 64 };

void image_file_init(struct image_file *file, const char *path, uint32_t pool)
{
	*file = (struct image_file){.path = path, .pool = pool, .fd = -1};
}

static void let_go(struct image_file *file)
{
	if (file->view)
		munmap(file->view, file->viewed);
	if (file->fd >= 0)
		close(file->fd);
	file->view = NULL;
	file->viewed = 0;
	file->fd = -1;
}

/* The check may have put another file in its place, or none. */
static bool is_still_there(const struct image_file *file)
{
	struct stat by_name, by_descriptor;

	return file->fd >= 0 && lstat(file->path, &by_name) == 0 && fstat(file->fd, &by_descriptor) == 0 &&
	       by_name.st_ino == by_descriptor.st_ino && by_name.st_dev == by_descriptor.st_dev;
}

static bool open_file(struct image_file *file)
{
	const bool first = !file->filled;

	if (is_still_there(file))
		return true;
	let_go(file);
	if (!first && unlink(file->path) < 0 && errno != ENOENT)
		return false;
	file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return file->fd >= 0;
}

/* The file's length, its mode and the view of it. */
static bool resize(struct image_file *file, uint64_t size)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return false;
	if ((status.st_mode & 07777) != 0600 && fchmod(file->fd, 0600) < 0)
		return false;
	if ((uint64_t)status.st_size != size && ftruncate(file->fd, (off_t)size) < 0)
		return false;
	if (file->viewed == size)
		return true;
	if (file->view)
		munmap(file->view, file->viewed);
	file->view = NULL;
	file->viewed = 0;
	if (size == 0)
		return true;
	file->view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (file->view == MAP_FAILED) {
		file->view = NULL;
		return false;
	}
	file->viewed = size;
	return true;
}

/* --- Which blocks can be other than zero ------------------------------------------------ */

static bool is_zero(const unsigned char *bytes, size_t length)
{
	return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static void fill(struct image_file *file, uint64_t block)
{
	if (block < file->blocks)
		file->filled[block / BITS] |= UINT64_C(1) << block % BITS;
}

static bool look_at_base(struct image_file *file, const struct contents *contents)
{
	const uint64_t room = contents->room[file->pool];
	const uint64_t blocks = (room + BLOCK - 1) / BLOCK;

	if (blocks != file->blocks) {
		free(file->filled);
		file->blocks = 0;
		file->filled = malloc((blocks / BITS + 1) * sizeof(file->filled[0]));
		if (!file->filled)
			return false;
		file->blocks = blocks;
	}
	memset(file->filled, 0, (blocks / BITS + 1) * sizeof(file->filled[0]));
	for (uint64_t block = 0; block < blocks; block++) {
		const uint64_t left = room - block * BLOCK;

		if (!is_zero(contents->base[file->pool] + block * BLOCK, left < BLOCK ? left : BLOCK))
			fill(file, block);
	}
	return true;
}

static bool note_changes(struct image_file *file, const struct contents *contents)
{
	if (!file->filled || contents->all_changed || contents->room[file->pool] > file->blocks * BLOCK)
		return look_at_base(file, contents);
	for (size_t i = 0; i < contents->changed_count; i++) {
		if (contents->changed[i].pool == file->pool)
			fill(file, contents->changed[i].offset / BLOCK);
	}
	return true;
}

/* --- Putting right -------------------------------------------------------------------------- */

/* Not by the view: where the file system is full that would be SIGBUS. */
static bool write_bytes(const struct image_file *file, const unsigned char *bytes, size_t length, uint64_t offset)
{
	const ssize_t written = pwrite(file->fd, bytes, length, (off_t)offset);

	if (written >= 0 && (size_t)written < length)
		errno = ENOSPC;
	return written == (ssize_t)length;
}

static size_t length_of(const struct image_file *file, uint64_t block)
{
	const uint64_t left = file->viewed - block * BLOCK;

	return left < BLOCK ? (size_t)left : BLOCK;
}

/* Blocks that the file has, which may hold what the check wrote. */
static void put_data_right(const struct image_file *file, const unsigned char *base, uint64_t first, uint64_t end)
{
	for (uint64_t block = first; block < end; block++) {
		const size_t length = length_of(file, block);

		if (memcmp(file->view + block * BLOCK, base + block * BLOCK, length) != 0)
			memcpy(file->view + block * BLOCK, base + block * BLOCK, length);
	}
}

/* Blocks that the file has not: those that it should have. */
static bool put_holes_right(const struct image_file *file, const unsigned char *base, uint64_t first, uint64_t end)
{
	uint64_t block = first;

	while (block < end) {
		const uint64_t bits = file->filled[block / BITS] >> block % BITS;

		if (bits == 0) {
			block = (block / BITS + 1) * BITS;
			continue;
		}
		block += (uint64_t)__builtin_ctzll(bits);
		if (block < end && !write_bytes(file, base + block * BLOCK, length_of(file, block), block * BLOCK))
			return false;
		block++;
	}
	return true;
}

static bool put_base_right(const struct image_file *file, const unsigned char *base)
{
	const uint64_t blocks = (file->viewed + BLOCK - 1) / BLOCK;
	uint64_t done = 0;

	while (done < blocks) {
		const off_t data = lseek(file->fd, (off_t)(done * BLOCK), SEEK_DATA);
		const off_t hole = data < 0 ? -1 : lseek(file->fd, data, SEEK_HOLE);
		const uint64_t first = data < 0 ? blocks : (uint64_t)data / BLOCK;
		const uint64_t end = hole < 0 ? blocks : ((uint64_t)hole + BLOCK - 1) / BLOCK;

		if (data < 0 && errno != ENXIO) /* that would be a hole up to the end */
			return false;
		if (!put_holes_right(file, base, done, first))
			return false;
		put_data_right(file, base, first, end);
		done = end;
	}
	return true;
}

static bool put_units(const struct image_file *file, const struct contents *contents)
{
	for (size_t i = 0; i < contents->unit_count; i++) {
		const struct image_unit *unit = &contents->units[i];
		uint64_t length = contents->start->unit;

		if (unit->pool != file->pool || unit->offset >= file->viewed)
			continue;
		if (length > file->viewed - unit->offset)
			length = file->viewed - unit->offset;
		if (!write_bytes(file, unit->bytes, length, unit->offset))
			return false;
	}
	return true;
}

bool image_file_update(struct image_file *file, const struct contents *contents)
{
	if (!open_file(file) || !resize(file, contents->sizes[file->pool]) || !note_changes(file, contents))
		return false;
	return put_base_right(file, contents->base[file->pool]) && put_units(file, contents);
}

void image_file_remove(struct image_file *file)
{
	let_go(file);
	unlink(file->path);
	free(file->filled);
	*file = (struct image_file){.fd = -1};
}
