/* atomic-without-flush.c: a head that is exchanged atomically is visible to all, and durable for nobody */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

#include <stdatomic.h>

struct node {
	_Alignas(LINE) uint64_t value;
	uint64_t next;
};

struct stack {
	_Alignas(LINE) _Atomic uint64_t head; /* index of a node; 0: none */
	struct node nodes[5];
};

static void push(struct stack *stack, uint64_t at)
{
	struct node *node = &stack->nodes[at];
	uint64_t head = atomic_load(&stack->head);

	node->value = at * at;
	do {
		node->next = head;
		pmem_persist(node, sizeof(*node), 0);
	} while (!atomic_compare_exchange_strong(&stack->head, &head, at)); /* BUG */
	if (IS_FIXED)
		pmem_persist(&stack->head, sizeof(stack->head), 0);
	acknowledge();
}

static void run(void *pool)
{
	for (uint64_t at = 1; at < 5; at++)
		push(pool, at);
}

static bool check(void *pool, size_t promised)
{
	struct stack *stack = pool;
	size_t length = 0;

	for (uint64_t at = atomic_load(&stack->head); at; at = stack->nodes[at].next) {
		if (stack->nodes[at].value != at * at || ++length > 4)
			return false;
	}
	return length >= promised;
}
