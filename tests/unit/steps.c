/* steps.c: what a function executes, one instruction at a time */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "steps.h"

#include "direct_store.h"

#if defined(__x86_64__)

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* An instruction's bytes: prefixes, opcode, operand. */
struct instruction {
	unsigned char bytes[16];
	size_t at;         /* of the opcode */
	bool operand_size; /* 0x66 */
	bool lock;         /* 0xf0 */
	unsigned char rex;
};

static void read_instruction(pid_t child, uintptr_t where, struct instruction *instruction)
{
	struct iovec local = {.iov_base = instruction->bytes, .iov_len = sizeof(instruction->bytes)};
	struct iovec remote = {.iov_base = (void *)where, .iov_len = sizeof(instruction->bytes)};

	memset(instruction, 0, sizeof(*instruction));
	process_vm_readv(child, &local, 1, &remote, 1, 0);
	for (;; instruction->at++) {
		const unsigned char byte = instruction->bytes[instruction->at];

		if (byte == 0x66)
			instruction->operand_size = true;
		else if (byte == 0xf0)
			instruction->lock = true;
		else if ((byte & 0xf0) == 0x40)
			instruction->rex = byte;
		else if (byte != 0xf2 && byte != 0xf3 && byte != 0x3e && byte != 0x2e)
			return;
	}
}

static void encoded_order(const struct user_regs_struct *registers, uintptr_t values[16])
{
	const uintptr_t ordered[] = {
		registers->rax, registers->rcx, registers->rdx, registers->rbx, registers->rsp, registers->rbp,
		registers->rsi, registers->rdi, registers->r8,  registers->r9,  registers->r10, registers->r11,
		registers->r12, registers->r13, registers->r14, registers->r15,
	};

	memcpy(values, ordered, sizeof(ordered));
}

static uintptr_t register_value(const struct user_regs_struct *registers, unsigned number)
{
	uintptr_t values[16];

	encoded_order(registers, values);
	return values[number];
}

/* The address of a memory operand: register, or register + displacement; with or without SIB. */
static uintptr_t operand(const struct instruction *instruction, const struct user_regs_struct *registers)
{
	const unsigned char *at = &instruction->bytes[instruction->at + 2];
	const unsigned mode = *at >> 6;
	unsigned base = (*at & 7) | (instruction->rex & 1) << 3;
	uintptr_t address;

	at++;
	if ((base & 7) == 4) {
		const unsigned index = (*at >> 3 & 7) | (instruction->rex & 2) << 2;

		base = (*at & 7) | (instruction->rex & 1) << 3;
		address = register_value(registers, base);
		if (index != 4)
			address += register_value(registers, index) << (*at >> 6);
		at++;
	} else {
		address = register_value(registers, base);
	}
	if (mode == 1)
		return address + (uintptr_t)(intptr_t)(signed char)*at;
	if (mode == 2) {
		int displacement;

		memcpy(&displacement, at, sizeof(displacement));
		return address + (uintptr_t)(intptr_t)displacement;
	}
	return address;
}

/* Size bytes from the child's memory at from become durable at to; lines outside of what is watched are ignored. */
static void note_durable(pid_t child, struct durable *durable, uintptr_t to, const void *value, uintptr_t from,
			 size_t size)
{
	struct iovec local, remote = {.iov_base = (void *)from, .iov_len = size};

	if (!durable || to < durable->start || to - durable->start > durable->size - size)
		return;
	local = (struct iovec){.iov_base = durable->bytes + (to - durable->start), .iov_len = size};
	if (value)
		memcpy(local.iov_base, value, size);
	else
		process_vm_readv(child, &local, 1, &remote, 1, 0);
}

static void note_direct_store(pid_t child, const struct direct_store *store, struct steps *steps,
			      struct durable *durable)
{
	steps->direct_stores++;
	steps->fenced_last = false;
	note_durable(child, durable, store->to, store->size == 64 ? NULL : &store->value, store->from, store->size);
}

static void note_flush(struct steps *steps, uintptr_t address)
{
	if (steps->flushes < STEPS_LINES_MAX)
		steps->lines[steps->flushes] = address & ~(uintptr_t)63;
	steps->flushes++;
	steps->fenced_last = false;
}

static void note_fence(struct steps *steps)
{
	steps->fences++;
	steps->fenced_last = true;
}

/*
 * Group 15 (0f ae): register forms /6 mfence and /7 sfence; memory forms /7
 * clflush, and with 66 /6 clwb and /7 clflushopt.
 */
static void note(pid_t child, const struct instruction *instruction, const struct user_regs_struct *registers,
		 struct steps *steps, struct durable *durable)
{
	const unsigned char *opcode = &instruction->bytes[instruction->at];
	const unsigned extension = opcode[2] >> 3 & 7;
	const bool in_register = opcode[2] >> 6 == 3;
	uintptr_t values[16], line;
	struct direct_store store;

