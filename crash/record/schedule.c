/* schedule.c: threads that run one at a time, in an order that a seed decides */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "schedule.h"

#include "recording.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum state {
	STATE_FREE,    /* no thread */
	STATE_READY,   /* can go on */
	STATE_WAITING, /* for what happens to its key, or for its deadline */
	STATE_AWAY,    /* in a call that may wait for anything */
};

/* A thread that takes turns. */
struct place {
	enum state state;
	_Atomic uint32_t wake; /* counts the times that it was given the turn; it sleeps here */
	const void *key;
	uint64_t deadline;
	pthread_t handle;
	bool has_handle;
	struct record_thread *thread;
	uint32_t id;             /* the kernel's */
	_Atomic uint64_t points; /* that it has passed */
};

enum {
	PLACES = 1024,
	NOBODY = -1,
	LOOK = 5 * 1000 * 1000, /* nanoseconds: who waits for the turn looks so often whether its holder is stuck */
	LOOKS_ASLEEP = 2,       /* in the kernel, until the holder has lost the turn */
	LOOKS_RUNNING = 40,     /* without a schedule point */
};

bool schedule_active;

static struct place places[PLACES];
static int places_used; /* the highest ever in use, and one */
static _Atomic int holder = NOBODY;
static atomic_flag lock = ATOMIC_FLAG_INIT;
static uint64_t random_state;
static unsigned switch_mask; /* the turn goes on where a random number has none of these bits */
static _Thread_local int self = NOBODY;
static _Thread_local unsigned inside; /* this file; a signal handler that comes then takes no part */
static int looked_last;               /* the place that was allowed to look again where nobody can run */

/* What the watchers of the holder have seen of it. */
static struct {
	int holder;
	uint64_t points;
	unsigned looks;
} watched = {.holder = NOBODY};

/* The critical sections are short, and a thread that is interrupted in one is soon back. */
static void acquire(void)
{
	inside++;
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		syscall(SYS_sched_yield);
}

static void release(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
	inside--;
}

uint64_t schedule_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t draw(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1du >> 16;
}

/* --- Whose turn is next. With the lock. ---------------------------------------------- */

static bool can_run(const struct place *place, uint64_t now)
{
	if (place->state == STATE_READY)
		return true;
	return place->state == STATE_WAITING && place->deadline != SCHEDULE_NO_DEADLINE && place->deadline <= now;
}

static bool any_deadline(void)
{
	for (int i = 0; i < places_used; i++) {
		if (places[i].state == STATE_WAITING && places[i].deadline != SCHEDULE_NO_DEADLINE)
			return true;
	}
	return false;
}

/* Drawn from those that can run, all with the same chance; NOBODY if none can. */
static int choose(void)
{
	const uint64_t now = any_deadline() ? schedule_now() : 0;
	int candidates = 0, wanted;

	for (int i = 0; i < places_used; i++)
		candidates += can_run(&places[i], now);
	if (candidates == 0)
		return NOBODY;
	wanted = candidates == 1 ? 0 : (int)(draw() % (unsigned)candidates);
	for (int i = 0; i < places_used; i++) {
		if (can_run(&places[i], now) && wanted-- == 0)
			return i;
	}
	return NOBODY;
}

