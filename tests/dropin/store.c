/* store.c: a libpmemobj program: a list and a map, changed together in transactions, and checked after it was killed */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: store run FILE SEED [CHANGES]	changes the store, so often or until it is killed, and says each change's
 *						number when it is done
 *        store check FILE N		fails unless change N is in the store and all of it fits together
 *
 * Every entry is in the map, by its key, and in the list, in the order in which
 * it came. A change adds an entry, or moves one to the end of the list with a
 * new value, or removes the oldest.
 */
#include <libpmemobj.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUCKETS = 256, KEYS = 4000, ENTRIES_MAX = 2000, POOL = 32 << 20, TEXT_MAX = 400 };

POBJ_LAYOUT_BEGIN(store);
POBJ_LAYOUT_ROOT(store, struct root);
POBJ_LAYOUT_TOID(store, struct entry);
POBJ_LAYOUT_END(store);

struct entry {
	uint64_t key;
	uint64_t change; /* the number of the change that wrote it */
	uint64_t sum;    /* of key, change and text */
	TOID(struct entry) next_in_bucket;
	TOID(struct entry) next, previous;
	uint32_t length;
	char text[];
};

struct root {
	uint64_t change; /* the number of the last one */
	uint64_t count;
	TOID(struct entry) oldest, newest;
	TOID(struct entry) buckets[BUCKETS];
};

static PMEMobjpool *pool;
static TOID(struct root) root;

static void stop(const char *what)
{
	fprintf(stderr, "store: %s: %s\n", what, pmemobj_errormsg());
	exit(1);
}

static uint64_t sum_of(const struct entry *entry)
{
	uint64_t sum = entry->key * 31 + entry->change * 1009 + entry->length;

	for (uint32_t i = 0; i < entry->length; i++)
		sum = sum * 131 + (unsigned char)entry->text[i];
	return sum;
}

static TOID(struct entry) * bucket_of(uint64_t key)
{
	return &D_RW(root)->buckets[key % BUCKETS];
}

/* --- Changes: in a transaction -------------------------------------------------------------------- */

static void link_newest(TOID(struct entry) entry)
{
	TX_ADD_DIRECT(bucket_of(D_RO(entry)->key));
	TX_ADD_FIELD(root, newest);
	TX_ADD_FIELD(root, count);
	D_RW(entry)->next_in_bucket = *bucket_of(D_RO(entry)->key);
	*bucket_of(D_RO(entry)->key) = entry;
	D_RW(entry)->previous = D_RO(root)->newest;
	if (TOID_IS_NULL(D_RO(root)->newest)) {
		TX_SET(root, oldest, entry);
	} else {
		TX_SET(D_RW(root)->newest, next, entry);
	}
	D_RW(root)->newest = entry;
	D_RW(root)->count++;
}

static void unlink_entry(TOID(struct entry) entry)
{
	TOID(struct entry) *at = bucket_of(D_RO(entry)->key);

	while (!TOID_EQUALS(*at, entry))
		at = &D_RW(*at)->next_in_bucket;
	TX_ADD_DIRECT(at);
	*at = D_RO(entry)->next_in_bucket;
	if (TOID_IS_NULL(D_RO(entry)->previous))
		TX_SET(root, oldest, D_RO(entry)->next);
	else
		TX_SET(D_RW(entry)->previous, next, D_RO(entry)->next);
	if (TOID_IS_NULL(D_RO(entry)->next))
		TX_SET(root, newest, D_RO(entry)->previous);
	else
		TX_SET(D_RW(entry)->next, previous, D_RO(entry)->previous);
	TX_SET(root, count, D_RO(root)->count - 1);
	TX_FREE(entry);
}

static TOID(struct entry) find(uint64_t key)
{
	TOID(struct entry) entry = *bucket_of(key);

	while (!TOID_IS_NULL(entry) && D_RO(entry)->key != key)
		entry = D_RO(entry)->next_in_bucket;
	return entry;
}

static void write_entry(uint64_t key, uint64_t change, uint32_t length)
{
	TOID(struct entry) entry = TX_ZALLOC(struct entry, sizeof(struct entry) + length);
	struct entry *at = D_RW(entry);

	at->key = key;
	at->change = change;
	at->length = length;
	for (uint32_t i = 0; i < length; i++)
		at->text[i] = (char)('a' + (key + change + i) % 26);
	at->sum = sum_of(at);
	link_newest(entry);
}

