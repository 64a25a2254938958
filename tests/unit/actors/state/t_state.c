/* SPDX-License-Identifier: MIT */
/*
 * The database: what went in comes out after closing and opening again, whatever happened between.
 */
#include "tests/unit/lib/state_world.h"

/* --- tests --- */

/* Nobody but the owner reads what is downloaded. */
static void check_mode(struct world *w)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof path, "%s/torrentd.db", w->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_torrents(void **state)
{
	struct world *w = *state;
	struct m_state_load *l;
	struct torrent_record *r;
	int64_t a, b;
	struct msg *m;

	world_start(w);
	l = load(w);
	assert_true(l->clean && l->torrents_n == 0 && !l->has_down_limit && !l->has_up_limit);
	check_mode(w);
	a = add_torrent(w, "one", 3);
	b = add_torrent(w, "two", 9);
	assert_true(a > 0 && b > a);
	set_value(w, b, STATE_RUN, 0);
	set_value(w, b, STATE_DOWN_LIMIT, 5);
	set_value(w, b, STATE_UP_LIMIT, 6);
	set_value(w, b, STATE_COMPLETED_AT, 77);
	set_value(w, a, STATE_REMOVING, 2);
	set_value(w, 0, STATE_GLOBAL_DOWN_LIMIT, 123);
	m = msg_new(w->session, MSG_STATE_TOTALS);
	*container_of(m, struct m_totals, h) =
		(struct m_totals){.h = *m, .row = b, .downloaded = 1, .uploaded = 2, .wasted = 3};
	actor_cast(w->session, ADDR_STATE, &m);
	restart(w, true);
	l = load(w);
	assert_true(l->clean && l->has_down_limit && !l->has_up_limit && l->down_limit == 123);
	assert_int_equal(l->torrents_n, 2);
	r = &l->torrents[0];
	assert_true(r->row == a && r->removing && r->removal == REMOVAL_DELETE &&
		    r->run == RUN_STARTED && !r->fresh);
	assert_string_equal(r->meta->name, "one");
	assert_string_equal(r->path, "/downloads/dir");
	assert_int_equal(r->wishes.down_limit, 1000);
	/* More than any line has is as much as any line has. */
	assert_true(r->wishes.up_limit == UINT64_C(1) << 40);
	assert_int_equal(r->added, 1700000000);
	assert_true(r->synced.bits == 3 && r->synced.count == 0);
	r = &l->torrents[1];
	assert_true(r->row == b && !r->removing && r->run == 0 && r->completed_at == 77);
	assert_true(r->wishes.down_limit == 5 && r->wishes.up_limit == 6);
	assert_true(r->downloaded == 1 && r->uploaded == 2 && r->wasted == 3);
	world_stop(w, false);
}

static struct m_state_pieces *make_full_pieces(struct world *w, int64_t row)
{
	struct m_state_pieces *p = make_pieces(w, row, 10);

	bitfield_set(&p->synced, 2);
	bitfield_set(&p->synced, 9);
	p->noted = xcalloc(2, sizeof *p->noted);
	p->noted[p->noted_n++] = 1;
	p->noted[p->noted_n++] = 3;
	p->stamps = xcalloc(1, sizeof *p->stamps);
	p->stamps[p->stamps_n++] = (struct file_stamp){.exists = true,
		.size = 147457,
		.mtime_ns = INT64_C(1700000000123456789),
		.inode = UINT64_MAX,
		.born_ns = 1700000000123456789,
		.device = 7};
	p->has_partials = true;
	p->partials = xcalloc(1, sizeof *p->partials);
	p->partials[p->partials_n++] =
		(struct partial_piece){.piece = 4, .blocks = xmemdup("\xa0\x80", 2), .blocks_n = 9};
	return p;
}

static void test_pieces(void **state)
{
	struct world *w = *state;
	struct torrent_record *r;
	int64_t row;

	world_start(w);
	row = add_torrent(w, "p", 10);
	note_pieces(w, row, 1, 3, true);
	restart(w, false);
	assert_false(load(w)->clean);
	r = container_of(w->answer, struct m_state_load, h)->torrents;
	assert_true(r->unsynced_n == 3 && r->unsynced[0] == 1 && r->unsynced[2] == 3);
	assert_true(r->stamps_n == 1 && r->stamps[0].dirty && !r->stamps[0].exists);
	put_pieces(w, make_full_pieces(w, row));
	restart(w, true);
	r = load(w)->torrents;
	assert_true(r->synced.count == 2 && bitfield_get(&r->synced, 9));
	assert_true(r->unsynced_n == 2 && r->unsynced[0] == 1 && r->unsynced[1] == 3);
	assert_true(r->stamps_n == 1 && r->stamps[0].exists && !r->stamps[0].dirty);
	assert_true(r->stamps[0].size == 147457 && r->stamps[0].inode == UINT64_MAX);
	assert_true(r->stamps[0].born_ns == 1700000000123456789);
	assert_true(r->stamps[0].mtime_ns == INT64_C(1700000000123456789));
	assert_true(r->partials_n == 1 && r->partials[0].piece == 4);
	assert_memory_equal(r->partials[0].blocks, "\xa0\x80", 2);
	note_pieces(w, row, 5, 1, true); /* only marks the stamp that is there */
	restart(w, false);
	r = load(w)->torrents;
	assert_true(r->stamps_n == 1 && r->stamps[0].dirty && r->stamps[0].size == 147457);
	assert_true(r->partials_n == 1 && r->unsynced_n == 1 && r->unsynced[0] == 5);
	assert_int_equal(r->made, 3); /* never less */
	world_stop(w, true);
}

