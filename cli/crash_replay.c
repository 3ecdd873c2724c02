/* crash_replay.c: pmem crash replay: runs the check of a finding on its image again */
/* SPDX-License-Identifier: BSD-3-Clause */
#define _GNU_SOURCE
#include "crash_replay.h"

#include "keep.h"
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPLAY_PASSES = 0, REPLAY_FAILS = 1, GO_ON = -1 };

struct replay {
	const struct command *self;
	bool debug;
	const char *keep;
	const char *images[IMAGE_POOLS]; /* to be written */
	uint32_t image_count;
	const char *id;
	struct kept *kept;
	char *recorder;
	char folder[64];
	struct check_room room;
};

static const struct option long_options[] = {
	{"debug", no_argument, NULL, 'd'},
	{"image", required_argument, NULL, 'i'},
	{"keep", required_argument, NULL, 'k'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int parse(struct replay *replay, int argc, char *argv[])
{
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		switch (option) {
		case 'd':
			replay->debug = true;
			break;
		case 'i':
			if (replay->image_count == IMAGE_POOLS)
				return command_bad_usage(replay->self,
							 "replay: --image %s: there are not so many pools", optarg);
			replay->images[replay->image_count++] = optarg;
			break;
		case 'k':
			replay->keep = optarg;
			break;
		case 'h':
			return command_print_help(replay->self);
		default:
			return command_bad_usage(replay->self, NULL);
		}
	}
	if (argc - optind != 1)
		return command_bad_usage(replay->self, "replay: which finding? give its id, as the report has it");
	replay->id = argv[optind];
	return GO_ON;
}

static int load(struct replay *replay)
{
	char *directory = keep_directory(replay->keep), *reason = NULL;
	int status = GO_ON;

	replay->kept = directory ? keep_load(directory, replay->id, &reason) : NULL;
	if (!directory)
		status =
			command_cannot(replay->self, "replay: HOME is not set; --keep names the directory of findings");
	else if (!replay->kept)
		status = command_cannot(replay->self, "replay: %s", reason ? reason : "no memory");
	else if (replay->image_count > replay->kept->pool_count)
		status = command_bad_usage(replay->self,
					   "replay: --image is given %u times, and the finding has %u pools",
					   replay->image_count, replay->kept->pool_count);
	free(reason);
	free(directory);
	return status;
}

/* --- Images ------------------------------------------------------------------------------- */

/* Holes stay holes. */
static bool copy_data(int from, int to, off_t size)
{
	off_t data = 0, hole;

	while (data < size && (data = lseek(from, data, SEEK_DATA)) >= 0) {
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || lseek(to, data, SEEK_SET) < 0)
			return false;
		while (data < hole) {
			if (sendfile(to, from, &data, (size_t)(hole - data)) <= 0)
				return false;
		}
	}
	return data >= 0 || errno == ENXIO;
}

