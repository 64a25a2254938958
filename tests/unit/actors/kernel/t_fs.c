/* SPDX-License-Identifier: MIT */
/* Files beneath a directory: no name leads out of it, transfers are whole, errors are told apart.
 */
#include "actors/kernel/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* A root with a target directory, and next to the root something that must not be reached. */
struct place {
	char top[64]; /* of all */
	char root[80], target[96], outside[96];
	int dir;         /* the target */
	bool links_stay; /* the system can tell that a link stays beneath the root */
};

static void join(char *out, size_t size, const char *a, const char *b)
{
	assert_true(snprintf(out, size, "%s/%s", a, b) < (int)size);
}

static int place_open(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	enum err err = E_OK;
	size_t made;

	(void)snprintf(p->top, sizeof p->top, "/tmp/t_fs.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	join(p->root, sizeof p->root, p->top, "root");
	join(p->target, sizeof p->target, p->root, "a/b");
	join(p->outside, sizeof p->outside, p->top, "outside");
	assert_int_equal(mkdir(p->outside, 0700), 0);
	p->dir = fs_dir_make(p->root, p->target, true, &made, &err);
	assert_true(p->dir >= 0);
	p->links_stay = syscall(SYS_openat2, -1, NULL, NULL, 0) == 0 || errno != ENOSYS;
	*state = p;
	return 0;
}

static int place_close(void **state)
{
	struct place *p = *state;
	char cmd[128];

	fs_close(p->dir);
	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'", p->top);
	assert_int_equal(system(cmd), 0);
	xfree(p);
	return 0;
}

static void make_link(struct place *p, const char *to, const char *name)
{
	assert_int_equal(symlinkat(to, p->dir, name), 0);
}

static void put_file(struct place *p, const char *name, const char *text)
{
	char s[64];
	struct iovec v = {s, strlen(text)};
	enum err err = E_OK;
	int fd = fs_open_at(p->dir, name, FS_MAKE, &err);

	(void)snprintf(s, sizeof s, "%s", text);
	assert_true(fd >= 0);
	assert_int_equal(fs_pwritev(fd, &v, 1, 0, &err), (ssize_t)strlen(text));
	fs_close(fd);
}

/* --- directories --- */

/* What stands where it should not: links that lead out and stay, a link to the root, a file. */
static void make_obstacles(const struct place *p)
{
	char at[128];

	join(at, sizeof at, p->root, "out");
	assert_int_equal(symlink("../outside", at), 0);
	join(at, sizeof at, p->root, "in");
	assert_int_equal(symlink("a", at), 0);
	join(at, sizeof at, p->top, "rootlink");
	assert_int_equal(symlink("root", at), 0);
	join(at, sizeof at, p->root, "file");
	assert_int_equal(close(open(at, O_CREAT | O_WRONLY, 0600)), 0);
}

static void directory_open_rows(void **state)
{
	static const struct {
		const char *root, *path; /* below top */
		bool create, create_root;
		enum err err;
		size_t made;
	} rows[] = {
		{"root", "root/a/b", false, false, E_OK, 0},
		{"root", "root", false, false, E_OK, 0},
		{"root/", "root//a/./b/", false, false, E_OK, 0},
		{"root", "root/new/deep", false, false, E_NOENT, 0},
		{"root", "root/new/deep", true, false, E_OK, 8},
		{"root", "root/new/deep/er", true, false, E_OK, 3},
		{"root", "root/new/deep", true, false, E_OK, 0},
		{"none", "none/x", true, false, E_NOENT, 0}, /* a missing volume is not made */
		{"none/more", "none/more/x", true, true, E_OK, 1},
		{"root", "outside", true, true, E_PATH, 0}, /* root is no prefix */
		{"roo", "root", true, false, E_PATH, 0},
		{"root", "root/../outside", false, false, E_PATH, 0},
		{"root", "root/../outside/x", true, true, E_PATH, 0},
		{"root", "root/out", false, false, E_PATH, 0}, /* a link that leads out */
		{"root", "root/out/x", true, false, E_PATH, 0},
		{"root", "root/in", false, false, E_OK, 0}, /* a link that stays */
		{"root", "root/in/made", true, false, E_OK, 5},
		{"rootlink", "rootlink/a/b", false, false, E_OK, 0}, /* the operator's own link */
		{"root", "root/file", true, false, E_PATH, 0},
	};
	struct place *p = *state;
	char root[128], path[128], at[128];
	struct stat st;

	make_obstacles(p);
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		enum err err = E_OK;
		size_t made = 0;
		int fd;

		if (!p->links_stay && strncmp(rows[i].path, "root/in", 7) == 0)
			continue;
		join(root, sizeof root, p->top, rows[i].root);
		join(path, sizeof path, p->top, rows[i].path);
		fd = rows[i].create ? fs_dir_make(root, path, rows[i].create_root, &made, &err)
				    : fs_dir_open(root, path, &err);
		if ((fd >= 0) != (rows[i].err == E_OK) || (fd < 0 && err != rows[i].err))
			fail_msg("row %u: fd %d, %s", i, fd, err_name(err));
		if (made != rows[i].made)
			fail_msg("row %u: made %zu", i, made);
		if (fd >= 0)
			fs_close(fd);
	}
	join(at, sizeof at, p->outside, "x");
	assert_int_not_equal(stat(at, &st), 0); /* nothing was made there */
	join(at, sizeof at, p->root, "a/made");
	assert_int_equal(stat(at, &st) == 0, p->links_stay);
}

