/* judge_process.c: tries states by starting a program on files that hold them */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "judge_process.h"

#include "image_file.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the shell adds to the number of the signal that killed a command. */
enum { BY_SIGNAL = 128, SIGNALS = 64 };

/* Seconds that the control run may take; its length is what tells a hang later. */
static const double control_seconds = 120;

struct process_judge {
	struct judge judge;
	const struct start *start;
	const struct check *check;
	const char *directory;
	const char *promise; /* NULL: each state has its own */
	size_t promise_length;
	bool passed_once;

	/* Of this worker. */
	struct check_room room;
	struct image_file files[IMAGE_POOLS];
	struct timespec cleared; /* the directory's time when nothing but the images was there */
	int output;              /* the file of the promise */
	size_t output_length;
	struct timespec output_time; /* when it was known to hold that much of it */
	struct said said;
};

static struct process_judge *own(struct judge *judge)
{
	return (struct process_judge *)judge;
}

/* --- A worker's life ------------------------------------------------------------------- */

static uint64_t largest_pool(const struct start *start)
{
	uint64_t largest = 0;

	for (uint32_t i = 0; i < start->pool_count; i++) {
		if (largest < start->pools[i].size)
			largest = start->pools[i].size;
	}
	return largest;
}

static bool begin(struct judge *judge, unsigned worker)
{
	struct process_judge *self = own(judge);
	const char *names[IMAGE_POOLS];
	char place[PATH_MAX];

	if (worker > 0)
		process_end_together();
	for (uint32_t i = 0; i < self->start->pool_count; i++)
		names[i] = self->start->pools[i].name;
	snprintf(place, sizeof(place), "%s/%u", self->directory, worker);
	if (!check_room_make(&self->room, self->check, place, names, self->start->pool_count,
			     largest_pool(self->start)))
		return false;
	for (uint32_t i = 0; i < self->start->pool_count; i++)
		image_file_init(&self->files[i], self->room.images[i], i);
	self->cleared = self->output_time = (struct timespec){0};
	self->output_length = 0;
	self->output = open(self->room.output, O_RDWR | O_CLOEXEC);
	return self->output >= 0;
}

static void end(struct judge *judge)
{
	struct process_judge *self = own(judge);

	for (uint32_t i = 0; i < self->start->pool_count; i++)
		image_file_remove(&self->files[i]);
	close(self->output);
	check_room_remove(&self->room);
}

/* --- A state's files ----------------------------------------------------------------------- */

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* What an earlier check has left beside its images must not be found by the next. */
static void clear_directory(struct process_judge *self)
{
	struct stat status;

	if (stat(self->room.directory, &status) < 0)
		mkdir(self->room.directory, 0700);
	else if (!is_same_time(&status.st_mtim, &self->cleared))
		directory_clear(self->room.directory, self->room.images, self->room.count);
}

static void note_directory(struct process_judge *self)
{
	struct stat status;

	if (stat(self->room.directory, &status) == 0)
		self->cleared = status.st_mtim;
}

static bool write_whole(int fd, const char *bytes, size_t length, size_t offset)
{
	while (length > 0) {
		const ssize_t written = pwrite(fd, bytes, length, (off_t)offset);

		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
		offset += (size_t)written;
	}
	return true;
}

/* A worker's states have ever more and ever less of the same output: only the difference is written. */
static bool update_output(struct process_judge *self, const char *output, size_t length)
{
	struct stat status;
	size_t there = self->output_length;

	if (fstat(self->output, &status) < 0)
		return false;
	if (!is_same_time(&status.st_mtim, &self->output_time) || (size_t)status.st_size != there)
		there = 0;
	if (there != length || length == 0) {
		if (there > length)
			there = length;
		if (!write_whole(self->output, output + there, length - there, there) ||
		    ftruncate(self->output, (off_t)length) < 0 || fstat(self->output, &status) < 0)
			return false;
	}
	self->output_time = status.st_mtim;
	self->output_length = length;
	return true;
}

static bool lay_out(struct process_judge *self, const struct contents *contents)
{
	clear_directory(self);
	for (uint32_t i = 0; i < self->start->pool_count; i++) {
		if (!image_file_update(&self->files[i], contents))
			return false;
	}
	note_directory(self);
	check_room_tell_images(&self->room);
	if (self->promise)
		return update_output(self, self->promise, self->promise_length);
	return update_output(self, contents->output, contents->output_length);
}

