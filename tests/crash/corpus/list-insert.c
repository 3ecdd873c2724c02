/* list-insert.c: a node is linked in before its own link is durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct node {
	_Alignas(LINE) uint64_t value;
	uint64_t next; /* index in the list's nodes; 0: the end */
};

struct list {
	struct node nodes[6]; /* the first is the head */
};

static void insert(struct list *list, uint64_t after, uint64_t at)
{
	list->nodes[at].value = at;                     /* BUG */
	list->nodes[at].next = list->nodes[after].next; /* BUG */
	if (IS_FIXED)
		pmem_persist(&list->nodes[at], sizeof(list->nodes[at]), 0);
	list->nodes[after].next = at;
	pmem_persist(&list->nodes[after], sizeof(list->nodes[after]), 0);
	pmem_persist(&list->nodes[at], sizeof(list->nodes[at]), 0);
	acknowledge();
}

static void run(void *pool)
{
	for (uint64_t at = 1; at < 6; at++)
		insert(pool, 0, at);
}

static bool check(void *pool, size_t promised)
{
	const struct list *list = pool;
	size_t length = 0;

	for (uint64_t at = list->nodes[0].next; at; at = list->nodes[at].next) {
		if (at > 5 || ++length > 5)
			return false;
	}
	return length >= promised;
}
