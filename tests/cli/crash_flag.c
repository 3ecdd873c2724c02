/* crash_flag.c: a value and a flag that says it is there, for crash.bats: crash_flag WAY POOL [POOL] */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <pmem.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
	uint64_t value;
	char other_line[56];
	uint64_t valid;
	char rest[56];
};

enum { VALUE = 42 };

static struct record *map(const char *path)
{
	const int fd = open(path, O_RDWR);
	struct record *record = fd < 0 ? NULL : pmem_map(fd, sizeof(*record));

	if (!record) {
		fprintf(stderr, "%s cannot be mapped\n", path);
		exit(3);
	}
	close(fd);
	return record;
}

static void store(struct record *record, int forget)
{
	record->value = VALUE;
	if (!forget)
		pmem_persist(&record->value, sizeof(record->value), 0);
	record->valid = 1;
	pmem_persist(&record->valid, sizeof(record->valid), 0);
	printf("stored\n");
	fflush(stdout);
}

/* Is what was promised there, and whole? */
static int is_sound(const struct record *record)
{
	const char *output = getenv("PMEM_CRASH_OUTPUT");
	struct stat status;

	if (record->valid && record->value != VALUE)
		return 0;
	return !output || stat(output, &status) < 0 || status.st_size == 0 || record->valid;
}

/* What a check that finds it broken does. */
static int complain(const char *how)
{
	if (strcmp(how, "abort") == 0)
		abort();
	for (volatile int spin = 1; spin && strcmp(how, "hang") == 0;)
		;
	printf("the value is lost \xff<&\"\n");
	return 1;
}

static int run(const char *way, struct record *record)
{
	if (strcmp(way, "good") == 0)
		return store(record, 0), 0;
	if (strcmp(way, "bad") == 0)
		return store(record, 1), 0;
	if (strcmp(way, "again") == 0) /* its own check */
		return is_sound(record) ? store(record, 1), 0 : complain("abort");
	if (strcmp(way, "die") == 0)
		return raise(SIGTERM);
	return is_sound(record) ? 0 : complain(way);
}

int main(int argc, char *argv[])
{
	char line[16];

	if (argc < 3)
		return 0;
	if (strcmp(argv[1], "input") == 0)
		return fgets(line, sizeof(line), stdin) && strcmp(line, "go\n") == 0 ? run("good", map(argv[2])) : 4;
	if (strcmp(argv[1], "refuse") == 0)
		return fprintf(stderr, "I refuse\n"), 5;
	if (argc > 3)
		map(argv[3])->value = VALUE;
	return run(argv[1], map(argv[2]));
}
