/* recovery.c: the second level: recovery itself is recorded and cut */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "recovery.h"

#include "command_line.h"
#include "describe.h"
#include "judge_process.h"
#include "launch.h"
#include "model.h"
#include "trial.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	STATES = 48, /* of the first exploration that recovery is recorded on */
	SHAPES = 64, /* different recordings that are remembered */
	SHARES = 4,  /* a recording gets that part of the time that is left */
};

struct recovery {
	const struct recovery_search *search;
	struct workplace place; /* inside of the search's: its pools are one image */
	char *names[IMAGE_POOLS];
	uint64_t shapes[SHAPES];
	size_t shape_count;
	size_t state_number;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- A workplace whose pools are an image ------------------------------------------------- */

static void start_path(const struct recovery *recovery, uint32_t pool, char path[PATH_MAX])
{
	char name[32];

	snprintf(name, sizeof(name), "start-%u", pool);
	workplace_path(&recovery->place, name, path);
}

static void unmap_start(const struct start *start)
{
	for (uint32_t i = 0; i < start->pool_count; i++) {
		if (start->pools[i].bytes)
			munmap((void *)start->pools[i].bytes, start->pools[i].size);
	}
}

/* What launch_run() starts from: the files start-N of the folder, and names that there are. */
static bool open_pool(struct recovery *recovery, const struct image *image, uint32_t pool)
{
	struct start *start = &recovery->place.start;
	const uint64_t size = image->sizes[pool];
	char path[PATH_MAX];
	void *bytes = NULL;
	int fd;

	start_path(recovery, pool, path);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (!image_write(image, pool, fd))
		bytes = MAP_FAILED;
	else if (size > 0)
		bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return false;
	start->pools[pool].name = recovery->names[pool];
	start->pools[pool].bytes = bytes;
	start->pools[pool].size = size;
	start->pool_count++;
	return true;
}

static bool open_place(struct recovery *recovery, const struct image *image)
{
	recovery->place.start = (struct start){.unit = image->start->unit};
	for (uint32_t i = 0; i < image->start->pool_count; i++) {
		if (!open_pool(recovery, image, i))
			return false;
	}
	return true;
}

/* The mappings stay: what is found refers to them. */
static void close_place(const struct recovery *recovery)
{
	char path[PATH_MAX];

	for (uint32_t i = 0; i < recovery->place.start.pool_count; i++) {
		start_path(recovery, i, path);
		unlink(path);
	}
}

/* --- Recording ------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* What was done where, without the contents: recoveries that only differ in those need not all be cut. 0: no store. */
static uint64_t shape_of(const struct trace *trace)
{
	uint64_t hash = 1;
	bool stored = false;

	for (const struct trace_event *event = trace_next(trace, NULL); event; event = trace_next(trace, event)) {
		if (event->kind == TRACE_MODULE || event->kind == TRACE_STACK || event->kind == TRACE_THREAD)
			continue;
		stored = stored || event->kind == TRACE_STORE || event->kind == TRACE_SIZE;
		hash = mix(mix(hash, event->kind), event->site);
	}
	return stored ? hash : 0;
}

static bool is_new_shape(struct recovery *recovery, uint64_t shape)
{
	for (size_t i = 0; i < recovery->shape_count; i++) {
		if (recovery->shapes[i] == shape)
			return false;
	}
	if (recovery->shape_count < SHAPES)
		recovery->shapes[recovery->shape_count++] = shape;
	return true;
}

static bool write_promise(const struct recovery *recovery, size_t length, const char *path)
{
	FILE *file = fopen(path, "we");
	bool written = file && fwrite(recovery->search->output, 1, length, file) == length;

	if (file && fclose(file) != 0)
		written = false;
	return written;
}

static bool run_recorded(struct recovery *recovery, char *const *arguments, const char *promise,
			 struct launched *launched)
{
	const struct recovery_search *search = recovery->search;
	const bool command = search->check->command != NULL;
	char variable[PATH_MAX + 32], *reason = NULL;
	const char *const variables[] = {variable, NULL};
	const struct launch launch = {
		.program = command ? arguments[0] : search->program,
		.recorder = search->recorder,
		.arguments = arguments,
		.variables = variables,
		.input = command ? NULL : search->check->input,
		.seed = search->options->seed,
		.seconds = fmax(fmin(search->limit, search->deadline - now()), 0.1),
	};
	bool run;