	steps->instructions++;
	steps->locked += instruction->lock;
	if (opcode[0] != 0x0f)
		return;
	if (opcode[1] == 0x05)
		steps->system_calls++;
	encoded_order(registers, values);
	if (direct_store_decode(instruction->bytes, values, &store))
		note_direct_store(child, &store, steps, durable);
	if (opcode[1] != 0xae)
		return;
	if (in_register && extension >= 6)
		note_fence(steps);
	if (in_register || !(extension == 7 || (extension == 6 && instruction->operand_size)))
		return;
	line = operand(instruction, registers) & ~(uintptr_t)63;
	note_flush(steps, line);
	note_durable(child, durable, line, NULL, line, 64);
}

/* A direct store that the processor refused: the child is taken to the next instruction. */
static bool carry_out(pid_t child, struct user_regs_struct *registers)
{
	struct instruction instruction = {0};
	struct direct_store store;
	uintptr_t values[16];
	char bytes[64];
	struct iovec local = {.iov_base = bytes}, remote;

	read_instruction(child, registers->rip, &instruction);
	encoded_order(registers, values);
	if (!direct_store_decode(instruction.bytes, values, &store))
		return false;
	memcpy(bytes, &store.value, sizeof(store.value));
	local.iov_len = store.size;
	remote = (struct iovec){.iov_base = (void *)store.from, .iov_len = store.size};
	if (store.size == 64 && process_vm_readv(child, &local, 1, &remote, 1, 0) < 0)
		return false;
	remote.iov_base = (void *)store.to;
	registers->rip += store.length;
	return process_vm_writev(child, &local, 1, &remote, 1, 0) == (ssize_t)store.size &&
	       ptrace(PTRACE_SETREGS, child, NULL, registers) == 0;
}

/* One instruction further, and where that is. False when there is none. */
static bool step(pid_t child, struct user_regs_struct *registers)
{
	int status;

	if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
	    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child, NULL, registers) != 0)
		return false;
	return WSTOPSIG(status) == SIGTRAP || (WSTOPSIG(status) == SIGILL && carry_out(child, registers));
}

/* Where the child stands still at the beginning and at the end. */
static void run_between_stops(void (*function)(void *arg), void *arg)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	function(arg);
	__asm__ volatile("syscall" ::"a"(-1L) : "rcx", "r11", "memory"); /* a mark that nothing else leaves */
	_exit(0);
}

/* Steps until the mark: a system call with number -1. What comes before start, if that is given, does not count. */
static bool follow(pid_t child, uintptr_t start, struct steps *steps, struct durable *durable)
{
	struct user_regs_struct registers;
	struct instruction instruction = {0};
	bool inside = start == 0;

	while (step(child, &registers)) {
		inside = inside || registers.rip == start;
		if (!inside)
			continue;
		read_instruction(child, registers.rip, &instruction);
		if (instruction.bytes[0] == 0x0f && instruction.bytes[1] == 0x05 && (long)registers.rax == -1)
			return true;
		note(child, &instruction, &registers, steps, durable);
	}
	return false;
}

/* Runs until the child enters or leaves a system call. */
static bool run_to_system_call(pid_t child)
{
	int status;

	return ptrace(PTRACE_SYSCALL, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
	       WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static bool at_mark(pid_t child)
{
	struct user_regs_struct registers;

	return ptrace(PTRACE_GETREGS, child, NULL, &registers) == 0 && (long)registers.orig_rax == -1;
}

/* A child that stands still before the function. */
static pid_t start_child(void (*function)(void *arg), void *arg)
{
	const pid_t child = fork();
	int status;

	if (child == 0)
		run_between_stops(function, arg);
	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		return -1;
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* How many system calls there are before the mark, those of raise() included. */
static size_t count_system_calls(void (*function)(void *arg), void *arg)
{
	const pid_t child = start_child(function, arg);
	size_t stops = 0;

	if (child < 0)
		return 0;
	while (run_to_system_call(child) && !at_mark(child))
		stops++;
	end_child(child);
	return stops / 2; /* entered, left */
}

bool step_through_durably(void (*function)(void *arg), void *arg, struct steps *steps, struct durable *durable)
{
	const pid_t child = start_child(function, arg);
	bool done;

	memset(steps, 0, sizeof(*steps));
	if (child < 0)
		return false;
	done = follow(child, (uintptr_t)function, steps, durable);
	end_child(child);
	return done;
}

bool step_through_end(void (*function)(void *arg), void *arg, size_t last_calls, struct steps *steps)
{
	const size_t calls = count_system_calls(function, arg);
	const pid_t child = start_child(function, arg);
	bool done = calls >= last_calls;

	memset(steps, 0, sizeof(*steps));
	if (child < 0)
		return false;
	for (size_t i = 0; done && i < 2 * (calls - last_calls); i++)
		done = run_to_system_call(child) && !at_mark(child);
	done = done && follow(child, 0, steps, NULL);
	end_child(child);
	return done;
}

#else

bool step_through_durably(void (*function)(void *arg), void *arg, struct steps *steps, struct durable *durable)
{
	(void)function;
	(void)arg;
	(void)steps;
	(void)durable;
	return false;
}

bool step_through_end(void (*function)(void *arg), void *arg, size_t last_calls, struct steps *steps)
{
	(void)last_calls;
	return step_through(function, arg, steps);
}

#endif

bool step_through(void (*function)(void *arg), void *arg, struct steps *steps)
{
	return step_through_durably(function, arg, steps, NULL);
}