static void change_store(uint64_t key, uint32_t length)
{
	TOID(struct entry) old;

	TX_BEGIN(pool)
	{
		TX_ADD_FIELD(root, change);
		D_RW(root)->change++;
		old = find(key);
		if (!TOID_IS_NULL(old))
			unlink_entry(old);
		if (D_RO(root)->count >= ENTRIES_MAX)
			unlink_entry(D_RO(root)->oldest);
		write_entry(key, D_RO(root)->change, length);
	}
	TX_ONABORT
	{
		stop("a transaction was aborted");
	}
	TX_END
}

static int run(unsigned seed, uint64_t changes)
{
	char line[32];

	for (uint64_t i = 0; i < changes; i++) {
		change_store((uint64_t)rand_r(&seed) % KEYS, (uint32_t)rand_r(&seed) % TEXT_MAX);
		snprintf(line, sizeof(line), "%ju\n", (uintmax_t)D_RO(root)->change);
		if (write(STDOUT_FILENO, line, strlen(line)) < 0)
			return 1;
	}
	return 0;
}

/* --- What must be true ------------------------------------------------------------------------------- */

static const char *fault_of(TOID(struct entry) entry, uint64_t change_before)
{
	const struct entry *at = D_RO(entry);

	if (at->sum != sum_of(at))
		return "an entry is torn";
	if (at->change <= change_before || at->change > D_RO(root)->change)
		return "the list is not in order";
	if (!TOID_EQUALS(find(at->key), entry))
		return "an entry of the list is not in the map";
	return NULL;
}

static uint64_t count_map(void)
{
	uint64_t count = 0;

	for (int i = 0; i < BUCKETS; i++) {
		for (TOID(struct entry) at = D_RO(root)->buckets[i]; !TOID_IS_NULL(at); at = D_RO(at)->next_in_bucket)
			count++;
	}
	return count;
}

static const char *fault_of_store(uint64_t acknowledged)
{
	TOID(struct entry) previous = TOID_NULL(struct entry);
	const char *fault = NULL;
	uint64_t count = 0, change = 0;

	for (TOID(struct entry) at = D_RO(root)->oldest; !TOID_IS_NULL(at) && !fault; at = D_RO(at)->next) {
		fault = TOID_EQUALS(D_RO(at)->previous, previous) ? fault_of(at, change)
								  : "the list is not linked both ways";
		change = D_RO(at)->change;
		previous = at;
		count++;
	}
	if (fault)
		return fault;
	if (D_RO(root)->change < acknowledged)
		return "an acknowledged change is lost";
	if (change != D_RO(root)->change)
		return "the newest entry is not of the last change";
	if (count != D_RO(root)->count || count_map() != count)
		return "the counts of list, map and root differ";
	return NULL;
}

static int check(uint64_t acknowledged)
{
	const char *fault = fault_of_store(acknowledged);

	if (fault) {
		printf("%s, after change %ju of %ju\n", fault, (uintmax_t)D_RO(root)->change, (uintmax_t)acknowledged);
		return 1;
	}
	printf("%ju changes, %ju entries\n", (uintmax_t)D_RO(root)->change, (uintmax_t)D_RO(root)->count);
	return 0;
}

/* A device-dax has the size that it has. An existing pool is opened; "run" makes one where there is none. */
static PMEMobjpool *open_pool(const char *path, bool make)
{
	PMEMobjpool *opened = pmemobj_open(path, POBJ_LAYOUT_NAME(store));

	if (opened || !make)
		return opened;
	return pmemobj_create(path, POBJ_LAYOUT_NAME(store), strncmp(path, "/dev/dax", 8) == 0 ? 0 : POOL, 0666);
}

int main(int argc, char *argv[])
{
	const bool running = argc > 1 && strcmp(argv[1], "run") == 0;
	uint64_t changes;
	int result;

	if (argc != 4 && !(running && argc == 5))
		return 2;
	changes = argc == 5 ? strtoull(argv[4], NULL, 10) : UINT64_MAX;
	pool = open_pool(argv[2], running);
	if (!pool)
		stop(argv[2]);
	root = POBJ_ROOT(pool, struct root);
	result = running ? run((unsigned)atoi(argv[3]), changes) : check(strtoull(argv[3], NULL, 10));
	pmemobj_close(pool);
	return result;
}