	snprintf(variable, sizeof(variable), "PMEM_CRASH_OUTPUT=%s", promise);
	run = launch_run(&recovery->place, &launch, launched, &reason);
	free(reason);
	if (run && launched->status == 0 && !launched->timed_out && !launched->overrun)
		return true;
	if (run)
		launched_free(launched);
	return false;
}

/* Runs the check on the image under the recorder. False if it did not pass, which is the first level's to find. */
static bool record(struct recovery *recovery, const struct image *image, struct launched *launched)
{
	const struct check *check = recovery->search->check;
	char *command = NULL, promise[PATH_MAX];
	bool passed = false;

	workplace_path(&recovery->place, "promise", promise);
	if (!write_promise(recovery, image->output_length, promise))
		return false;
	if (check->command)
		command = fill_in_paths(check->command, (const char *const *)recovery->names, image->start->pool_count);
	if (command)
		passed = run_recorded(recovery, (char *const[]){"/bin/sh", "-c", command, NULL}, promise, launched);
	else if (!check->command)
		passed = run_recorded(recovery, check->program, promise, launched);
	unlink(promise);
	free(command);
	return passed;
}

/* --- Exploring -------------------------------------------------------------------------------- */

void recovery_free(struct exploration_report *exploration)
{
	result_free(&exploration->result);
	trace_free(&exploration->trace);
	if (exploration->start) {
		unmap_start(exploration->start);
		for (uint32_t i = 0; i < exploration->start->pool_count; i++)
			free((void *)exploration->start->pools[i].name);
		free((void *)exploration->start);
	}
	free((void *)exploration->what);
	*exploration = (struct exploration_report){0};
}

static char *name_state(const struct recovery *recovery)
{
	char *name;

	if (asprintf(&name, "a recovery from failure point %zu, with %s durable", recovery->state_number / 2,
		     recovery->state_number % 2 ? "every store" : "only what is sure to be") < 0)
		return NULL;
	return name;
}

/* The place's mappings and the recording go to the exploration, however this ends. */
static bool explore_recording(struct recovery *recovery, const struct image *image, struct launched *launched,
			      struct exploration_report *exploration)
{
	const struct recovery_search *search = recovery->search;
	struct explore_options options = *search->options;
	struct start *start = malloc(sizeof(*start));
	struct verdict control = {0};
	struct places *places;
	struct judge *judge;
	bool named = true, done = false;

