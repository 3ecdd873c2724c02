/* acts.c: small acts on a pool whose traces are known: acts NAME POOL [POOL] */
/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What each act must be recorded as stands in expected.txt, under its name.
 * Pools are 16384 bytes of zeros.
 */
#define _GNU_SOURCE
#include "acts.h"

#include <errno.h>
#include <fcntl.h>
#include <pmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

const char *name, *second_name, *own_path;
int pool_fd;
char *pool;

void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "acts: %s: %s\n", what, strerror(errno));
	exit(3);
}

void say(const char *text)
{
	must(write(STDOUT_FILENO, text, strlen(text)) == (ssize_t)strlen(text), "write");
}

void put(size_t offset, const char *text)
{
	strcpy(pool + offset, text);
}

void open_pool(void)
{
	pool_fd = open(name, O_RDWR);
	must(pool_fd >= 0, name);
}

void map_pool(void)
{
	open_pool();
	pool = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	must(pool != MAP_FAILED, "mmap");
}

/* --- Stores, flushes, fences -------------------------------------------------------- */

static void persist(void)
{
	map_pool();
	put(100, "a");
	pmem_persist(pool + 100, 2, 0);
}

static void library_mapping(void)
{
	open_pool();
	pool = pmem_map(pool_fd, SIZE);
	must(pool != NULL, pmem_errormsg());
	put(0, "a");
	pmem_persist(pool, 2, 0);
	must(pmem_unmap(pool, SIZE) == 0, "pmem_unmap");
}

static void flush_without_fence(void)
{
	map_pool();
	put(0, "a");
	pmem_flush_cache(pool, 2, 0);
	put(64, "b");
}

static void never_flushed(void)
{
	map_pool();
	put(0, "a");
	say("promised\n");
	put(64, "b");
}

static void second_of_two_lines(void)
{
	map_pool();
	put(0, "a");
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
}

static void other_memory(void)
{
	static char elsewhere[64];

	map_pool();
	strcpy(elsewhere, "a");
	pmem_persist(elsewhere, 2, 0);
}

static void without_a_pool(void)
{
	say("nothing to do\n");
}

/* --- The kernel's ways ---------------------------------------------------------------- */

static void sync_mapping(void)
{
	map_pool();
	put(0, "a");
	put(8192, "b");
	must(msync(pool + 4096, 4096 + 100, MS_SYNC) == 0, "msync");
	must(msync(pool, SIZE, MS_ASYNC) == 0, "msync");
}

static void write_and_sync(void)
{
	open_pool();
	must(write(pool_fd, "abc", 3) == 3, "write");
	must(pwrite(pool_fd, "d", 1, 1000) == 1, "pwrite");
	must(fsync(pool_fd) == 0, "fsync");
	must(lseek(pool_fd, 64, SEEK_SET) == 64, "lseek");
	must(writev(pool_fd, (struct iovec[]){{"e", 1}, {"f", 1}}, 2) == 2, "writev");
	must(fdatasync(pool_fd) == 0, "fdatasync");
	must(sync_file_range(pool_fd, 0, 0, SYNC_FILE_RANGE_WRITE) == 0, "sync_file_range");
}

static void append(void)
{
	pool_fd = open(name, O_WRONLY | O_APPEND);
	must(pool_fd >= 0, name);
	must(write(pool_fd, "end", 3) == 3, "write");
}

static void synchronous_writes(void)
{
	pool_fd = open(name, O_RDWR | O_DSYNC);
	must(pool_fd >= 0, name);
	must(pwrite(pool_fd, "a", 1, 0) == 1, "pwrite");
	must(fcntl(pool_fd, F_SETFL, 0) == 0, "fcntl");
	open_pool();
	must(pwritev2(pool_fd, &(struct iovec){"b", 1}, 1, 64, RWF_DSYNC) == 1, "pwritev2");
	must(pwritev2(pool_fd, &(struct iovec){"c", 1}, 1, 128, 0) == 1, "pwritev2");
}

static void sync_everything(void)
{
	map_pool();
	put(0, "a");
	sync();
}

static void grow_and_shrink(void)
{
	open_pool();
	must(ftruncate(pool_fd, 2 * SIZE) == 0, "ftruncate");
	pool = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	must(pool != MAP_FAILED, "mmap");
	put(SIZE, "a");
	pmem_persist(pool + SIZE, 2, 0);
	must(ftruncate(pool_fd, SIZE) == 0, "ftruncate");
	must(fallocate(pool_fd, 0, 0, 2 * SIZE) == 0, "fallocate");
	put(SIZE, "a");
	pmem_persist(pool + SIZE, 2, 0);
}

