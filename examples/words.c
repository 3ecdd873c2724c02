/* words.c: counts words in a persistent hash table, a line of text at a time: words count|show FILE [SIZE] */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "map_file.h"

#include <ctype.h>
#include <inttypes.h>

enum { WORD_SIZE = 24, LINE_SIZE = 1000, CHANGES_MAX = LINE_SIZE / 2 };

struct slot {
	uint64_t count; /* 0: free */
	char word[WORD_SIZE];
};

/* A line's effect as whole new values, so that doing it twice is as good as once. */
struct change {
	uint64_t slot;
	struct slot value;
};

/* The log of line N is complete when logged == N, and done with when lines == N. */
struct table {
	uint64_t lines;
	uint64_t logged;
	uint64_t changes;
	struct change log[CHANGES_MAX];
	struct slot slots[];
};

static struct table *table;
static uint64_t slots;

static void persist_number(uint64_t *at, uint64_t number)
{
	*at = number; /* 8 aligned bytes: all or nothing */
	pmem_persist(at, sizeof(*at), 0);
}

/* What the log says, then the mark that it is done. Also the whole of recovery. */
static void redo(void)
{
	for (uint64_t i = 0; i < table->changes; i++) {
		struct slot *slot = &table->slots[table->log[i].slot];

		*slot = table->log[i].value;
		pmem_flush_cache(slot, sizeof(*slot), 0);
	}
	pmem_fence();
	pmem_drain_pm_stores();
	persist_number(&table->lines, table->logged);
}

static void open_table(const char *path, size_t size)
{
	table = map_file(path, &size);
	slots = size > sizeof(*table) ? (size - sizeof(*table)) / sizeof(struct slot) : 0;
	if (table->logged > table->lines)
		redo();
}

/* A line's new value for a word: in the log already, in the table, or a free slot there. */
static struct change *change_for(const char *path, const char *word)
{
	uint64_t hash = 5381, changes = table->changes;

	for (const char *at = word; *at; at++)
		hash = hash * 33 + (unsigned char)*at;
	for (uint64_t probe = 0; probe < slots; probe++) {
		const uint64_t at = (hash + probe) % slots;
		struct change *change = table->log;

		while (change < table->log + changes && change->slot != at)
			change++;
		if (change == table->log + changes)
			*change = (struct change){.slot = at, .value = table->slots[at]};
		if (change->value.count > 0 && strncmp(change->value.word, word, WORD_SIZE) != 0)
			continue;
		table->changes += change == table->log + changes;
		return change;
	}
	die(path, "the table is full");
}

static void count_line(const char *path, const char *at)
{
	table->changes = 0;
	while (*at) {
		char word[WORD_SIZE] = "";
		size_t length = 0;

		for (; isalnum((unsigned char)*at); at++)
			if (length < WORD_SIZE - 1)
				word[length++] = (char)tolower((unsigned char)*at);
		if (length > 0) {
			struct change *change = change_for(path, word);

			memcpy(change->value.word, word, WORD_SIZE);
			change->value.count++;
		}
		at += *at != '\0' && !isalnum((unsigned char)*at);
	}
	pmem_persist(&table->changes, sizeof(table->changes) + table->changes * sizeof(struct change), 0);
	persist_number(&table->logged, table->lines + 1);
	redo();
}

static void show(void)
{
	printf("lines %" PRIu64 "\n", table->lines);
	for (uint64_t i = 0; i < slots; i++)
		if (table->slots[i].count > 0)
			printf("%" PRIu64 " %s\n", table->slots[i].count, table->slots[i].word);
}

int main(int argc, char *argv[])
{
	const int count = argc >= 3 && strcmp(argv[1], "count") == 0;
	char line[LINE_SIZE]; /* a longer line counts as several */

	if (argc < 3 || argc > 4 || (!count && strcmp(argv[1], "show") != 0)) {
		fprintf(stderr, "usage: words count|show FILE [SIZE]\n");
		return 2;
	}
	open_table(argv[2], argc == 4 ? strtoull(argv[3], NULL, 0) : 16 << 20);
	while (count && fgets(line, sizeof(line), stdin)) {
		count_line(argv[2], line);
		printf("%" PRIu64 "\n", table->lines);
		fflush(stdout);
	}
	if (!count)
		show();
	return 0;
}
