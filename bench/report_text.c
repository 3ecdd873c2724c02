/* report_text.c: results as tables for people */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

const char *bench_size_text(size_t length, char text[32])
{
	if (length >= 1 << 20 && length % (1 << 20) == 0)
		snprintf(text, 32, "%zu MiB", length >> 20);
	else if (length >= 1 << 10 && length % (1 << 10) == 0)
		snprintf(text, 32, "%zu KiB", length >> 10);
	else
		snprintf(text, 32, "%zu B", length);
	return text;
}

/* The value of a line "model name : ..." of /proc/cpuinfo, without its newline. */
static void read_processor(char text[128])
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *value;

	snprintf(text, 128, "unknown processor");
	while (file && fgets(line, sizeof(line), file)) {
		value = strchr(line, ':');
		if (value && strncmp(line, "model name", 10) == 0) {
			value[strcspn(value, "\n")] = '\0';
			snprintf(text, 128, "%.120s", value + 2);
			break;
		}
	}
	if (file)
		fclose(file);
}

const char *bench_machine(char text[256])
{
	struct utsname name;
	char processor[128];

	read_processor(processor);
	uname(&name);
	snprintf(text, 256, "%s, %s %.32s, %.16s", processor, name.sysname, name.release, name.machine);
	return text;
}

/* Times in the unit that reads best: 3 digits or 4. */
static void print_time(double nanoseconds)
{
	if (nanoseconds < 10000)
		printf(" %9.1f ns", nanoseconds);
	else if (nanoseconds < 1e7)
		printf(" %9.1f us", nanoseconds / 1e3);
	else
		printf(" %9.1f ms", nanoseconds / 1e6);
}

static void print_time_of(const struct result *result, enum role role)
{
	const struct standing *standing = bench_standing(result, role);

	if (standing)
		print_time(standing->nanoseconds.median);
	else
		printf(" %12s", "-");
}

static void print_ratio(const struct spread *ratio)
{
	if (ratio && ratio->median > 0)
		printf(" %6.2f (%.2f-%.2f)", ratio->median, ratio->low, ratio->high);
	else
		printf(" %18s", "-");
}

static void print_to_library(const struct result *result, enum role role)
{
	const struct standing *standing = bench_standing(result, role);

	if (standing)
		printf(" %8.2f", standing->to_library.median);
	else
		printf(" %8s", "-");
}

static bool has_role(const struct suite_results *suite, enum role role)
{
	return suite->count > 0 && bench_standing(&suite->results[0], role);
}

static void print_head(const struct suite_results *suite)
{
	printf("%-34s %8s %5s %12s %12s %18s", "", "bytes", "N", "floor", "library", "library/floor");
	if (has_role(suite, ROLE_OTHER))
		printf(" %12s", "other");
	if (has_role(suite, ROLE_PEER))
		printf(" %12s %8s", "peer", "peer/lib");
	if (has_role(suite, ROLE_PEER_SAFE))
		printf(" %8s", "safe/lib");
	putchar('\n');
}

static void print_result(const struct suite_results *suite, const struct result *result)
{
	const struct standing *library = bench_standing(result, ROLE_LIBRARY);
	char size[32], count[16] = "";

	if (result->count > 0)
		snprintf(count, sizeof(count), "%u", result->count);
	printf("%-34s %8s %5s", result->state, bench_size_text(result->length, size), count);
	print_time_of(result, ROLE_FLOOR);
	print_time_of(result, ROLE_LIBRARY);
	print_ratio(&library->to_floor);
	if (has_role(suite, ROLE_OTHER))
		print_time_of(result, ROLE_OTHER);
	if (has_role(suite, ROLE_PEER)) {
		print_time_of(result, ROLE_PEER);
		print_to_library(result, ROLE_PEER);
	}
	if (has_role(suite, ROLE_PEER_SAFE))
		print_to_library(result, ROLE_PEER_SAFE);
	if (result->noisy)
		printf("  noisy");
	if (result->peer_is_no_persist)
		printf("  the peer's time is no persist");
	putchar('\n');
}

static void print_contestants(const struct suite_results *suite)
{
	static const char *const role_names[ROLES] = {
		[ROLE_FLOOR] = "floor", [ROLE_CONTROL] = NULL,     [ROLE_LIBRARY] = "library",
		[ROLE_PEER] = "peer",   [ROLE_PEER_SAFE] = "safe", [ROLE_OTHER] = "other",
	};
	const struct result *first = &suite->results[0];

	for (unsigned i = 0; i < first->standing_count; i++) {
		const struct standing *standing = &first->standings[i];

		if (role_names[standing->role])
			printf("%s%s: %s", i ? "; " : "  ", role_names[standing->role], standing->name);
	}
	putchar('\n');
}

static void print_suite(const struct suite_results *suite)
{
	printf("\n%s\n", suite->title);
	if (suite->skipped)
		printf("  not measured: %s\n", suite->skipped);
	if (suite->count == 0)
		return;
	print_contestants(suite);
	print_head(suite);
	for (unsigned i = 0; i < suite->count; i++)
		print_result(suite, &suite->results[i]);
}

void bench_write_text(const struct bench *bench)
{
	char machine[256];

	printf("%s\n", bench_machine(machine));
	printf("peer: %s\n", bench->peer_path ? bench->peer_path : "none (--against LIB.so)");
	printf("Medians, quartiles in brackets. library/floor: 1.00 is as fast as can be.\n"
	       "peer/lib: above 1 this library is faster. safe: the peer made to flush what it stored.\n");
	for (unsigned i = 0; i < bench->suite_count; i++)
		print_suite(&bench->suites[i]);
	if (bench_is_too_noisy(bench))
		printf("\nThis machine is too noisy to tell: in more than a quarter of the trials the floor differs\n"
		       "from itself by more than a twentieth. Run it again when nothing else runs.\n");
}
