/* short-range.c: only the first line of a message of two lines is made durable */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "corpus.h"

struct message {
	_Alignas(LINE) uint64_t number;
	uint64_t words[15];
};

struct mailbox {
	_Alignas(LINE) uint64_t last;
	struct message messages[3];
};

static void run(void *pool)
{
	struct mailbox *box = pool;

	for (uint64_t i = 0; i < 3; i++) {
		struct message *message = &box->messages[i];

		message->number = i + 1;
		for (unsigned word = 0; word < 15; word++)
			message->words[word] = i + 1; /* BUG */
		pmem_persist(message, IS_FIXED ? sizeof(*message) : sizeof(message), 0);
		box->last = i + 1;
		pmem_persist(&box->last, sizeof(box->last), 0);
	}
}

static bool check(void *pool, size_t promised)
{
	const struct mailbox *box = pool;

	(void)promised;
	for (uint64_t i = 0; i < box->last; i++) {
		for (unsigned word = 0; word < 15; word++) {
			if (box->messages[i].words[word] != i + 1)
				return false;
		}
	}
	return box->last <= 3;
}
