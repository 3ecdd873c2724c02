/* words.c: counts words in a persistent hash table, a line of text at a time: words count|show FILE */
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

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
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
	for (at += strcspn(at, letters); *at; at += strcspn(at, letters)) {
		const size_t length = strspn(at, letters);
		char word[WORD_SIZE] = "";

		for (size_t i = 0; i < length && i < WORD_SIZE - 1; i++)
			word[i] = (char)tolower((unsigned char)at[i]);
		struct change *const change = change_for(path, word);
		memcpy(change->value.word, word, WORD_SIZE);
		change->value.count++;
		at += length;
	}
	pmem_persist(&table->changes, sizeof(table->changes) + table->changes * sizeof(struct change), 0);
	persist_number(&table->logged, table->lines + 1);
	redo();
}

int main(int argc, char *argv[])
{
	const int count = argc == 3 && strcmp(argv[1], "count") == 0;
	size_t size = 16 << 20;
	char line[LINE_SIZE]; /* a longer line counts as several */

	if (argc != 3 || (!count && strcmp(argv[1], "show") != 0))
		die("usage", "words count|show FILE");
	table = map_file(argv[2], &size);
	slots = size > sizeof(*table) ? (size - sizeof(*table)) / sizeof(struct slot) : 0;
	if (table->logged > table->lines)
		redo();
	while (count && fgets(line, sizeof(line), stdin)) {
		count_line(argv[2], line);
		printf("%" PRIu64 "\n", table->lines);
		fflush(stdout);
	}
	if (!count)
		printf("lines %" PRIu64 "\n", table->lines);
	for (uint64_t i = 0; !count && i < slots; i++)
		if (table->slots[i].count > 0)
			printf("%" PRIu64 " %s\n", table->slots[i].count, table->slots[i].word);
	return 0;
}
