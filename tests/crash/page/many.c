/* many.c: a program of many events, with one line whose stores are in the wrong order: many POOL [check] */
/* SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <pmem.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { SLOTS = 4000, ROUNDS = 12600, FACTOR = 7, STEP = 37 };

struct slot {
	uint64_t sum, value;
	char rest[48];
};

static int check(const struct slot *slots)
{
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].sum != slots[i].value * FACTOR)
			return printf("slot %d is torn\n", i), 1;
	}
	return 0;
}

int main(int argc, char *argv[])
{
	const int fd = argc > 1 ? open(argv[1], O_RDWR) : -1;
	struct slot *slots = fd < 0 ? NULL : pmem_map(fd, SLOTS * sizeof(*slots));

	if (!slots)
		return 2;
	if (argc > 2)
		return check(slots);
	for (int i = 0; i < ROUNDS; i++) {
		struct slot *slot = &slots[i * STEP % SLOTS];

		slot->value = (uint64_t)i;
		slot->sum = (uint64_t)i * FACTOR;
		pmem_persist(slot, sizeof(slot->value) + sizeof(slot->sum), 0);
	}
	close(fd);
	return 0;
}