	*exploration =
		(struct exploration_report){.start = start, .trace = launched->trace, .what = name_state(recovery)};
	launched->trace = (struct trace){0};
	if (!start) {
		unmap_start(&recovery->place.start);
		return false;
	}
	*start = recovery->place.start;
	for (uint32_t i = 0; i < start->pool_count; i++) {
		start->pools[i].name = strdup(recovery->names[i]);
		named = named && start->pools[i].name;
	}
	if (!named)
		return false;
	options.recovery = true;
	options.instrumented = launched->instrumented;
	options.control = true; /* that the next recovery passes after this one is to be found out, not assumed */
	options.budget = (search->deadline - now()) / SHARES;
	judge = judge_process_new(start, search->check, recovery->place.folder, search->output, image->output_length);
	if (judge) {
		judge_process_has_passed(judge, search->limit);
		done = explore(start, &exploration->trace, &options, judge, &exploration->result, &control) ==
		       EXPLORE_DONE;
		judge_process_free(judge);
	}
	free(control.output);
	places = done ? places_open(&exploration->trace) : NULL;
	if (!places)
		return false;
	describe(&exploration->result, places);
	places_close(places);
	return true;
}

/* --- Choosing -------------------------------------------------------------------------------------- */

struct points {
	size_t *numbers; /* of failure points at a place in the program that was not met before */
	size_t count;
};

static bool was_met(const uint64_t *places, size_t count, uint64_t place)
{
	for (size_t i = 0; i < count; i++) {
		if (places[i] == place)
			return true;
	}
	return false;
}

/* All of them, or as many as there is time for, with the same distance between them. */
static bool choose_points(const struct exploration_report *first, struct points *points)
{
	struct model *model = model_new(first->start, &first->trace, first->result.model);
	uint64_t *places = NULL;
	size_t room = 0;
	bool chosen = model != NULL;

	while (chosen && model_next(model)) {
		if (was_met(places, points->count, model->place))
			continue;
		if (points->count == room) {
			uint64_t *more_places = realloc(places, (room * 2 + 64) * sizeof(places[0]));
			size_t *more = realloc(points->numbers, (room * 2 + 64) * sizeof(more[0]));

			places = more_places ? more_places : places;
			points->numbers = more ? more : points->numbers;
			chosen = more_places && more;
			room = room * 2 + 64;
			if (!chosen)
				break;
		}
		places[points->count] = model->place;
		points->numbers[points->count++] = model->point;
	}
	free(places);
	model_free(model);
	for (size_t i = 0; points->count > STATES / 2 && i < STATES / 2; i++)
		points->numbers[i] = points->numbers[i * points->count / (STATES / 2)];
	if (points->count > STATES / 2)
		points->count = STATES / 2;
	return chosen;
}

static bool explore_state(struct recovery *recovery, struct trial *trial, bool newest,
			  void (*found)(const struct exploration_report *, void *), void *arg)
{
	const struct state state = {.newest = newest};
	struct image *image = trial_image(trial, &state);
	struct exploration_report exploration;
	struct launched launched = {0};
	uint64_t shape = 0;

	if (!image)
		return false;
	recovery->state_number = trial->model->point * 2 + newest;
	if (open_place(recovery, image) && record(recovery, image, &launched))
		shape = shape_of(&launched.trace);
	if (!shape || !is_new_shape(recovery, shape))
		unmap_start(&recovery->place.start);
	else if (explore_recording(recovery, image, &launched, &exploration))
		found(&exploration, arg);
	else
		recovery_free(&exploration);
	close_place(recovery);
	launched_free(&launched);
	image_free(image);
	return true;
}

static bool must_stop(const struct recovery *recovery)
{
	const volatile sig_atomic_t *interrupted = recovery->search->options->interrupted;

	return (interrupted && *interrupted) || now() >= recovery->search->deadline;
}

static bool explore_points(struct recovery *recovery, const struct points *points,
			   void (*found)(const struct exploration_report *, void *), void *arg)
{
	const struct exploration_report *first = recovery->search->first;
	struct trial trial = {.model = model_new(first->start, &first->trace, first->result.model)};
	size_t next = 0;
	bool whole = trial.model != NULL;

	while (whole && next < points->count && model_next(trial.model)) {
		if (trial.model->point != points->numbers[next])
			continue;
		next++;
		for (int newest = 1; newest >= 0 && whole; newest--)
			whole = !must_stop(recovery) && explore_state(recovery, &trial, newest, found, arg);
	}
	model_free(trial.model);
	trial_free(&trial);
	return whole;
}

/*
 * The program knows the pools by the names that they have. A command is given
 * paths, of files that there must be and that are called as the pools are.
 */
static bool name_pool(struct recovery *recovery, uint32_t pool)
{
	const char *name = recovery->search->first->start->pools[pool].name;
	char folder[PATH_MAX], file[32];
	int fd;

	if (!recovery->search->check->command)
		return (recovery->names[pool] = strdup(name));
	snprintf(file, sizeof(file), "image-%u", pool + 1);
	workplace_path(&recovery->place, file, folder);
	if (mkdir(folder, 0700) < 0 || asprintf(&recovery->names[pool], "%s%s", folder, strrchr(name, '/')) < 0)
		return false;
	fd = open(recovery->names[pool], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool name_pools(struct recovery *recovery)
{
	for (uint32_t i = 0; i < recovery->search->first->start->pool_count; i++) {
		if (!name_pool(recovery, i))
			return false;
	}
	return true;
}

bool recovery_explore(const struct recovery_search *search, void (*found)(const struct exploration_report *, void *),
		      void *arg)
{
	struct recovery recovery = {.search = search, .place = {.lock = -1}};
	struct points points = {0};
	bool whole = false;

	if (snprintf(recovery.place.folder, sizeof(recovery.place.folder), "%s/second", search->workplace->folder) >=
	    (int)sizeof(recovery.place.folder))
		return false;
	if (mkdir(recovery.place.folder, 0700) == 0 && name_pools(&recovery) && choose_points(search->first, &points))
		whole = explore_points(&recovery, &points, found, arg);
	for (uint32_t i = 0; i < IMAGE_POOLS; i++)
		free(recovery.names[i]);
	free(points.numbers);
	directory_clear(recovery.place.folder, NULL, 0);
	return whole;
}