/* --- Verdicts ---------------------------------------------------------------------------------- */

static void say_why(struct said *said, const char *what, int error)
{
	said->total = (size_t)snprintf(said->first, sizeof(said->first), "pmem crash: %s: %s\n", what, strerror(error));
}

/* The shell's own way to tell of a signal, where it did not replace itself by the command. */
static int signal_of(const struct process_judge *self, int status)
{
	if (WIFSIGNALED(status))
		return WTERMSIG(status);
	if (self->room.command && WEXITSTATUS(status) > BY_SIGNAL && WEXITSTATUS(status) <= BY_SIGNAL + SIGNALS)
		return WEXITSTATUS(status) - BY_SIGNAL;
	return 0;
}

static void judge_end(struct process_judge *self, const struct process_end *ended, struct verdict *verdict)
{
	const int signal = signal_of(self, ended->status);

	verdict->seconds = ended->seconds;
	if (ended->error) {
		verdict->could_not_start = !self->passed_once;
		verdict->failure = FAILURE_EXIT;
		verdict->status = NOT_FOUND;
		say_why(&self->said, check_room_argv(&self->room)[0], ended->error);
	} else if (ended->hung) {
		verdict->failure = FAILURE_HANG;
	} else if (signal) {
		verdict->failure = FAILURE_CRASH;
		verdict->status = signal;
	} else {
		verdict->failure = FAILURE_EXIT;
		verdict->status = WEXITSTATUS(ended->status);
		verdict->passed = verdict->status == 0;
		verdict->could_not_start =
			!self->passed_once && (verdict->status == NOT_EXECUTABLE || verdict->status == NOT_FOUND);
	}
	self->passed_once |= verdict->passed;
}

static bool run(struct process_judge *self, const struct contents *contents, struct process_end *ended)
{
	const double limit = self->judge.limit;
	const struct process process = {
		.argv = check_room_argv(&self->room),
		.environment = self->room.environment,
		.input = check_room_input(&self->room),
		.limit = isinf(limit) ? control_seconds : limit,
	};

	if (!lay_out(self, contents))
		return false;
	check_room_forget_loads(&self->room);
	*ended = process_run(&process, &self->said);
	return true;
}

/* A load map is as large as the pool was; of one that has grown beyond it nothing is told. */
static void tell_loads(const struct process_judge *self, const struct contents *contents, struct verdict *verdict)
{
	if (!check_room_knows_loads(&self->room))
		return;
	for (uint32_t i = 0; i < self->start->pool_count; i++) {
		if (contents->room[i] / SESSION_LOADS_UNIT / 8 < self->room.load_bytes)
			verdict->loads[i] = self->room.loads[i];
	}
}

/*
 * The machine may have been busy elsewhere: a hang must happen twice. Where the
 * image cannot be written nothing was tried: a full disk must not become a
 * finding.
 */
static void try(struct judge *judge, const struct contents *contents, bool keep_output, struct verdict *verdict)
{
	struct process_judge *self = own(judge);
	struct process_end ended;
	bool tried = run(self, contents, &ended);

	*verdict = (struct verdict){0};
	if (tried && ended.hung && !isinf(judge->limit))
		tried = run(self, contents, &ended);
	if (!tried) {
		fprintf(stderr, "pmem crash: %s: the image cannot be written: %s\n", self->room.directory,
			strerror(errno));
		verdict->could_not_start = true;
		return;
	}
	judge_end(self, &ended, verdict);
	if (keep_output)
		verdict->output = said_text(&self->said);
	tell_loads(self, contents, verdict);
}

struct judge *judge_process_new(const struct start *start, const struct check *check, const char *directory,
				const char *promise, size_t promise_length)
{
	struct process_judge *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->judge = (struct judge){.begin = begin, .try = try, .end = end, .limit = INFINITY};
	self->start = start;
	self->check = check;
	self->directory = directory;
	self->promise = promise;
	self->promise_length = promise_length;
	return &self->judge;
}

void judge_process_has_passed(struct judge *judge, double limit)
{
	struct process_judge *self = own(judge);

	self->passed_once = true;
	judge->limit = limit;
	judge->tells_loads = self->check->loads;
}

void judge_process_free(struct judge *judge)
{
	free(judge);
}
