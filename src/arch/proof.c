/* proof.c: executing an instruction once, where it may turn out not to exist */
/* SPDX-License-Identifier: BSD-3-Clause */
#include "proof.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char proof_line[256] __attribute__((aligned(256)));

/* Default disposition, and no core file, if the instruction is not there. */
static void attempt_and_exit(int (*attempt)(uintptr_t, uintptr_t))
{
	const struct sigaction fatal = {.sa_handler = SIG_DFL};
	const uintptr_t line = (uintptr_t)proof_line;
	sigset_t none;

	sigemptyset(&none);
	sigaction(SIGILL, &fatal, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_DUMPABLE, 0);
	attempt(line, line + 1);
	syscall(SYS_exit_group, 0);
}

bool proof_by_execution(int (*attempt)(uintptr_t start, uintptr_t end))
{
	int status = 0;
	pid_t child, waited;

	/*
	 * A bare clone with no exit signal: it runs no atfork handlers, sends
	 * no SIGCHLD, and only a wait that asks for such children (__WCLONE)
	 * sees it.
	 */
	child = (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
	if (child < 0)
		return false;
	if (child == 0)
		attempt_and_exit(attempt);
	do {
		waited = waitpid(child, &status, __WCLONE);
	} while (waited < 0 && errno == EINTR);
	return waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
