/* journal.c: an append-only log that acknowledges a line when it is durable: journal append|show FILE [SIZE] */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "map_file.h"

#include <inttypes.h>
#include <time.h>

/* A record counts if its number is the next one and its checksum fits: a torn one never does. */
struct record {
	uint64_t checksum; /* of what follows, and of the journal's identity */
	uint64_t number;   /* from 1 */
	uint64_t length;   /* of the text in bytes */
	char text[];
};

struct journal {
	char magic[8];
	uint64_t identity; /* so that what an earlier journal left in the file is not taken for ours */
	char records[];
};

static const char magic[8] = "JOURNAL1";
static size_t size = 16 << 20;

static struct journal *open_journal(const char *path)
{
	struct journal *journal = map_file(path, &size);

	if (memcmp(journal->magic, magic, sizeof(magic)) != 0) {
		journal->identity = (uint64_t)time(NULL) << 32 ^ (uint64_t)getpid();
		pmem_persist(&journal->identity, sizeof(journal->identity), 0);
		memcpy(journal->magic, magic, sizeof(magic)); /* 8 aligned bytes: all or nothing */
		pmem_persist(journal->magic, sizeof(magic), 0);
	}
	return journal;
}

static uint64_t checksum_of(const struct journal *journal, const struct record *record)
{
	const unsigned char *at = (const unsigned char *)&record->number;
	const unsigned char *end = (const unsigned char *)record->text + record->length;
	uint64_t sum = journal->identity ^ UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	while (at < end)
		sum = (sum ^ *at++) * UINT64_C(0x100000001b3);
	return sum;
}

static struct record *after(const struct record *record)
{
	return (struct record *)(record->text + (record->length + 7) / 8 * 8);
}

static size_t room_from(const struct journal *journal, const struct record *record)
{
	const size_t used = (size_t)((const char *)record - (const char *)journal) + sizeof(*record);

	return used < size ? size - used : 0;
}

static int is_valid(const struct journal *journal, const struct record *record, uint64_t number)
{
	return room_from(journal, record) > 0 && record->number == number &&
	       record->length <= room_from(journal, record) && record->checksum == checksum_of(journal, record);
}

int main(int argc, char *argv[])
{
	const int append = argc >= 3 && strcmp(argv[1], "append") == 0;
	struct journal *journal;
	struct record *record;
	uint64_t number = 1;
	char line[4096];

	if (argc < 3 || argc > 4 || (!append && strcmp(argv[1], "show") != 0)) {
		fprintf(stderr, "usage: journal append|show FILE [SIZE]\n");
		return 2;
	}
	if (argc == 4)
		size = strtoull(argv[3], NULL, 0);
	journal = open_journal(argv[2]);
	for (record = (struct record *)journal->records; is_valid(journal, record, number); record = after(record)) {
		number++;
		if (!append)
			printf("%.*s\n", (int)record->length, record->text);
	}
	for (; append && fgets(line, sizeof(line), stdin); record = after(record)) {
		const size_t length = strcspn(line, "\n");

		if (length > room_from(journal, record))
			die(argv[2], "the journal is full");
		record->number = number;
		record->length = length;
		memcpy(record->text, line, length);
		record->checksum = checksum_of(journal, record);
#ifndef JOURNAL_FORGETS_TO_PERSIST /* script/demo shows how pmem crash finds that */
		pmem_persist(record, sizeof(*record) + length, 0);
#endif
		printf("%" PRIu64 "\n", number++);
		fflush(stdout);
	}
	return 0;
}
