/* interface.c: prints what each function of PMDK's libpmem does in each case: one line a case, to compare two libraries */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Compiled with Debian's header and run on both libraries. Nothing here judges:
 * each line is a case, a tab, and what happened. usage: interface FOLDER [DEVICE-DAX]
 */
#define _GNU_SOURCE
#include "interface.h"

#include <errno.h>
#include <fcntl.h>
#include <libpmem.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB    ((size_t)1 << 10)
#define MIB    ((size_t)1 << 20)
#define GIB    ((size_t)1 << 30)
#define LENGTH (64 * KIB)

static const char *folder;

void tell(const char *name, const char *format, ...)
{
	va_list arguments;

	printf("%s\t", name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

const char *path_of(const char *name)
{
	static char path[4096];

	if (name[0] == '/' || name[0] == '\0')
		return name;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static sigjmp_buf after_signal;

static void catch_signal(int number)
{
	siglongjmp(after_signal, number);
}

/* What an int result and errno say. */
static void tell_result(const char *name, int result)
{
	if (result == 0)
		tell(name, "0");
	else
		tell(name, "%d %s", result, strerrorname_np(errno));
}

/* A call on a range; a signal is a result too. */
static void tell_call(const char *function, const char *name, int (*call)(const void *at, size_t length),
		      const char *at, size_t length)
{
	char text[200];
	int number;

	snprintf(text, sizeof(text), "%s: %s", function, name);
	number = sigsetjmp(after_signal, 1);
	if (number == 0)
		tell_result(text, call(at, length));
	else
		tell(text, "SIG%s", sigabbrev_np(number));
}

/* --- pmem_map_file() ---------------------------------------------------------------------------- */

enum before { NOTHING, FILE_8K, FILE_ODD, EMPTY, FOLDER, READ_ONLY, FIFO, DANGLING };

static const struct map_case {
	const char *name;
	const char *path;
	enum before before;
	size_t len;
	int flags;
} map_cases[] = {
	{"existing file", "f", FILE_8K, 0, 0},
	{"existing file, odd size", "f", FILE_ODD, 0, 0},
	{"existing file, a length", "f", FILE_8K, 8 * KIB, 0},
	{"existing file, sparse", "f", FILE_8K, 0, PMEM_FILE_SPARSE},
	{"existing file, exclusive without create", "f", FILE_8K, 0, PMEM_FILE_EXCL},
	{"empty file", "f", EMPTY, 0, 0},
	{"no file", "f", NOTHING, 0, 0},
	{"no folder", "none/f", NOTHING, LENGTH, PMEM_FILE_CREATE},
	{"create", "f", NOTHING, LENGTH, PMEM_FILE_CREATE},
	{"create, odd length", "f", NOTHING, 12345, PMEM_FILE_CREATE},
	{"create, one byte", "f", NOTHING, 1, PMEM_FILE_CREATE},
	{"create, length 0", "f", NOTHING, 0, PMEM_FILE_CREATE},
	{"create, length beyond all files", "f", NOTHING, SIZE_MAX, PMEM_FILE_CREATE},
	{"create, length of 2^63", "f", NOTHING, (size_t)1 << 63, PMEM_FILE_CREATE},
	{"create over a larger file", "f", FILE_8K, 4 * KIB, PMEM_FILE_CREATE},
	{"create over a smaller file", "f", FILE_8K, LENGTH, PMEM_FILE_CREATE},
	{"create exclusive", "f", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_EXCL},
	{"create exclusive over a file", "f", FILE_8K, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_EXCL},
	{"create sparse", "f", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_SPARSE},
	{"create sparse exclusive", "f", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_SPARSE | PMEM_FILE_EXCL},
	{"create through a dangling link", "f", DANGLING, LENGTH, PMEM_FILE_CREATE},
	{"temporary file", ".", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE},
	{"temporary file, exclusive", ".", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE | PMEM_FILE_EXCL},
	{"temporary file, sparse", ".", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE | PMEM_FILE_SPARSE},
	{"temporary file without create", ".", NOTHING, 0, PMEM_FILE_TMPFILE},
	{"temporary file, length 0", ".", NOTHING, 0, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE},
	{"temporary file in a file", "f", FILE_8K, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE},
	{"temporary file in no folder", "none", NOTHING, LENGTH, PMEM_FILE_CREATE | PMEM_FILE_TMPFILE},
	{"folder", "f", FOLDER, 0, 0},
	{"create over a folder", "f", FOLDER, LENGTH, PMEM_FILE_CREATE},
	{"file without the right to write", "f", READ_ONLY, 0, 0},
	{"fifo", "f", FIFO, 0, 0},
	{"/dev/zero", "/dev/zero", NOTHING, 0, 0},
	{"/dev/zero, create", "/dev/zero", NOTHING, LENGTH, PMEM_FILE_CREATE},
	{"/dev/null", "/dev/null", NOTHING, 0, 0},
	{"unknown flag", "f", FILE_8K, 0, 16},
	{"unknown flag, create", "f", NOTHING, LENGTH, PMEM_FILE_CREATE | 1 << 30},
	{"negative flags", "f", NOTHING, LENGTH, -1},
	{"empty path", "", NOTHING, 0, 0},
};

static void prepare(const char *name, enum before before)
{
	const char *path = path_of(name);
	int fd = -1;

	if (before == NOTHING)
		return;
	if (before == FOLDER)
		mkdir(path, 0777);
	else if (before == FIFO)
		mkfifo(path, 0666);
	else if (before == DANGLING)
		symlink("elsewhere", path);
	else
		fd = open(path, O_RDWR | O_CREAT, before == READ_ONLY ? 0444 : 0666);
	if (fd >= 0 && before != EMPTY && ftruncate(fd, before == FILE_ODD ? 5000 : 8192) < 0)
		exit(1);
	if (fd >= 0)
		close(fd);
}

void clean(const char *name)
{
	if (strcmp(name, ".") != 0 && name[0] != '/' && name[0] != '\0' && unlink(path_of(name)) < 0 && errno == EISDIR)
		rmdir(path_of(name));
	unlink(path_of("elsewhere"));
}

static void tell_file(const char *name, const char *path)
{
	struct stat status;
	char text[200];

	snprintf(text, sizeof(text), "map_file: %s: the file after it", name);
	if (stat(path_of(path), &status) < 0)
		tell(text, "%s", strerrorname_np(errno));
	else if (S_ISREG(status.st_mode))
		tell(text, "%jd bytes, mode %o, %s", (intmax_t)status.st_size, status.st_mode & 07777,
		     (size_t)status.st_blocks * 512 >= (size_t)status.st_size ? "allocated" : "sparse");
	else
		tell(text, "no regular file");
}

static void map_one(const struct map_case *c)
{
	/* Where the environment decides, PMDK leaves in errno what some earlier call left there. */
	const char *const force = getenv("PMEM_IS_PMEM_FORCE");
	const bool forced = force && force[0];
	size_t mapped = 77;
	int pmem = 77;
	char text[200];
	void *at;

	prepare(c->path, c->before);
	snprintf(text, sizeof(text), "map_file: %s", c->name);
	errno = 0;
	at = pmem_map_file(path_of(c->path), c->len, c->flags, 0640, &mapped, &pmem);
	if (at)
		tell(text, "mapped %zu, pmem %d, %s", mapped, pmem, pmem || forced ? "" : strerrorname_np(errno));
	else
		tell(text, "NULL %s, mapped %zu, pmem %d, message %s", strerrorname_np(errno), mapped, pmem,
		     pmem_errormsg()[0] ? "some" : "none");
	tell_file(c->name, c->path);
	if (at)
		pmem_unmap(at, mapped);
	clean(c->path);
}

static void map_without_results(void)
{
	void *at = pmem_map_file(path_of("f"), LENGTH, PMEM_FILE_CREATE, 0600, NULL, NULL);

	tell("map_file: no place for results", "%s", at ? "mapped" : "NULL");
	if (at)
		pmem_unmap(at, LENGTH);
	clean("f");
}

static void stores_reach_the_file(void)
{
	char *at = pmem_map_file(path_of("f"), LENGTH, PMEM_FILE_CREATE, 0600, NULL, NULL);
	char found[6] = "";
	int fd = open(path_of("f"), O_RDONLY);

	strcpy(at + 5000, "hello");
	pmem_msync(at + 5000, 6);
	tell("map_file: a store seen through the file", "%zd %s", pread(fd, found, 6, 5000), found);
	close(fd);
	pmem_unmap(at, LENGTH);
	clean("f");
}

static void tell_alignment(const char *name, size_t length)
{
	char text[200];
	size_t mapped = 0;
	char *at = pmem_map_file(path_of("f"), length, PMEM_FILE_CREATE | PMEM_FILE_SPARSE, 0600, &mapped, NULL);
	const uintptr_t wanted = length >= 2 * GIB ? GIB : length >= 4 * MIB ? 2 * MIB : 4 * KIB;

	snprintf(text, sizeof(text), "alignment: %s", name);
	tell(text, "%s", !at ? strerrorname_np(errno) : (uintptr_t)at % wanted == 0 ? "as wanted" : "less");
	if (at)
		tell_result("unmap: a large mapping", pmem_unmap(at, mapped));
	clean("f");
}

/* With PMEM_MMAP_HINT in the environment: where the first and the second mapping go. */
static void tell_placement(const char *name, size_t length)
{
	const char *hint = getenv("PMEM_MMAP_HINT");
	const uintptr_t base = hint ? strtoull(hint, NULL, 16) : 0;
	char text[200];
	char *first, *second;

	first = pmem_map_file(path_of("f"), length, PMEM_FILE_CREATE | PMEM_FILE_SPARSE, 0600, NULL, NULL);
	second = pmem_map_file(path_of("g"), length, PMEM_FILE_CREATE | PMEM_FILE_SPARSE, 0600, NULL, NULL);
	snprintf(text, sizeof(text), "hint: %s", name);
	if (!first || !second)
		tell(text, "%s", strerrorname_np(errno));
	else if (base)
		tell(text, "at 0x%tx and 0x%tx from it", first - (char *)base, second - (char *)base);
	else
		tell(text, "none");
	if (first)
		pmem_unmap(first, length);
	if (second)
		pmem_unmap(second, length);
	clean("f");
	clean("g");
}

/* --- What is persistent memory, and syncing ---------------------------------------------------------- */

static void tell_ranges(const char *kind, char *at, size_t length)
{
	const struct {
		const char *name;
		char *at;
		size_t length;
	} ranges[] = {
		{"all", at, length},
		{"a byte", at + 100, 1},
		{"length 0", at, 0},
		{"length 0, not aligned", at + 100, 0},
		{"across its end", at + length - 100, 200},
		{"before its start", at - 200, 300},
		{"behind it", at + length, 4 * KIB},
	};
	char text[200];

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		snprintf(text, sizeof(text), "is_pmem: %s: %s", kind, ranges[i].name);
		tell(text, "%d", pmem_is_pmem(ranges[i].at, ranges[i].length));
		snprintf(text, sizeof(text), "%s: %s", kind, ranges[i].name);
		tell_call("msync", text, pmem_msync, ranges[i].at, ranges[i].length);
		tell_call("deep_persist", text, pmem_deep_persist, ranges[i].at, ranges[i].length);
		tell_call("deep_drain", text, pmem_deep_drain, ranges[i].at, ranges[i].length);
	}
}

/* Where nothing lies in front of it or behind it. */
static char *alone(size_t length)
{
	char *at = mmap(NULL, length + 2 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	munmap(at, length + 2 * MIB);
	return at + MIB;
}

static void sync_each_kind(void)
{
	char *at = pmem_map_file(path_of("f"), LENGTH, PMEM_FILE_CREATE, 0600, NULL, NULL), *whole = alone(LENGTH);
	int fd = open(path_of("f"), O_RDWR);

	tell_ranges("map_file", at, LENGTH);
	tell_result("msync: all addresses", pmem_msync(at, SIZE_MAX));
	tell_result("msync: beyond all addresses", pmem_msync(at, SIZE_MAX - (uintptr_t)at + 10));
	pmem_unmap(at, LENGTH);
	tell_ranges("unmapped", at, LENGTH);
	at = mmap(whole, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	tell_ranges("own mapping", at, LENGTH);
	munmap(at, LENGTH);
	at = mmap(whole, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
	tell_ranges("private mapping", at, LENGTH);
	munmap(at, LENGTH);
	at = mmap(whole, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	tell_ranges("anonymous", at, LENGTH);
	munmap(at, LENGTH);
	tell("is_pmem: NULL", "%d %d", pmem_is_pmem(NULL, 0), pmem_is_pmem(NULL, 1));
	close(fd);
	clean("f");
}

/* --- Unmapping ------------------------------------------------------------------------------------------------ */

static bool is_mapped(const char *at)
{
	return msync((void *)at, 4 * KIB, MS_ASYNC) == 0;
}

static void unmap_each_way(void)
{
	char *at = pmem_map_file(path_of("f"), LENGTH, PMEM_FILE_CREATE, 0600, NULL, NULL);

	tell_result("unmap: not aligned", pmem_unmap(at + 1, 100));
	tell_result("unmap: length 0", pmem_unmap(at, 0));
	tell("unmap: it is still there", "%d", is_mapped(at));
	tell_result("unmap: a part", pmem_unmap(at + 4 * KIB, 4 * KIB));
	tell("is_pmem: with a part unmapped", "%d", pmem_is_pmem(at, LENGTH));
	tell("unmap: its neighbours are there", "%d %d", is_mapped(at), is_mapped(at + 8 * KIB));
	tell_result("unmap: the rest", pmem_unmap(at, LENGTH));
	tell_result("unmap: again", pmem_unmap(at, LENGTH));
	at = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tell_result("unmap: another's mapping", pmem_unmap(at, LENGTH));
	tell("unmap: that is gone", "%d", !is_mapped(at));
	at = pmem_map_file(path_of("f"), 5000, PMEM_FILE_CREATE, 0600, NULL, NULL);
	tell_result("unmap: a length that is no multiple of a page", pmem_unmap(at, 5000));
	clean("f");
}

/* --- Versions and messages --------------------------------------------------------------------------------------- */

static void *message_of_thread(void *arg)
{
	(void)arg;
	tell("errormsg: in a new thread", "\"%s\"", pmem_errormsg());
	return NULL;
}

static void messages(void)
{
	char first[1000];
	pthread_t thread;

	pmem_map_file(path_of("not-there"), 0, 0, 0, NULL, NULL);
	snprintf(first, sizeof(first), "%s", pmem_errormsg());
	tell("errormsg: after a failure", "%s",
	     strstr(first, "not-there") ? "names the file" : "does not name the file");
	pmem_check_version(1, 0);
	tell("errormsg: after a success", "%s", strcmp(first, pmem_errormsg()) == 0 ? "as before" : "changed");
	pthread_create(&thread, NULL, message_of_thread, NULL);
	pthread_join(thread, NULL);
}

static void versions(void)
{
	static const unsigned asked[][2] = {{1, 0}, {1, 1}, {1, 2}, {0, 0}, {0, 9}, {2, 0}, {2, 1}, {~0u, ~0u}};
	char text[100];

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const char *answer = pmem_check_version(asked[i][0], asked[i][1]);

		snprintf(text, sizeof(text), "check_version: %u.%u", asked[i][0], asked[i][1]);
		tell(text, "%s", !answer ? "NULL" : answer == pmem_errormsg() ? "the message" : "another text");
	}
	tell("has_auto_flush", "%d", pmem_has_auto_flush());
	tell("has_hw_drain", "%d", pmem_has_hw_drain());
}

/* --- Device-dax ------------------------------------------------------------------------------------------------- */

static void map_device(const char *name, const char *path, size_t len, int flags)
{
	size_t mapped = 77;
	int pmem = 77;
	char text[200];
	char *at = pmem_map_file(path, len, flags, 0600, &mapped, &pmem);

	snprintf(text, sizeof(text), "device: %s", name);
	if (!at) {
		tell(text, "NULL %s", strerrorname_np(errno));
		return;
	}
	tell(text, "mapped %zu, pmem %d, %s", mapped, pmem, (uintptr_t)at % (2 * MIB) == 0 ? "aligned" : "not aligned");
	pmem_unmap(at, mapped);
}

static void use_device(const char *path)
{
	size_t length = 0;
	char *at = pmem_map_file(path, 0, 0, 0, &length, NULL);

	if (!at) {
		tell("device", "NULL %s", strerrorname_np(errno));
		return;
	}
	tell_result("device: deep_persist", pmem_deep_persist(at, 100));
	tell_result("device: deep_drain", pmem_deep_drain(at, 100));
	tell_result("device: msync", pmem_msync(at, 100));
	tell("device: is_pmem across its end", "%d", pmem_is_pmem(at + length - 10, 20));
	flush_all("device", at, MIB);
	copy_without_flags((unsigned char *)at, "device");
	tell_result("device: unmap", pmem_unmap(at, length));
	map_device("as it is", path, 0, 0);
	map_device("its own length", path, length, 0);
	map_device("another length", path, length - 2 * MIB, 0);
	map_device("create", path, 0, PMEM_FILE_CREATE);
	map_device("create, its own length", path, length, PMEM_FILE_CREATE);
	map_device("create, sparse", path, 0, PMEM_FILE_CREATE | PMEM_FILE_SPARSE);
	map_device("create, another length", path, MIB, PMEM_FILE_CREATE);
	map_device("exclusive", path, 0, PMEM_FILE_EXCL);
	map_device("temporary", path, 0, PMEM_FILE_TMPFILE);
	map_device("unknown flag", path, 0, 1 << 20);
}

int main(int argc, char *argv[])
{
	if (argc < 2)
		return 2;
	folder = argv[1];
	umask(022);
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGSEGV, catch_signal);
	signal(SIGBUS, catch_signal);
	clean("f");
	clean("g");
	tell("errormsg: at first", "\"%s\"", pmem_errormsg());
	versions();
	for (size_t i = 0; i < sizeof(map_cases) / sizeof(map_cases[0]); i++)
		map_one(&map_cases[i]);
	map_without_results();
	stores_reach_the_file();
	tell_alignment("below 4 MiB", 4 * MIB - 1);
	tell_alignment("4 MiB", 4 * MIB);
	tell_alignment("100 MiB", 100 * MIB);
	tell_alignment("2 GiB", 2 * GIB);
	tell_placement("64 KiB", LENGTH);
	tell_placement("4 MiB", 4 * MIB);
	tell_placement("4 MiB and a page", 4 * MIB + 4 * KIB);
	sync_each_kind();
	flush_each_kind();
	copy_each_kind();
	unmap_each_way();
	messages();
	if (argc > 2)
		use_device(argv[2]);
	return fflush(stdout) == 0 ? 0 : 1;
}