/* So large that it is not compared whole; what is stored far from everything that is flushed is found all the same. */
static void large(void)
{
	const size_t size = 8 << 20, far = 5 << 20;

	open_pool();
	must(ftruncate(pool_fd, (off_t)size) == 0, "ftruncate");
	pool = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	must(pool != MAP_FAILED, "mmap");
	for (int i = 0; i < 3; i++) {
		put(far, (char[]){(char)('a' + i), '\0'});
		put(0, (char[]){(char)('A' + i), '\0'});
		pmem_persist(pool, 2, 0);
		say("next\n");
	}
	put(far + 64, "forgotten");
}

static void punch_a_hole(void)
{
	map_pool();
	put(0, "a");
	put(4096, "b");
	pmem_persist(pool, SIZE, 0);
	must(fallocate(pool_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096) == 0, "fallocate");
}

static void between_files(void)
{
	const int from = memfd_create("from", 0);

	open_pool();
	must(from >= 0 && write(from, "abc", 3) == 3, "memfd");
	must(sendfile(pool_fd, from, &(off_t){0}, 3) == 3, "sendfile");
	must(sendfile(STDOUT_FILENO, from, &(off_t){0}, 3) == 3, "sendfile");
}

/* --- Mappings ---------------------------------------------------------------------------- */

static void mapped_twice(void)
{
	char *second;

	map_pool();
	second = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 4096);
	must(second != MAP_FAILED, "mmap");
	put(4096, "a");
	pmem_persist(second, 2, 0);
	strcpy(second + 64, "b");
	pmem_persist(pool + 4096 + 64, 2, 0);
}

static void private_mapping(void)
{
	char *copy;

	map_pool();
	copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, pool_fd, 0);
	must(copy != MAP_FAILED, "mmap");
	strcpy(copy, "a");
	pmem_persist(copy, 2, 0);
}

static void moved_mapping(void)
{
	char *moved;

	open_pool();
	pool = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	must(pool != MAP_FAILED, "mmap");
	moved = mremap(pool, 8192, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	must(moved != MAP_FAILED, "mremap");
	strcpy(moved + 8192, "a");
	pmem_persist(moved + 8192, 2, 0);
}

static void stores_before_unmapping(void)
{
	map_pool();
	put(0, "a");
	must(munmap(pool, SIZE) == 0, "munmap");
	must(mmap(pool, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == pool, "mmap");
	put(0, "not in the pool");
	pmem_persist(pool, 16, 0);
}

static void asks_for_map_sync(void)
{
	open_pool();
	pool = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, pool_fd, 0);
	must(pool != MAP_FAILED, "mmap");
	put(0, "a");
	pmem_persist(pool, 2, 0);
}

static void two_pools(void)
{
	char *second;
	int fd;

	map_pool();
	fd = open(second_name, O_RDWR);
	second = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(second != MAP_FAILED, second_name);
	strcpy(second, "b");
	put(0, "a");
	pmem_persist(second, 2, 0);
}

/* --- Names --------------------------------------------------------------------------------- */

static void many_names(void)
{
	struct stat by_name, by_descriptor;
	char link[] = "/tmp/acts.XXXXXX";
	int fd;

	open_pool();
	must(stat(name, &by_name) == 0 && fstat(pool_fd, &by_descriptor) == 0, "stat");
	must(by_name.st_ino == by_descriptor.st_ino, "the same file");
	must(mkdtemp(link) && rmdir(link) == 0 && symlink(realpath(name, NULL), link) == 0, "symlink");
	fd = open(link, O_WRONLY);
	unlink(link);
	must(fd >= 0 && pwrite(fd, "a", 1, 0) == 1, "open by a symbolic link");
	must(truncate(name, 2 * SIZE) == 0, "truncate");
	must(access(name, R_OK) == 0, "access");
}

static void stream(void)
{
	FILE *file = fopen(name, "r+");

	must(file != NULL, name);
	must(fseek(file, 64, SEEK_SET) == 0 && fputs("a", file) >= 0 && fflush(file) == 0, "fputs");
	must(fsync(fileno(file)) == 0, "fsync");
	fclose(file);
}

static void made_anew(void)
{
	map_pool();
	put(0, "a");
	pmem_persist(pool, 2, 0);
	must(unlink(name) == 0, "unlink");
	must(access(name, F_OK) < 0 && errno == ENOENT, "no file after unlink");
	pool_fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	must(pool_fd >= 0, "open O_EXCL");
	must(ftruncate(pool_fd, SIZE) == 0, "ftruncate");
	pool = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, pool_fd, 0);
	put(64, "b");
	pmem_persist(pool + 64, 2, 0);
}

