/* pointer-not-pointee.c: what is flushed is the variable that points to the node, not the node */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct node {
	_Alignas(LINE) uint64_t next; /* offset in the pool; 0: none */
	uint64_t value;
};

struct stack {
	_Alignas(LINE) uint64_t top;
	struct node nodes[4];
};

static void push(struct stack *stack, struct node *node, uint64_t value)
{
	node->next = stack->top; /* BUG */
	node->value = value;     /* BUG */
	pmem_persist(IS_FIXED ? (void *)node : (void *)&node, sizeof(*node), 0);
	stack->top = (uint64_t)((char *)node - (char *)stack);
	pmem_persist(&stack->top, sizeof(stack->top), 0);
}

static void run(void *pool)
{
	struct stack *stack = pool;

	for (uint64_t i = 0; i < 3; i++)
		push(stack, &stack->nodes[i], i + 1);
}

static bool check(void *pool, size_t promised)
{
	const struct stack *stack = pool;
	const struct node *node;
	uint64_t expected = 0;

	(void)promised;
	for (uint64_t at = stack->top; at; at = node->next) {
		node = (const struct node *)((const char *)pool + at);
		if (!node->value || (expected && node->value != expected))
			return false;
		expected = node->value - 1;
	}
	return expected == 0;
}