static void what_is_relative_is_nowhere(void **state)
{
	struct place *p = *state;
	enum err err = E_OK;

	make_obstacles(p);
	assert_int_equal(chdir(p->top), 0);
	assert_int_equal(access("root/a/b", F_OK), 0);
	assert_int_equal(fs_dir_open("root", "root/a/b", &err), -1);
	assert_int_equal(err, E_PATH);
	assert_int_equal(chdir("/"), 0);
}

/* --- names from strangers --- */

static void no_name_leads_out(void **state)
{
	static const char *const names[] = {"../x", "../../outside/x", "/etc/passwd", "..", ".", "",
		"sub/../../x", "out/x", "filelink", "dirlink/f", "fifo", "sub", "f/x", "dangling"};
	struct place *p = *state;
	char at[128], longname[300];
	struct fs_stat st;
	enum err err;

	put_file(p, "f", "inside");
	put_file(p, "sub/f", "inside");
	make_link(p, p->outside, "out");
	make_link(p, "f", "filelink");
	make_link(p, "sub", "dirlink");
	make_link(p, "nowhere", "dangling");
	assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		for (int mode = FS_READ; mode <= FS_MAKE; mode++) {
			int fd = fs_open_at(p->dir, names[i], (enum fs_mode)mode, &err);

			if (fd >= 0 || (!fs_is_obstacle(err) && err != E_NOENT && err != E_EXISTS))
				fail_msg("%s: fd %d, %s", names[i], fd, err_name(err));
		}
	}
	memset(longname, 'n', sizeof longname - 1);
	longname[sizeof longname - 1] = '\0';
	assert_int_equal(fs_open_at(p->dir, longname, FS_MAKE, &err), -1);
	assert_int_equal(err, E_PATH);
	join(at, sizeof at, p->outside, "x");
	assert_int_not_equal(access(at, F_OK), 0);
	join(at, sizeof at, p->target, "nowhere");
	assert_int_not_equal(access(at, F_OK), 0);
	assert_int_not_equal(fs_unlink_at(p->dir, "out/x"), E_OK);
	assert_int_equal(fs_stat_at(p->dir, "../b", &st), E_PATH);
	assert_int_equal(fs_stat_at(p->dir, "filelink", &st), E_OK);
	assert_true(st.exists && !st.regular);
}

/* --- transfer --- */

#define PARTS 3000 /* more than the system takes in one call */

static void transfers_are_whole(void **state)
{
	static uint8_t out[PARTS * 3], in[PARTS * 3 + 100];
	static struct iovec ov[PARTS], iv[PARTS + 1];
	struct place *p = *state;
	enum err err = E_OK;
	int fd = fs_open_at(p->dir, "deep/er/file", FS_MAKE, &err);

	assert_true(fd >= 0);
	for (int i = 0; i < PARTS; i++) {
		memset(out + i * 3, i * 7, 3);
		ov[i] = (struct iovec){out + i * 3, 3};
		iv[i] = (struct iovec){in + i * 3, 3};
	}
	iv[PARTS] = (struct iovec){in + PARTS * 3, 100};
	assert_int_equal(fs_pwritev(fd, ov, PARTS, 5, &err), PARTS * 3);
	assert_int_equal(fs_preadv(fd, iv, PARTS + 1, 5, &err), PARTS * 3); /* the file ends */
	assert_memory_equal(in, out, sizeof out);
	assert_int_equal(fs_preadv(fd, iv, 1, 1 << 20, &err), 0);
	assert_int_equal(fs_preadv(fd, iv, 1, UINT64_MAX, &err), -1);
	assert_int_equal(err, E_TOO_BIG);
	assert_int_equal(fs_datasync(fd), E_OK);
	fs_close(fd);
	fd = fs_open_at(p->dir, "deep/er/file", FS_READ, &err);
	assert_int_equal(fs_pwritev(fd, ov, 1, 0, &err), -1); /* not opened for it */
	fs_close(fd);
}

