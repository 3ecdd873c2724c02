/* bench.h: what is measured, against what, and what came of it */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A suite is a list of trials. In a trial several contestants do the same work
 * in turns, in rotating order, in one process that is pinned to one processor;
 * what is compared is neighbouring turns, so that what drifts drifts for all.
 * Ratios hold; nanoseconds are of this machine and hour.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum role {
	ROLE_FLOOR,     /* the fewest instructions or system calls that do it; of several, the fastest counts */
	ROLE_CONTROL,   /* the first floor again: how far it is from itself is how far to trust the rest */
	ROLE_LIBRARY,   /* this library */
	ROLE_PEER,      /* the other library, as its programs use it */
	ROLE_PEER_SAFE, /* the other library, made to flush what it stored */
	ROLE_OTHER,     /* another way to do it, to compare with */
	ROLES,
};

struct contestant {
	const char *name;
	enum role role;
	double (*turn)(void *work); /* one turn; nanoseconds a call */
};

enum { CONTESTANTS_MAX = 8 };

struct trial {
	const char *state; /* of the destination, or another word for what differs from the next trial */
	size_t length;     /* bytes a call */
	unsigned count;    /* of ranges or mappings, 0 where there is but one */
	const struct contestant *contestants;
	unsigned contestant_count;
	void (*prepare)(void *work); /* before each turn, not timed; NULL for none */
	void *work;
};

struct spread {
	double median, low, high; /* low and high are the quartiles */
};

struct standing {
	const char *name;
	enum role role;
	struct spread nanoseconds; /* a call */
	struct spread to_floor;    /* time divided by the floor's */
	struct spread to_library;  /* time divided by the library's: above 1 the library is faster */
};

struct result {
	const char *state;
	size_t length;
	unsigned count;
	unsigned turns;
	struct standing standings[CONTESTANTS_MAX];
	unsigned standing_count;
	bool noisy;              /* the floor differs from itself */
	bool peer_is_no_persist; /* the peer took less time than flushing alone takes */
};

struct suite_results {
	const char *name, *title;
	const char *skipped; /* why there are no results, NULL if there are */
	struct result *results;
	unsigned count;
};

struct bench {
	const char *directory; /* for files; NULL for the defaults */
	const char *peer_path; /* NULL for none */
	double seconds;        /* for everything */
	struct suite_results *suites;
	unsigned suite_count;
};

/* Trials that belong together, with their share of the time. */
struct suite {
	const char *name, *title;
	double share; /* of the time */
	/* Measures each trial, in seconds altogether. NULL, or why it cannot be done here. */
	const char *(*run)(const struct bench *bench, struct suite_results *results, double seconds);
};

/* In the order in which they run; ended by one without a name. */
extern const struct suite bench_suites[];

/* Runs every suite. 0, or -1 after a message on stderr. */
int bench_run(struct bench *bench);

/* Does one trial for that many seconds and appends what came of it. */
void bench_measure(struct suite_results *results, const struct trial *trial, double seconds);

/* The standing with that role; of several floors the fastest. NULL if there is none. */
const struct standing *bench_standing(const struct result *result, enum role role);

/* Is so much noise about that the ratios are not to be trusted? */
bool bench_is_too_noisy(const struct bench *bench);

/* Nanoseconds, from some time on. */
double bench_clock(void);

/* Writers of reports; whether all could be written the caller asks the stream. */
void bench_write_text(const struct bench *bench);
void bench_write_json(const struct bench *bench);
void bench_write_html(const struct bench *bench, FILE *out);

/* "64 B", "4 KiB", "16 MiB"; in a buffer of the caller's. */
const char *bench_size_text(size_t length, char text[32]);

/* What the processor and the kernel call themselves. */
const char *bench_machine(char text[256]);

#endif