static void test_forget(void **state)
{
	struct world *w = *state;
	struct m_state_pieces *p;
	struct torrent_record *r;
	int64_t row;

	world_start(w);
	row = add_torrent(w, "f", 10);
	put_pieces(w, make_full_pieces(w, row));
	note_pieces(w, row, 0, 10, false);
	p = make_pieces(w, row, 10);
	p->has_partials = true;
	put_pieces(w, p);
	restart(w, true);
	r = load(w)->torrents;
	assert_true(r->unsynced_n == 0 && r->partials_n == 0 && r->synced.count == 0);
	assert_int_equal(r->stamps_n, 1);
	world_stop(w, true);
}

static void test_remove(void **state)
{
	struct world *w = *state;
	int64_t row, other;
	struct msg *m;

	world_start(w);
	row = add_torrent(w, "gone", 10);
	put_pieces(w, make_full_pieces(w, row));
	m = msg_new(w->session, MSG_STATE_REMOVE);
	container_of(m, struct m_state_remove, h)->row = row;
	call(w, w->session, m);
	assert_int_equal(settle(w), E_OK);
	/* What comes late finds nothing and harms nobody that shares its transaction. */
	note_pieces(w, row, 1, 3, true);
	put_pieces(w, make_full_pieces(w, row));
	other = add_torrent(w, "new", 10);
	assert_true(other > row);
	restart(w, true);
	assert_int_equal(load(w)->torrents_n, 1);
	assert_int_equal(container_of(w->answer, struct m_state_load, h)->torrents[0].row, other);
	assert_int_equal(
		container_of(w->answer, struct m_state_load, h)->torrents[0].synced.count, 0);
	world_stop(w, true);
}

/* Calls of one turn share a transaction; the one that fails is alone with that. */
static void test_group(void **state)
{
	struct world *w = *state;
	char name[16];

	world_start(w);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof name, "t%d", i);
		call(w, w->session, make_add(w, name, 2));
	}
	call(w, w->session, make_add(w, "t7", 2));
	assert_int_equal(settle(w), E_EXISTS);
	assert_true(strlen(container_of(w->answer, struct m_state_add, h)->why.text) > 0);
	/* Alone with a transaction of its own, too. */
	call(w, w->session, make_add(w, "t8", 2));
	assert_int_equal(settle(w), E_EXISTS);
	assert_true(strlen(container_of(w->answer, struct m_state_add, h)->why.text) > 0);
	(void)add_torrent(w, "t50", 2);
	restart(w, false);
	assert_int_equal(load(w)->torrents_n, 51);
	world_stop(w, true);
}

static void test_locked(void **state)
{
	struct world *w = *state;
	struct state_db *db = NULL;
	char why[1024] = "", pid[32];

	world_start(w);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	assert_int_equal(try_open(w->dir, &db, why), E_LOCKED);
	assert_null(db);
	assert_non_null(strstr(why, w->dir));
	assert_non_null(strstr(why, pid));
	assert_int_equal(add_torrent(w, "still works", 2), 1);
	world_stop(w, true);
}

/* --- files that are not as we left them --- */

static char *db_file(const struct world *w)
{
	char *path = xcalloc(1, 128);

	snprintf(path, 128, "%s/torrentd.db", w->dir);
	return path;
}

static uint8_t *read_db(const struct world *w, size_t *n)
{
	char *path = db_file(w);
	FILE *f = fopen(path, "rb");
	uint8_t *out = xcalloc(1, 1 << 20);

	assert_non_null(f);
	*n = fread(out, 1, 1 << 20, f);
	fclose(f);
	xfree(path);
	return out;
}

static void patch_db(const struct world *w, size_t at, const void *p, size_t n)
{
	char *path = db_file(w);
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
	close(fd);
	xfree(path);
}

static void make_db(struct world *w)
{
	world_start(w);
	(void)add_torrent(w, "kept", 200);
	(void)add_torrent(w, "also kept", 200);
	world_stop(w, true);
}

static void check_refused(struct world *w, enum err err, const char *word)
{
	struct state_db *db = NULL;
	char why[1024] = "";
	size_t n, n2;
	uint8_t *before = read_db(w, &n), *after;

	assert_int_equal(try_open(w->dir, &db, why), err);
	assert_null(db);
	assert_non_null(strstr(why, "torrentd.db"));
	assert_non_null(strstr(why, word));
	after = read_db(w, &n2);
	assert_int_equal(n, n2);
	assert_memory_equal(before, after, n);
	xfree(before);
	xfree(after);
}