static void size_and_holes(void **state)
{
	struct place *p = *state;
	char byte = 'x';
	struct iovec v = {&byte, 1};
	struct fs_stat st;
	struct fs_space space;
	uint64_t at = 0;
	enum err err = E_OK;
	int fd = fs_open_at(p->dir, "sparse", FS_MAKE, &err);

	assert_true(fd >= 0);
	assert_int_equal(fs_truncate(fd, 1 << 24), E_OK);
	assert_int_equal(fs_stat_fd(fd, &st), E_OK);
	assert_int_equal(st.size, 1 << 24);
	assert_true(st.exists && st.regular && st.blocks < 1 << 20 && st.mtime_ns > 0);
	assert_int_equal(fs_pwritev(fd, &v, 1, 1 << 23, &err), 1);
	err = fs_next_data(fd, 0, &at);
	assert_true(err == E_UNSUPPORTED || (err == E_OK && at <= 1 << 23));
	if (err == E_OK && at > 0) { /* the file system knows holes */
		assert_int_equal(fs_next_hole(fd, 1 << 23, &at), E_OK);
		assert_true(at > 1 << 23 && at < 1 << 24);
		assert_int_equal(fs_next_data(fd, at, &at), E_NOENT);
	}
	fs_readahead(fd, 0, 1 << 20);
	assert_int_equal(fs_space(fd, &space), E_OK);
	assert_int_equal(fs_stat_fd(fd, &st), E_OK);
	assert_true(space.free > 0 && space.total >= space.free && space.device == st.device);
	assert_int_equal(fs_truncate(fd, UINT64_MAX), E_TOO_BIG);
	fs_close(fd);
}

/* --- names --- */

static void *grow_late(void *arg)
{
	enum err err;

	usleep(300000); /* as long as a busy disk takes, or a turn of the processor */
	err = fs_truncate(*(int *)arg, 5);
	return (void *)(uintptr_t)err;
}

/* Who has just made a file gives it its length a moment later. */
static void a_file_that_is_being_made_is_waited_for(void **state)
{
	struct place *p = *state;
	enum err err = E_OK;
	struct fs_stat st;
	pthread_t maker;
	int fd = fs_open_at(p->dir, "newborn", FS_MAKE, &err);

	assert_true(fd >= 0);
	assert_int_equal(pthread_create(&maker, NULL, grow_late, &fd), 0);
	assert_int_equal(fs_stat_born(fd, &st), E_OK);
	assert_int_equal(st.size, 5);
	assert_int_equal(pthread_join(maker, NULL), 0);
	fs_close(fd);
}

static void holes_are_punched(void **state)
{
	struct place *p = *state;
	uint8_t bytes[3 * 65536], got[3 * 65536];
	struct iovec v = {bytes, sizeof bytes}, in = {got, sizeof got};
	struct fs_stat before, after;
	enum err err = E_OK;
	uint64_t at;
	int fd = fs_open_at(p->dir, "punched", FS_MAKE, &err);

	memset(bytes, 'x', sizeof bytes);
	assert_int_equal(fs_pwritev(fd, &v, 1, 0, &err), (ssize_t)sizeof bytes);
	assert_int_equal(fs_stat_fd(fd, &before), E_OK);
	assert_int_equal(fs_punch(fd, 65536 - 10, 65536 + 20), E_OK);
	memset(bytes + 65536 - 10, 0, 65536 + 20);
	assert_int_equal(fs_preadv(fd, &in, 1, 0, &err), (ssize_t)sizeof got);
	assert_memory_equal(got, bytes, sizeof got);
	assert_int_equal(fs_stat_fd(fd, &after), E_OK);
	assert_int_equal(after.size, before.size);
	assert_true(after.blocks < before.blocks);
	assert_int_equal(fs_punch(fd, 0, 4 * 65536), E_OK); /* beyond the end is fine */
	assert_int_equal(fs_next_data(fd, 0, &at), E_NOENT);
	assert_int_equal(fs_punch(fd, UINT64_MAX, 1), E_TOO_BIG);
	assert_int_equal(fs_punch(fd, 1, UINT64_MAX), E_TOO_BIG);
	fs_close(fd);
}

/* Who may read may run it, and nobody else. */
static void files_become_executable(void **state)
{
	static const struct {
		mode_t before, after;
	} rows[] = {{0644, 0755}, {0600, 0700}, {0640, 0750}, {0755, 0755}, {0604, 0705}};
	struct place *p = *state;
	enum err err = E_OK;
	int fd = fs_open_at(p->dir, "program", FS_MAKE, &err);
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(fchmod(fd, rows[i].before), 0);
		assert_int_equal(fs_make_executable(fd), E_OK);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i].after);
	}
	fs_close(fd);
}

