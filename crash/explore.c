/* explore.c: tries the states that a power cut may leave, and finds those that recovery does not survive */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "explore.h"

#include "hints.h"
#include "merge.h"
#include "model_units.h"
#include "plan.h"
#include "worker.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	REPORT_INTERVAL = 100, /* milliseconds */
	RESTARTS_MAX = 1000,   /* workers that recovery has killed */
};

static const double hang_seconds = 1, hang_factor = 100;

struct exploration {
	const struct start *start;
	const struct trace *trace;
	const struct explore_options *options;
	struct judge *judge;
	struct result *result;
	struct shared *shared;
	size_t shared_size;
	double started;
	bool tells_loads;
	uint64_t *newest_hashes; /* of the state with every store, by failure point */
	size_t points;
	pid_t pids[WORKERS_MAX];
	unsigned restarts;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- The control run ------------------------------------------------------------------- */

/* Every store durable, after the whole run: the check must pass. Counts the failure points on the way. */
static enum explore_status control_run(struct exploration *exploration, struct verdict *verdict)
{
	struct model *model = model_new(exploration->start, exploration->trace, exploration->options->model);
	struct trial trial = {.model = model, .judge = exploration->judge, .fresh = true};
	const struct state state = {.newest = true};
	enum explore_status status = EXPLORE_NOT_STARTED;
	size_t room = 0;