/* The version lies at byte 60 of the file. */
static void test_version(void **state)
{
	struct world *w = *state;
	uint8_t *bytes;
	char version[4];
	size_t n;

	make_db(w);
	bytes = read_db(w, &n);
	memcpy(version, bytes + 60, sizeof version);
	xfree(bytes);
	patch_db(w, 60, "\0\0\0\x63", 4);
	check_refused(w, E_VERSION, "newer version");
	patch_db(w, 60, "\xff\xff\xff\xff", 4);
	check_refused(w, E_VERSION, "version");
	patch_db(w, 60, "\0\0\0\0", 4);
	check_refused(w, E_VERSION, "not written by this program");
	patch_db(w, 60, version, sizeof version);
	world_start(w);
	assert_int_equal(load(w)->torrents_n, 2);
	world_stop(w, true);
}

static void test_damaged(void **state)
{
	struct world *w = *state;
	uint8_t junk[4096];
	size_t n;

	make_db(w);
	memset(junk, 0x5a, sizeof junk);
	xfree(read_db(w, &n));
	assert_true(n > 8 * 4096);
	patch_db(w, 3 * 4096, junk, sizeof junk);
	check_refused(w, E_SYNTAX, "damaged");
	patch_db(w, 0, junk, sizeof junk);
	check_refused(w, E_SYNTAX, "damaged");
}

/* A torrent that cannot be read is left out, and is there again when it can. */
static void test_unreadable(void **state)
{
	struct world *w = *state;
	size_t n, at = 0;
	uint8_t *bytes;

	make_db(w);
	bytes = read_db(w, &n);
	while (at + 8 < n && memcmp(bytes + at, "4:kept12", 8) != 0)
		at++;
	assert_true(at + 8 < n);
	xfree(bytes);
	patch_db(w, at, "x", 1);
	world_start(w);
	assert_int_equal(load(w)->torrents_n, 1);
	assert_string_equal(container_of(w->answer, struct m_state_load, h)->torrents[0].meta->name,
		"also kept");
	world_stop(w, true);
	patch_db(w, at, "4", 1);
	world_start(w);
	assert_int_equal(load(w)->torrents_n, 2);
	world_stop(w, true);
}

/* --- a full disk, played by a limit on the size of files --- */

static void limit_files(rlim_t bytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static void test_full(void **state)
{
	struct world *w = *state;

	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	world_start(w);
	(void)add_torrent(w, "before", 2);
	limit_files(65536);
	call(w, w->session, make_add(w, "too large", 20000));
	assert_int_not_equal(settle(w), E_OK);
	assert_true(strlen(container_of(w->answer, struct m_state_add, h)->why.text) > 0);
	limit_files(RLIM_INFINITY);
	(void)add_torrent(w, "too large", 20000);
	restart(w, true);
	assert_true(load(w)->clean);
	assert_int_equal(container_of(w->answer, struct m_state_load, h)->torrents_n, 2);
	world_stop(w, true);
}

/* --- kill -9 --- */

#define KILL_AFTER 40u

static _Noreturn void add_for_ever(struct world *w, int out)
{
	world_start(w);
	for (uint32_t i = 0;; i++) {
		char name[16];
		snprintf(name, sizeof name, "k%u", i);
		(void)add_torrent(w, name, 50);
		note_pieces(w, (int64_t)i + 1, 0, 5, true);
		if (write(out, &i, sizeof i) != (ssize_t)sizeof i)
			_exit(1);
	}
}

/* Kills the child in the midst of its work; the number of adds that it was told are done. */
static uint32_t run_and_kill(struct world *w)
{
	int ends[2];
	uint32_t i = 0, acked = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		add_for_ever(w, ends[1]);
	close(ends[1]);
	while (acked < KILL_AFTER && read(ends[0], &i, sizeof i) == (ssize_t)sizeof i)
		acked = i + 1;
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	while (read(ends[0], &i, sizeof i) == (ssize_t)sizeof i)
		acked = i + 1;
	close(ends[0]);
	return acked;
}

static void test_killed(void **state)
{
	struct world *w = *state;
	uint32_t acked = run_and_kill(w);
	struct m_state_load *l;

	assert_true(acked >= KILL_AFTER);
	world_start(w);
	l = load(w);
	assert_false(l->clean);
	assert_in_range(l->torrents_n, acked, acked + 1);
	for (uint32_t i = 0; i < l->torrents_n; i++) {
		char name[16];
		snprintf(name, sizeof name, "k%u", i);
		assert_string_equal(l->torrents[i].meta->name, name);
		/* Of all but the last ones the notes were committed before the next add. */
		if (i + 1 < acked)
			assert_int_equal(l->torrents[i].unsynced_n, 5);
	}
	world_stop(w, true);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, world_new, world_free)
	const struct CMUnitTest tests[] = {
		TEST(test_torrents),
		TEST(test_pieces),
		TEST(test_forget),
		TEST(test_remove),
		TEST(test_group),
		TEST(test_locked),
		TEST(test_version),
		TEST(test_damaged),
		TEST(test_unreadable),
		TEST(test_full),
		TEST(test_killed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