/* A file that was taken away must not come back, and one that is there is not ours to make. */
static void only_what_is_not_there_is_made(void **state)
{
	struct place *p = *state;
	struct fs_stat st;
	enum err err = E_OK;
	int fd;

	assert_int_equal(fs_open_at(p->dir, "new", FS_WRITE, &err), -1);
	assert_int_equal(err, E_NOENT);
	fd = fs_open_at(p->dir, "new", FS_MAKE, &err);
	assert_true(fd >= 0);
	assert_int_equal(fs_open_at(p->dir, "new", FS_MAKE, &err), -1);
	assert_int_equal(err, E_EXISTS);
	assert_true(fs_stat_fd(fd, &st) == E_OK && st.links == 1);
	assert_int_equal(fs_unlink_at(p->dir, "new"), E_OK);
	assert_true(fs_stat_fd(fd, &st) == E_OK && st.links == 0);
	fs_close(fd);
}

static void what_stands_in_a_files_place_is_told(void **state)
{
	static const struct {
		const char *name;
		enum err err;
	} rows[] = {{"dir", E_IS_DIR}, {"link", E_IS_LINK}, {"fifo", E_IS_SPECIAL}, {"f", E_OK}};
	struct place *p = *state;
	struct fs_stat st;

	put_file(p, "dir/x", "");
	put_file(p, "f", "");
	make_link(p, "f", "link");
	assert_int_equal(mkfifoat(p->dir, "fifo", 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum err err = E_OK;
		int fd = fs_open_at(p->dir, rows[i].name, FS_READ, &err);

		assert_int_equal(err, rows[i].err);
		assert_int_equal(fs_stat_at(p->dir, rows[i].name, &st), E_OK);
		assert_int_equal(st.in_place, rows[i].err);
		if (fd >= 0)
			fs_close(fd);
	}
}

static void names_come_and_go(void **state)
{
	struct place *p = *state;
	struct fs_stat st;
	enum err err = E_OK;

	assert_int_equal(fs_open_at(p->dir, "d/f", FS_READ, &err), -1);
	assert_int_equal(err, E_NOENT);
	assert_int_equal(fs_stat_at(p->dir, "d/f", &st), E_OK);
	assert_false(st.exists);
	put_file(p, "d/f", "text");
	assert_int_equal(fs_stat_at(p->dir, "d/f", &st), E_OK);
	assert_true(st.exists && st.regular && st.size == 4 && st.inode != 0);
	assert_int_equal(fs_sync_dir_at(p->dir, "d/f"), E_OK);
	assert_int_equal(fs_rmdir_at(p->dir, "d"), E_BUSY);
	assert_int_equal(fs_unlink_at(p->dir, "d/f"), E_OK);
	assert_int_equal(fs_unlink_at(p->dir, "d/f"), E_NOENT);
	assert_int_equal(fs_rmdir_at(p->dir, "d"), E_OK);
	assert_int_equal(fs_sync_dir_at(p->dir, "d"), E_OK);
	assert_int_equal(fs_sync_dir_at(p->dir, "d/f"), E_NOENT);
}

static void limits_are_told_apart(void **state)
{
	struct place *p = *state;
	struct rlimit old, few;
	enum err err = E_OK;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	fd = fs_open_at(p->dir, "many", FS_MAKE, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(err, E_NFILES);
	fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		struct iovec v = {&(char){'x'}, 1};

		assert_int_equal(fs_pwritev(fd, &v, 1, 0, &err), -1);
		assert_int_equal(err, E_NOSPACE);
		close(fd);
	}
}

/* From here on the system has no openat2. */
static void openat2_is_taken_away(void **state)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_LEN(code), .filter = code};

	(void)state;
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0), 0);
	assert_int_equal(syscall(SYS_openat2, -1, NULL, NULL, 0), -1);
	assert_int_equal(errno, ENOSYS);
}

#define FS_TEST(f) cmocka_unit_test_setup_teardown(f, place_open, place_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FS_TEST(directory_open_rows),
		FS_TEST(what_is_relative_is_nowhere),
		FS_TEST(no_name_leads_out),
		FS_TEST(transfers_are_whole),
		FS_TEST(size_and_holes),
		FS_TEST(a_file_that_is_being_made_is_waited_for),
		FS_TEST(holes_are_punched),
		FS_TEST(files_become_executable),
		FS_TEST(names_come_and_go),
		FS_TEST(limits_are_told_apart),
		cmocka_unit_test(openat2_is_taken_away), /* for the rest of the run */
		FS_TEST(directory_open_rows),
		FS_TEST(no_name_leads_out),
		FS_TEST(transfers_are_whole),
		FS_TEST(size_and_holes),
		FS_TEST(only_what_is_not_there_is_made),
		FS_TEST(what_stands_in_a_files_place_is_told),
		FS_TEST(names_come_and_go),
		FS_TEST(limits_are_told_apart),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