static void truncated_at_open(void)
{
	pool_fd = open(name, O_RDWR | O_TRUNC);
	must(pool_fd >= 0, name);
	must(pwrite(pool_fd, "a", 1, 100) == 1, "pwrite");
}

static void renamed(void)
{
	char other[4096];

	snprintf(other, sizeof(other), "%s.new", name);
	open_pool();
	must(rename(name, other) < 0 && errno == EXDEV, "rename is refused");
	must(access(name, F_OK) == 0, "the pool is there");
}

/* --- More of the library ---------------------------------------------------------- */

static void copies(void)
{
	map_pool();
	put(0, "old");
	pmem_copy_persist(pool + 8, "new", 4);
	pmem_fill(pool + 64, 'x', 16);
	pmem_fence();
	must(strcmp(pool + 8, "new") == 0 && pool[79] == 'x', "copied");
}

static void several_ranges(void)
{
	map_pool();
	put(0, "a");
	put(128, "b");
	must(pmem_try_persistv((struct iovec[]){{pool, 2}, {pool + 128, 2}}, 2) == 0, "pmem_try_persistv");
}

static void deep(void)
{
	map_pool();
	put(0, "a");
	must(pmem_deep_persist(pool, 2) == 0, "pmem_deep_persist");
}

static void fit_mode(void)
{
	pmem_fit_mode();
	library_mapping();
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{"append", append},
	{"asks-for-map-sync", asks_for_map_sync},
	{"between-files", between_files},
	{"copies", copies},
	{"crash", crash},
	{"deep", deep},
	{"executed", executed},
	{"executed-after-vfork", executed_after_vfork},
	{"executed-by-shell", executed_by_shell},
	{"fails", fails},
	{"fit-mode", fit_mode},
	{"flush-without-fence", flush_without_fence},
	{"forked", forked},
	{"grow-and-shrink", grow_and_shrink},
	{"killed", killed},
	{"killed-child", killed_child},
	{"large", large},
	{"library-mapping", library_mapping},
	{"made-anew", made_anew},
	{"many-names", many_names},
	{"many", many},
	{"mapped-twice", mapped_twice},
	{"moved-mapping", moved_mapping},
	{"mutex-is-a-fence", mutex_is_a_fence},
	{"mutex-of-one-thread", mutex_of_one_thread},
	{"never-flushed", never_flushed},
	{"other-memory", other_memory},
	{"output-at-once", output_at_once},
	{"output-by-stdio", output_by_stdio},
	{"output-elsewhere", output_elsewhere},
	{"output-in-lines", output_in_lines},
	{"output-lost-by-abort", output_lost_by_abort},
	{"output-lost-by-exit", output_lost_by_exit},
	{"output-of-wide-characters", output_of_wide_characters},
	{"output-to-a-copy", output_to_a_copy},
	{"output-without-the-library", output_without_the_library},
	{"persist", persist},
	{"private-mapping", private_mapping},
	{"punch-a-hole", punch_a_hole},
	{"renamed", renamed},
	{"second-of-two-lines", second_of_two_lines},
	{"second-thread", second_thread},
	{"several-ranges", several_ranges},
	{"signal-handler", signal_handler},
	{"spawned", spawned},
	{"stores-before-unmapping", stores_before_unmapping},
	{"stream", stream},
	{"sync-everything", sync_everything},
	{"sync-mapping", sync_mapping},
	{"synchronous-writes", synchronous_writes},
	{"truncated-at-open", truncated_at_open},
	{"two-pools", two_pools},
	{"waits", waits},
	{"without-a-pool", without_a_pool},
	{"write-and-sync", write_and_sync},
};

int main(int argc, char *argv[])
{
	own_path = realpath("/proc/self/exe", NULL);
	name = argc > 2 ? argv[2] : "";
	second_name = argc > 3 ? argv[3] : "";
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (argc > 1 && strcmp(argv[1], acts[i].name) == 0) {
			acts[i].act();
			return 0;
		}
	}
	for (size_t i = 0; argc == 1 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (acts[i].act != waits && acts[i].act != many)
			puts(acts[i].name);
	}
	return argc == 1 ? 0 : 2;
}