static void give_turn(int next)
{
	atomic_store(&holder, next);
	if (next == NOBODY || next == self)
		return;
	atomic_fetch_add(&places[next].wake, 1);
	syscall(SYS_futex, &places[next].wake, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* --- A holder that is stuck ------------------------------------------------------------ */

/* A thread in the recorder waits for the command or for another process, and will go on. */
static bool holder_is_stuck(int stuck)
{
	const struct place *place = &places[stuck];
	const uint64_t points = atomic_load(&place->points);
	char state = 'R'; /* it is being born */

	if (place->thread)
		state = record_thread_state(place->id);

	if (watched.holder != stuck || watched.points != points) {
		watched.holder = stuck;
		watched.points = points;
		watched.looks = 0;
	}
	watched.looks++;
	if (state == 'X' || state == 'Z')
		return true;
	if (!place->thread || place->thread->inside)
		return false;
	return watched.looks >= (state == 'S' ? LOOKS_ASLEEP : LOOKS_RUNNING);
}

/* With the lock. Nobody can run: those that wait for something look again in turns. */
static int next_to_look(void)
{
	for (int i = 1; i <= places_used; i++) {
		const int place = (looked_last + i) % places_used;

		if (places[place].state == STATE_WAITING)
			return looked_last = place;
	}
	return NOBODY;
}

/* The calling thread has waited for the turn in vain for a while. */
static void look_for_turn(void)
{
	int now_holder, next;

	acquire();
	now_holder = atomic_load(&holder);
	if (now_holder != NOBODY && now_holder != self && holder_is_stuck(now_holder)) {
		places[now_holder].state = STATE_AWAY;
		now_holder = NOBODY;
	}
	if (now_holder == NOBODY) {
		next = choose();
		give_turn(next == NOBODY ? next_to_look() : next);
	}
	release();
}

/* Until the next look; a thread that sleeps looks when its time has come. */
static struct timespec time_to_look(void)
{
	const struct place *place = &places[self];
	uint64_t nanoseconds = LOOK, now;

	if (place->state == STATE_WAITING && place->deadline != SCHEDULE_NO_DEADLINE) {
		now = schedule_now();
		if (place->deadline <= now)
			nanoseconds = 1;
		else if (place->deadline - now < LOOK)
			nanoseconds = place->deadline - now;
	}
	return (struct timespec){.tv_nsec = (long)nanoseconds};
}

static void wait_for_turn(void)
{
	const int error = errno;

	inside++;
	for (;;) {
		const uint32_t seen = atomic_load(&places[self].wake);
		struct timespec look;

		if (atomic_load(&holder) == self)
			break;
		look = time_to_look();
		if (syscall(SYS_futex, &places[self].wake, FUTEX_WAIT_PRIVATE, seen, &look, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			look_for_turn();
	}
	inside--;
	errno = error;
}

/* --- What threads do ---------------------------------------------------------------------- */

/* The calling thread gives up the turn in this state, until it has it again. */
static void pass_turn(enum state state, const void *key, uint64_t deadline)
{
	struct place *place = &places[self];

	acquire();
	place->state = state;
	place->key = key;
	place->deadline = deadline;
	if (atomic_load(&holder) == self || atomic_load(&holder) == NOBODY)
		give_turn(choose());
	release();
	if (state == STATE_AWAY)
		return;
	wait_for_turn();
}

bool schedule_takes_part(void)
{
	return schedule_active && self != NOBODY && !inside && !record_self.inside;
}

void schedule_point(void)
{
	if (!schedule_takes_part())
		return;
	atomic_fetch_add_explicit(&places[self].points, 1, memory_order_relaxed);
	if (atomic_load(&holder) != self)
		pass_turn(STATE_READY, NULL, SCHEDULE_NO_DEADLINE); /* it was lost */
	if (places_used > 1 && (draw() & switch_mask) == 0)
		pass_turn(STATE_READY, NULL, SCHEDULE_NO_DEADLINE);
}

bool schedule_wait(const void *key, uint64_t deadline)
{
	bool in_time;

	atomic_fetch_add_explicit(&places[self].points, 1, memory_order_relaxed);
	pass_turn(STATE_WAITING, key, deadline);
	in_time = places[self].state == STATE_READY || deadline == SCHEDULE_NO_DEADLINE || schedule_now() < deadline;
	places[self].state = STATE_READY;
	return in_time;
}

bool schedule_wake(const void *key, bool all)
{
	bool any = false;

	if (!schedule_active || inside || record_self.inside)
		return false;
	acquire();
	for (int i = 0; i < places_used && (all || !any); i++) {
		if (places[i].state != STATE_WAITING || places[i].key != key)
			continue;
		places[i].state = STATE_READY;
		any = true;
	}
	release();
	return any;
}

void schedule_leave(void)
{
	if (schedule_takes_part())
		pass_turn(STATE_AWAY, NULL, SCHEDULE_NO_DEADLINE);
}

void schedule_return(void)
{
	const int error = errno;

	if (!schedule_takes_part())
		return;
	acquire();
	places[self].state = STATE_READY;
	if (atomic_load(&holder) == NOBODY)
		give_turn(choose());
	release();
	wait_for_turn();
	errno = error;
}

/* --- Threads come and go -------------------------------------------------------------------- */

static void take(int place)
{
	self = place;
	places[place].thread = &record_self;
	places[place].id = record_thread_id();
}

void schedule_start(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15u | 1;
	/* From a change at every other point to one at every 64th: different bugs want different patience. */
	switch_mask = (1u << (1 + (seed - 1) % 3 * 5 / 2)) - 1;
	places_used = 1;
	places[0] = (struct place){.state = STATE_READY, .handle = pthread_self(), .has_handle = true};
	take(0);
	atomic_store(&holder, 0);
	schedule_active = true;
}

void schedule_restart(void)
{
	if (!schedule_active)
		return;
	atomic_flag_clear(&lock);
	inside = 0;
	memset(places, 0, (size_t)places_used * sizeof(places[0]));
	schedule_start(random_state);
}

int schedule_place(void)
{
	int place = 0;

	if (!schedule_takes_part())
		return NOBODY;
	acquire();
	while (place < PLACES && places[place].state != STATE_FREE)
		place++;
	if (place < PLACES) {
		places[place] = (struct place){.state = STATE_AWAY};
		if (place == places_used)
			places_used++;
	}
	release();
	return place < PLACES ? place : NOBODY;
}

void schedule_created(int place, pthread_t handle)
{
	if (place == NOBODY)
		return;
	acquire();
	places[place].handle = handle;
	places[place].has_handle = true;
	places[place].state = STATE_READY;
	release();
}

void schedule_not_created(int place)
{
	if (place == NOBODY)
		return;
	acquire();
	places[place].state = STATE_FREE;
	release();
}

void schedule_begin(int place)
{
	if (place == NOBODY)
		return;
	take(place);
	wait_for_turn();
}

void schedule_end(void)
{
	if (!schedule_takes_part())
		return;
	if (atomic_load(&holder) != self)
		pass_turn(STATE_READY, NULL, SCHEDULE_NO_DEADLINE);
	schedule_wake(&places[self], true);
	acquire();
	places[self].state = STATE_FREE;
	places[self].has_handle = false;
	give_turn(choose());
	release();
	self = NOBODY;
}

const void *schedule_thread_key(pthread_t handle)
{
	const void *key = NULL;

	acquire();
	for (int i = 0; i < places_used && !key; i++) {
		if (places[i].state != STATE_FREE && places[i].has_handle && pthread_equal(places[i].handle, handle))
			key = &places[i];
	}
	release();
	return key;
}
