/* crash_replay.h: pmem crash replay: runs the check of a finding on its image again */
/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_CRASH_REPLAY_H
#define PMEM_CRASH_REPLAY_H

#include "command.h"

/* argv[0] is "replay". Exit status: 0 the check passes, 1 it fails again, 2 it could not be run. */
int crash_replay(const struct command *self, int argc, char *argv[]);

#endif
