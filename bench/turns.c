/* turns.c: contestants take turns; medians, quartiles and ratios of what they took */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TURNS_MAX = 400,
	TURNS_MIN = 5,
	OVERTIME = 8, /* times the seconds, after which there are no more turns in any case */
};

static double spent[CONTESTANTS_MAX][TURNS_MAX];

double bench_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static struct spread spread_of(double *values, unsigned count)
{
	qsort(values, count, sizeof(values[0]), ascending);
	return (struct spread){
		.median = count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2,
		.low = values[count / 4],
		.high = values[count - 1 - count / 4],
	};
}

static struct spread spread_of_times(unsigned contestant, unsigned turns)
{
	double values[TURNS_MAX];

	memcpy(values, spent[contestant], turns * sizeof(values[0]));
	return spread_of(values, turns);
}

static struct spread spread_of_ratios(unsigned contestant, unsigned reference, unsigned turns)
{
	double values[TURNS_MAX] = {0};

	for (unsigned i = 0; i < turns; i++)
		values[i] = spent[contestant][i] / spent[reference][i];
	return spread_of(values, turns);
}

/* Forwards and backwards by turns, each time from another one on, so that nobody always has the same neighbour. */
static unsigned who_is_next(unsigned turn, unsigned place, unsigned contestants)
{
	const unsigned at = turn % 2 ? contestants - 1 - place : place;

	return (at + turn / 2) % contestants;
}

static unsigned take_turns(const struct trial *trial, double seconds)
{
	const double start = bench_clock();
	unsigned turn = 0;

	for (; turn < TURNS_MAX; turn++) {
		const double taken = (bench_clock() - start) / 1e9;

		if ((turn >= TURNS_MIN && taken > seconds) || (turn > 0 && taken > seconds * OVERTIME))
			break;
		for (unsigned place = 0; place < trial->contestant_count; place++) {
			const unsigned who = who_is_next(turn, place, trial->contestant_count);

			if (trial->prepare)
				trial->prepare(trial->work);
			spent[who][turn] = trial->contestants[who].turn(trial->work);
		}
	}
	return turn;
}

static unsigned index_of(const struct result *result, enum role role)
{
	unsigned found = CONTESTANTS_MAX;

	for (unsigned i = 0; i < result->standing_count; i++) {
		const struct standing *standing = &result->standings[i];

		if (standing->role == role &&
		    (found == CONTESTANTS_MAX ||
		     standing->nanoseconds.median < result->standings[found].nanoseconds.median))
			found = i;
	}
	return found;
}

const struct standing *bench_standing(const struct result *result, enum role role)
{
	const unsigned index = index_of(result, role);

	return index < CONTESTANTS_MAX ? &result->standings[index] : NULL;
}

/* A floor that is not within a twentieth of itself, or scatters by a third, says nothing of others. */
static bool is_noisy(const struct result *result, unsigned turns)
{
	const unsigned control = index_of(result, ROLE_CONTROL);
	struct spread itself;

	if (control == CONTESTANTS_MAX)
		return false;
	itself = spread_of_ratios(control, 0, turns);
	return itself.median < 0.95 || itself.median > 1.05 || itself.high - itself.low > 0.33;
}

static struct result *append(struct suite_results *results)
{
	results->results = realloc(results->results, (results->count + 1) * sizeof(results->results[0]));
	if (!results->results)
		abort();
	return &results->results[results->count++];
}

void bench_measure(struct suite_results *results, const struct trial *trial, double seconds)
{
	const unsigned turns = take_turns(trial, seconds);
	struct result *result = append(results);
	unsigned floor, library;

	*result = (struct result){
		.state = trial->state,
		.length = trial->length,
		.count = trial->count,
		.turns = turns,
		.standing_count = trial->contestant_count,
	};
	for (unsigned i = 0; i < trial->contestant_count; i++) {
		result->standings[i].name = trial->contestants[i].name;
		result->standings[i].role = trial->contestants[i].role;
		result->standings[i].nanoseconds = spread_of_times(i, turns);
	}
	floor = index_of(result, ROLE_FLOOR);
	library = index_of(result, ROLE_LIBRARY);
	for (unsigned i = 0; i < trial->contestant_count; i++) {
		if (floor < CONTESTANTS_MAX)
			result->standings[i].to_floor = spread_of_ratios(i, floor, turns);
		result->standings[i].to_library = spread_of_ratios(i, library, turns);
	}
	result->noisy = is_noisy(result, turns);
}

bool bench_is_too_noisy(const struct bench *bench)
{
	unsigned noisy = 0, all = 0;

	for (unsigned i = 0; i < bench->suite_count; i++) {
		for (unsigned j = 0; j < bench->suites[i].count; j++)
			noisy += bench->suites[i].results[j].noisy;
		all += bench->suites[i].count;
	}
	return noisy > all / 4;
}
