/* suites.h: one function a suite; their contract is in bench.h */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUITES_H
#define SUITES_H

#include "bench.h"

/* persist.c */
const char *bench_persist(const struct bench *bench, struct suite_results *results, double seconds);
const char *bench_flush_many(const struct bench *bench, struct suite_results *results, double seconds);
const char *bench_look_up(const struct bench *bench, struct suite_results *results, double seconds);
/* copy.c */
const char *bench_copy(const struct bench *bench, struct suite_results *results, double seconds);
const char *bench_fill(const struct bench *bench, struct suite_results *results, double seconds);
/* mapping.c */
const char *bench_mapping(const struct bench *bench, struct suite_results *results, double seconds);
/* page_cache.c */
const char *bench_page_cache(const struct bench *bench, struct suite_results *results, double seconds);

#endif