	while (model && model_next(model)) {
		if (model->point >= room) {
			uint64_t *more;

			room = room ? room * 2 : 1024;
			more = realloc(exploration->newest_hashes, room * sizeof(more[0]));
			if (!more)
				goto out;
			exploration->newest_hashes = more;
		}
		exploration->newest_hashes[model->point] = trial_hash(model, &state);
		exploration->points = model->point + 1;
	}
	if (!model || model->failed)
		goto out;
	if (exploration->options->control) {
		exploration->tells_loads = exploration->judge->tells_loads;
		status = EXPLORE_DONE;
		goto out;
	}
	exploration->judge->limit = INFINITY;
	if (!trial_run(&trial, &state, true, verdict) || verdict->could_not_start)
		goto out;
	exploration->judge->limit = fmax(hang_seconds, hang_factor * verdict->seconds);
	exploration->judge->tells_loads |= verdict->loads[0] != NULL;
	exploration->tells_loads = exploration->judge->tells_loads;
	status = verdict->passed ? EXPLORE_DONE : EXPLORE_CONTROL_FAILED;
out:
	trial_free(&trial);
	model_free(model);
	return status;
}

/* --- Workers ----------------------------------------------------------------------------- */

static void start_worker(struct exploration *exploration, unsigned number, unsigned round, size_t point)
{
	struct worker worker = {
		.options = exploration->options,
		.shared = exploration->shared,
		.slot = &exploration->shared->slots[number],
		.number = number,
		.count = exploration->options->workers,
		.deadline = exploration->started + exploration->options->budget,
		.tells_loads = exploration->tells_loads,
	};
	const pid_t child = fork();

	if (child != 0) {
		exploration->pids[number] = child;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* a judge may have something to take along */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* the command is told, and tells the workers */
	_exit(worker_run(&worker, exploration->start, exploration->trace, exploration->judge, round, point));
}

/* Recovery has killed the worker: the state that it was trying failed, and another worker goes on there. */
static void worker_died(struct exploration *exploration, unsigned number, int status)
{
	struct slot *slot = &exploration->shared->slots[number];
	const uint64_t hash = atomic_load(&slot->trying);
	const bool spoiled = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_SPOILED;

	if (hash == 0 || ++exploration->restarts > RESTARTS_MAX)
		return; /* if it was not finished, the result says so */
	if (!spoiled &&
	    !shared_add_killer(exploration->shared, hash, WIFSIGNALED(status) ? FAILURE_CRASH : FAILURE_EXIT,
			       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)))
		return;
	atomic_store(&slot->trying, 0);
	start_worker(exploration, number, atomic_load(&slot->round), atomic_load(&slot->point));
}

static void collect_progress(struct exploration *exploration)
{
	const struct shared *shared = exploration->shared;
	struct progress *progress = &exploration->result->progress;
	unsigned round = plan_round_count;

	progress->failure_points = exploration->points;
	progress->states = progress->equal = progress->unread = progress->findings = 0;
	for (unsigned i = 0; i < exploration->options->workers; i++) {
		const struct slot *slot = &shared->slots[i];

		progress->states += atomic_load(&slot->states);
		progress->equal += atomic_load(&slot->equal);
		progress->unread += atomic_load(&slot->unread);
		progress->findings += atomic_load(&slot->record_count);
		if (atomic_load(&slot->round) < round)
			round = atomic_load(&slot->round);
	}
	progress->round = round < plan_round_count ? plan_rounds[round].name : "";
	progress->seconds = now() - exploration->started;
}

static bool any_runs(const struct exploration *exploration)
{
	for (unsigned i = 0; i < exploration->options->workers; i++) {
		if (exploration->pids[i] > 0)
			return true;
	}
	return false;
}

/* Children that are not workers are left alone: they are somebody else's. */
static void reap_workers(struct exploration *exploration)
{
	int status;

	for (unsigned i = 0; i < exploration->options->workers; i++) {
		const pid_t pid = exploration->pids[i];

		if (pid > 0 && waitpid(pid, &status, WNOHANG) == pid) {
			exploration->pids[i] = 0;
			worker_died(exploration, i, status);
		}
	}
}

static void run_workers(struct exploration *exploration)
{
	const struct explore_options *options = exploration->options;
	const struct timespec interval = {.tv_nsec = REPORT_INTERVAL / 20 * 1000000L};
	double reported = 0;

	for (unsigned i = 0; i < options->workers; i++)
		start_worker(exploration, i, 0, 0);
	while (any_runs(exploration)) {
		nanosleep(&interval, NULL);
		reap_workers(exploration);
		if (options->interrupted && *options->interrupted)
			atomic_store(&exploration->shared->stop, true);
		if (options->report && now() - reported > REPORT_INTERVAL * 1e-3) {
			reported = now();
			collect_progress(exploration);
			options->report(&exploration->result->progress, options->arg);
		}
	}
}

static bool all_finished(const struct exploration *exploration)
{
	for (unsigned i = 0; i < exploration->options->workers; i++) {
		if (!atomic_load(&exploration->shared->slots[i].finished))
			return false;
	}
	return true;
}

/* --- Findings ------------------------------------------------------------------------------- */

static const struct trace_event *event_at(const struct exploration *exploration, size_t at)
{
	return at == NO_EVENT ? NULL : (const struct trace_event *)(exploration->trace->bytes + at);
}

static size_t choices_of(const struct model *model, const struct record *record, struct choice *choices)
{
	size_t count = 0;

	for (uint32_t i = 0; i < record->count; i++) {
		struct model_unit *unit = units_find(model, record->choices[i].pool, record->choices[i].offset);

		if (unit && unit->count > 0)
			choices[count++] = (struct choice){
				.unit = unit,
				.version = record->choices[i].version,
				.mask = record->choices[i].mask,
			};
	}
	return count;
}

static bool fill_units(struct finding *finding, const struct record *record)
{
	finding->units = calloc(record->count + 1, sizeof(finding->units[0]));
	if (!finding->units)
		return false;
	for (uint32_t i = 0; i < record->count; i++) {
		finding->units[i] = (struct unit_reference){
			.pool = record->choices[i].pool,
			.offset = record->choices[i].offset,
			.stores = record->choices[i].stores,
			.durable = record->choices[i].version,
		};
	}
	finding->unit_count = record->count;
	return true;
}

static void fill_events(const struct exploration *exploration, struct finding *finding, const struct record *record)
{
	finding->at = event_at(exploration, record->at);
	finding->cut.event = finding->at;
	finding->store.event = event_at(exploration, record->store);
	finding->other.event = event_at(exploration, record->other);
	finding->after.event = event_at(exploration, record->after);
	finding->flush.event = event_at(exploration, record->flush);
	finding->fence.event = event_at(exploration, record->fence);
}

/*
 * Tries the record's state once more, with the check's output kept. True if it
 * fails again. A check that fails by chance is a hint, and not a finding.
 */
static bool confirm(struct exploration *exploration, struct trial *trial, const struct record *record)
{
	struct result *result = exploration->result;
	struct finding *finding = &result->findings[result->finding_count];
	const struct model *model = trial->model;
	struct choice choices[RECORD_CHOICES];
	struct verdict verdict;
	const struct state state = {
		.newest = record->newest,
		.choices = choices,
		.count = choices_of(model, record, choices),
		.other_sizes = record->other_sizes,
	};

	if (!trial_run(trial, &state, true, &verdict))
		return false;
	if (verdict.passed) {
		hints_add_flaky(result, model->at);
		free(verdict.output);
		return false;
	}
	*finding = (struct finding){
		.kind = exploration->options->recovery ? FINDING_RECOVERY : record->kind,
		.how = record->kind,
		.torn = record->torn,
		.failure = verdict.failure,
		.status = verdict.status,
		.failure_point = model->point,
		.states = record->states,
		.output = verdict.output,
		.promised_length = model->output_length,
		.promised = model->output_length ? strndup(model->output, model->output_length) : NULL,
		.image = trial_image(trial, &state),
	};
	fill_events(exploration, finding, record);
	if (!fill_units(finding, record))
		return false;
	result->finding_count++;
	return true;
}

static bool make_findings(struct exploration *exploration)
{
	struct merged *merged = merge_records(exploration->shared, exploration->options->workers, exploration->trace,
					      exploration->newest_hashes);
	struct trial trial = {.judge = exploration->judge, .fresh = true};
	size_t next = 0;
	bool done = false;

	trial.model = model_new(exploration->start, exploration->trace, exploration->options->model);
	if (!merged || !trial.model)
		goto out;
	exploration->result->findings = calloc(merged->count + 1, sizeof(struct finding));
	if (!exploration->result->findings)
		goto out;
	while (next < merged->count && model_next(trial.model)) {
		for (; next < merged->count && merged->records[next].point == trial.model->point; next++)
			confirm(exploration, &trial, &merged->records[next]);
	}
	done = next == merged->count;
out:
	model_free(trial.model);
	trial_free(&trial);
	merge_free(merged);
	return done;
}

static bool make_shared(struct exploration *exploration)
{
	exploration->shared_size = sizeof(struct shared) + exploration->options->workers * sizeof(struct slot);
	exploration->shared = mmap(NULL, exploration->shared_size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (exploration->shared != MAP_FAILED)
		return true;
	exploration->shared = NULL;
	return false;
}

static enum explore_status search(struct exploration *exploration, struct verdict *control)
{
	const enum explore_status status = control_run(exploration, control);

	if (status != EXPLORE_DONE)
		return status;
	if (!make_shared(exploration))
		return EXPLORE_NOT_STARTED;
	run_workers(exploration);
	collect_progress(exploration);
	exploration->result->complete = all_finished(exploration);
	if (!make_findings(exploration) ||
	    !hints_collect(exploration->result, exploration->start, exploration->shared, exploration->options))
		return EXPLORE_NOT_STARTED;
	exploration->result->progress.findings = exploration->result->finding_count;
	if (exploration->options->report)
		exploration->options->report(&exploration->result->progress, exploration->options->arg);
	return EXPLORE_DONE;
}

enum explore_status explore(const struct start *start, const struct trace *trace, const struct explore_options *options,
			    struct judge *judge, struct result *result, struct verdict *control)
{
	struct exploration exploration = {
		.start = start,
		.trace = trace,
		.options = options,
		.judge = judge,
		.result = result,
		.started = now(),
	};
	enum explore_status status = EXPLORE_NOT_STARTED;

	*result = (struct result){
		.trace = trace,
		.model = options->model,
		.seed = options->seed,
		.instrumented = options->instrumented,
	};
	*control = (struct verdict){0};
	if (options->workers <= WORKERS_MAX && judge->begin(judge, 0)) {
		status = search(&exploration, control);
		judge->end(judge);
	}
	if (status == EXPLORE_NOT_STARTED && !control->could_not_start)
		fprintf(stderr, "the search could not be made: no memory\n");
	if (exploration.shared)
		munmap(exploration.shared, exploration.shared_size);
	free(exploration.newest_hashes);
	return status;
}
