/* acts.h: what the acts have in common */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_TESTS_ACTS_H
#define PMEM_TESTS_ACTS_H

#include <stdbool.h>
#include <stddef.h>

enum { SIZE = 16384 }; /* bytes of a pool */

extern const char *name, *second_name, *own_path; /* of the pools, and of this program */
extern int pool_fd;
extern char *pool; /* where it is mapped */

/* Ends the program where something does not work that has nothing to do with recording. */
void must(bool condition, const char *what);

/* Writes to descriptor 1, at once. */
void say(const char *text);

/* Stores a text to the mapped pool. */
void put(size_t offset, const char *text);

void open_pool(void);
void map_pool(void);

/* acts_ends.c */
void output_by_stdio(void);
void output_at_once(void);
void output_in_lines(void);
void output_of_wide_characters(void);
void output_without_the_library(void);
void output_to_a_copy(void);
void output_elsewhere(void);
void output_lost_by_exit(void);
void output_lost_by_abort(void);
void crash(void);
void killed(void);
void waits(void);
void many(void);
void fails(void);
void forked(void);
void killed_child(void);
void executed(void);
void executed_by_shell(void);
void spawned(void);
void executed_after_vfork(void);
void second_thread(void);
void mutex_is_a_fence(void);
void mutex_of_one_thread(void);
void signal_handler(void);

#endif
