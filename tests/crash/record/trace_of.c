/* trace_of.c: records a program and prints its trace: trace_of [-s SEED] [-u UNIT] POOL... -- PROGRAM [ARGUMENT...] */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line an event, with what does not change from run to run:
 *
 *	THREAD KIND [POOL OFFSET LENGTH] [FLAGS] [BYTES]
 *
 * Bytes that can be printed are, others as hexadecimal; only the first few.
 */
#define _GNU_SOURCE
#include "launch.h"
#include "program.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOWN = 16 }; /* bytes of a payload */

static const char *const names[] = {
	[TRACE_STORE] = "store",   [TRACE_FLUSH] = "flush",   [TRACE_FLUSH_ORDERED] = "flush-ordered",
	[TRACE_FENCE] = "fence",   [TRACE_SYNC] = "sync",     [TRACE_SIZE] = "size",
	[TRACE_OUTPUT] = "output", [TRACE_THREAD] = "thread", [TRACE_MODULE] = "module",
	[TRACE_STACK] = "stack",   [TRACE_REMARK] = "remark",
};

static const char *const flag_names[] = {"unordered", "observed", "unseen", "by-kernel"};

static void print_bytes(const unsigned char *bytes, uint64_t length, uint64_t most)
{
	putchar(' ');
	for (uint64_t i = 0; i < length && i < most; i++) {
		if (isprint(bytes[i]))
			putchar(bytes[i]);
		else if (bytes[i] == '\n')
			printf("\\n");
		else
			printf("\\x%02x", bytes[i]);
	}
}

/* What the stored bytes are without the zeros at their end. */
static uint64_t length_of_text(const struct trace_event *event)
{
	uint64_t length = event->length;

	while (length > 1 && event->payload[length - 1] == 0)
		length--;
	return length;
}

static void print_flags(const struct trace_event *event)
{
	for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (event->flags & 1u << i)
			printf(" %s", flag_names[i]);
	}
}

static void print_event(const struct trace_event *event)
{
	printf("%u %s", event->thread, names[event->kind]);
	if (event->kind == TRACE_STORE || event->kind == TRACE_FLUSH || event->kind == TRACE_FLUSH_ORDERED ||
	    event->kind == TRACE_SYNC)
		printf(" %u %llu %llu", event->pool, (unsigned long long)event->offset,
		       (unsigned long long)event->length);
	if (event->kind == TRACE_SIZE)
		printf(" %u %llu", event->pool, (unsigned long long)event->offset);
	print_flags(event);
	if (event->kind == TRACE_STORE)
		print_bytes(event->payload, length_of_text(event), SHOWN);
	if (event->kind == TRACE_OUTPUT || event->kind == TRACE_REMARK)
		print_bytes(event->payload, event->length, UINT64_MAX);
	putchar('\n');
}

static void print_event_and_place(const struct trace_event *event)
{
	printf("%llx %u: ", (unsigned long long)event->site, event->stack);
	print_event(event);
}

static void print_places(const struct trace_event *event)
{
	if (event->kind == TRACE_STACK) {
		printf("stack %u:", event->stack);
		for (uint64_t i = 0; i < event->length / 8; i++)
			printf(" %llx", (unsigned long long)((const uint64_t *)(const void *)event->payload)[i]);
		putchar('\n');
	}
	if (event->kind == TRACE_MODULE)
		printf("module %s at %llx, %llu bytes\n", (const char *)event->payload,
		       (unsigned long long)event->offset, (unsigned long long)event->length);
}

static void print_trace(const struct launched *launched, bool places)
{
	const struct trace_event *event = NULL;

	while ((event = trace_next(&launched->trace, event))) {
		if (places && (event->kind == TRACE_STACK || event->kind == TRACE_MODULE))
			print_places(event);
		else if (places)
			print_event_and_place(event);
		else if (event->kind != TRACE_STACK && event->kind != TRACE_MODULE && event->kind != TRACE_THREAD)
			print_event(event);
	}
	if (launched->timed_out)
		printf("timed out\n");
	else if (WIFSIGNALED(launched->status))
		printf("signal %s\n", sigabbrev_np(WTERMSIG(launched->status)));
	else
		printf("exit %d\n", WEXITSTATUS(launched->status));
	if (!launched->opened)
		printf("no pool was opened\n");
	if (launched->overrun)
		printf("overrun: %s\n", launched->overrun);
}

static int give_up(char *reason)
{
	fprintf(stderr, "trace_of: %s\n", reason ? reason : "no memory");
	free(reason);
	return 2;
}

int main(int argc, char *argv[])
{
	struct launch launch = {.seconds = 60};
	struct launched launched;
	struct workplace *workplace;
	uint32_t unit = 64, pools = 0;
	bool places = false, quiet = false;
	char *reason = NULL;
	int option;

	while ((option = getopt(argc, argv, "+ps:u:qt:")) >= 0) {
		switch (option) {
		case 'p':
			places = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 's':
			launch.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			launch.seconds = strtod(optarg, NULL);
			break;
		case 'u':
			unit = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	while (optind + (int)pools < argc && strcmp(argv[optind + (int)pools], "--") != 0)
		pools++;
	launch.arguments = argv + optind + pools + 1;
	if (optind + (int)pools + 1 >= argc)
		return give_up(strdup("usage: trace_of [-p] [-s SEED] [-u UNIT] POOL... -- PROGRAM [ARGUMENT...]"));
	launch.program = program_find(launch.arguments[0], &reason);
	launch.recorder = launch.program ? program_recorder(&reason) : NULL;
	workplace = launch.recorder ? workplace_open((const char *const *)argv + optind, pools, unit, &reason) : NULL;
	if (!workplace)
		return give_up(reason);
	if (!launch_run(workplace, &launch, &launched, &reason)) {
		workplace_close(workplace);
		return give_up(reason);
	}
	if (!quiet)
		print_trace(&launched, places);
	fputs(launched.errors, stderr);
	fprintf(stderr, "%zu events, %zu bytes, %.3f s\n", launched.trace.events, launched.trace.used,
		launched.run_seconds);
	launched_free(&launched);
	workplace_close(workplace);
	free((char *)launch.program);
	free((char *)launch.recorder);
	return 0;
}