static int copy_file(const struct replay *replay, const char *from_path, const char *to_path)
{
	const int from = open(from_path, O_RDONLY | O_CLOEXEC);
	const int to = open(to_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat status;
	const bool copied = from >= 0 && to >= 0 && fstat(from, &status) == 0 && ftruncate(to, status.st_size) == 0 &&
			    copy_data(from, to, status.st_size);
	const int error = errno;

	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return copied ? GO_ON
		      : command_cannot(replay->self, "replay: copying %s to %s: %s", from_path, to_path,
				       strerror(error));
}

static int write_images(const struct replay *replay)
{
	int status = GO_ON;

	for (uint32_t i = 0; i < replay->image_count && status == GO_ON; i++) {
		status = copy_file(replay, replay->kept->images[i], replay->images[i]);
		if (status == GO_ON)
			fprintf(stderr, "the image of %s: %s\n", replay->kept->pools[i], replay->images[i]);
	}
	return status;
}

/* --- The check ------------------------------------------------------------------------------- */

/* As the command's was when the finding was made, but for where the user sits now. */
static void restore_environment(const struct kept *kept)
{
	static const char *const present[] = {"TERM", "DISPLAY", "PWD", "OLDPWD"};
	char *values[sizeof(present) / sizeof(present[0])];
	const size_t count = sizeof(present) / sizeof(present[0]);

	for (size_t i = 0; i < count; i++)
		values[i] = getenv(present[i]) ? strdup(getenv(present[i])) : NULL;
	clearenv();
	for (size_t i = 0; kept->environment[i]; i++)
		putenv(kept->environment[i]);
	for (size_t i = 0; i < count; i++) {
		if (values[i])
			setenv(present[i], values[i], 1);
		free(values[i]);
	}
}

static int make_room(struct replay *replay)
{
	const char *names[IMAGE_POOLS];
	char place[sizeof(replay->folder) + 8];
	int status = GO_ON;

	strcpy(replay->folder, "/dev/shm/pmem-replay.XXXXXX");
	if (!mkdtemp(replay->folder)) {
		strcpy(replay->folder, "/tmp/pmem-replay.XXXXXX");
		if (!mkdtemp(replay->folder)) {
			status = command_cannot(replay->self, "replay: a folder in /tmp: %s", strerror(errno));
			replay->folder[0] = '\0';
			return status;
		}
	}
	for (uint32_t i = 0; i < replay->kept->pool_count; i++)
		names[i] = replay->kept->pools[i];
	snprintf(place, sizeof(place), "%s/image", replay->folder);
	if (!check_room_make(&replay->room, &replay->kept->check, place, names, replay->kept->pool_count, 0))
		return EXIT_COULD_NOT_RUN;
	for (uint32_t i = 0; i < replay->kept->pool_count && status == GO_ON; i++)
		status = copy_file(replay, replay->kept->images[i], replay->room.images[i]);
	check_room_tell_images(&replay->room);
	if (status == GO_ON)
		status = copy_file(replay, replay->kept->output, replay->room.output);
	return status;
}

/* Of gdb: the program that the shell starts is followed, and the session's environment is its own. */
static void start_debugger(const struct replay *replay, char *const *argv)
{
	char *arguments[32] = {"gdb", "-q", "-ex", "set follow-fork-mode child", "-ex", "set follow-exec-mode same"};
	size_t count = 6, words = 0;
	char *preload = NULL;

	for (size_t i = 0; replay->room.environment[i]; i++) {
		if (replay->room.session && strncmp(replay->room.environment[i], "LD_PRELOAD=", 11) == 0 &&
		    asprintf(&preload, "set exec-wrapper env %s", replay->room.environment[i]) >= 0) {
			arguments[count++] = "-ex";
			arguments[count++] = preload;
			replay->room.environment[i][0] = '_'; /* not into the debugger itself */
		}
	}
	arguments[count++] = "-ex";
	arguments[count++] = "run";
	arguments[count++] = "--args";
	while (argv[words] && count + 1 < sizeof(arguments) / sizeof(arguments[0]))
		arguments[count++] = argv[words++];
	execvpe("gdb", arguments, replay->room.environment);
	fprintf(stderr, "pmem crash: replay: gdb: %s; install it, or replay without --debug\n", strerror(errno));
	_exit(NOT_FOUND);
}

static void become_check(const struct replay *replay)
{
	char *const *argv = check_room_argv(&replay->room);
	int input;

	if (replay->debug)
		start_debugger(replay, argv);
	input = open(check_room_input(&replay->room), O_RDONLY);
	if (input >= 0)
		dup2(input, STDIN_FILENO);
	execvpe(argv[0], argv, replay->room.environment);
	fprintf(stderr, "pmem crash: replay: %s: %s\n", argv[0], strerror(errno));
	_exit(NOT_FOUND);
}

/* Waits for it; for no longer than a hang takes, unless a person looks at it. False: it had to be killed. */
static bool wait_for(const struct replay *replay, pid_t pid, int *status)
{
	struct pollfd end = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	bool ended = true;

	if (!replay->debug && end.fd >= 0)
		ended = poll(&end, 1, (int)(replay->kept->limit * 1000)) != 0;
	if (!ended)
		kill(pid, SIGKILL);
	if (end.fd >= 0)
		close(end.fd);
	waitpid(pid, status, 0);
	return ended;
}

static int run_check(const struct replay *replay)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_check(replay);
	if (pid < 0)
		return command_cannot(replay->self, "replay: fork: %s", strerror(errno));
	if (replay->debug)
		signal(SIGINT, SIG_IGN); /* that is for the debugger */
	if (!wait_for(replay, pid, &status))
		fprintf(stderr, "the check fails again: it did not end within %.1f s\n", replay->kept->limit);
	else if (replay->debug)
		return WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND ? EXIT_COULD_NOT_RUN : REPLAY_PASSES;
	else if (WIFSIGNALED(status))
		fprintf(stderr, "the check fails again: it was killed by signal %d (%s)\n", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 0)
		return fprintf(stderr, "the check passes\n"), REPLAY_PASSES;
	else
		fprintf(stderr, "the check fails again: it exited with status %d\n", WEXITSTATUS(status));
	return REPLAY_FAILS;
}

static int prepare(struct replay *replay)
{
	char *reason = NULL;
	int status = GO_ON;

	fprintf(stderr, "%s: %s\n", replay->kept->id, replay->kept->sentence);
	if (!replay->kept->check.command && !(replay->recorder = program_recorder(&reason)))
		status = command_cannot(replay->self, "replay: %s", reason ? reason : "no memory");
	free(reason);
	if (status != GO_ON)
		return status;
	replay->kept->check.recorder = replay->recorder;
	status = write_images(replay); /* their names are relative to where the user is */
	if (status != GO_ON)
		return status;
	restore_environment(replay->kept);
	if (chdir(replay->kept->directory) < 0)
		return command_cannot(replay->self, "replay: %s, where the check was started: %s",
				      replay->kept->directory, strerror(errno));
	return make_room(replay);
}

int crash_replay(const struct command *self, int argc, char *argv[])
{
	struct replay replay = {.self = self};
	int status = parse(&replay, argc, argv);

	if (status == GO_ON)
		status = load(&replay);
	if (status == GO_ON)
		status = prepare(&replay);
	if (status == GO_ON)
		status = run_check(&replay);
	if (replay.room.directory)
		check_room_remove(&replay.room);
	if (replay.folder[0])
		directory_clear(replay.folder, NULL, 0);
	free(replay.recorder);
	if (replay.kept)
		keep_free(replay.kept);
	return status;
}
