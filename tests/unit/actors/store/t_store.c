/* SPDX-License-Identifier: MIT */
/*
 * The store: what is believed after every kind of end, what is told to the database and when.
 */
#include <time.h>

#include "tests/unit/lib/store_db.h"

/* --- starting --- */

static void test_fresh(void **state)
{
	struct world *w = begin(slow);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	assert_int_equal(now.pieces_told, 0); /* nothing to tell */
	assert_false(file_exists(w->down, "t"));
	assert_int_equal(close_torrent(w, T0, false), E_OK);
	assert_int_equal(close_torrent(w, T0, false), E_NOT_FOUND);
	files_write(w->down, now.meta, files);
	open_expect(w, E_OK, PIECES, PIECES);
	assert_int_equal(now.pieces_told, 1);
	assert_int_equal(now.rec.synced.count, PIECES);
	assert_int_equal(now.rec.stamps_n, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(now.rec.stamps[i].exists && !now.rec.stamps[i].dirty);
	end(w);
}

enum change {
	NOTHING,
	TOUCH_A,
	TOUCH_B,
	SPOIL_A,
	SHRINK_A,
	GROW_A,
	REMOVE_B,
	REMOVE_ALL,
	REPLACE_C,
	DEVICE,
	DEVICE_AND_INODE,
	NOTED,
	DIRTY_A,
	LATE_A,
	NOTE_LOST,
	NOTE_LOST_CLEAN,
	FORGOTTEN,
	FRESH
};

static void touch(const char *path)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1234567}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Than any checkpoint may be. */
static void touch_later(const char *path, int64_t ns)
{
	struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)(ns / 1000000000) + 3600}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void change_stamps(enum change c)
{
	for (uint32_t i = 0; i < now.rec.stamps_n; i++) {
		now.rec.stamps[i].device += c == DEVICE || c == DEVICE_AND_INODE;
		now.rec.stamps[i].inode += c == DEVICE_AND_INODE;
	}
	if (c == DIRTY_A || c == LATE_A || c == NOTE_LOST)
		stamp_of(0)->dirty = true;
	if (c == NOTE_LOST || c == NOTE_LOST_CLEAN)
		bitfield_clear(&now.rec.synced, 2);
	if (c == FORGOTTEN || c == FRESH)
		bitfield_clear_all(&now.rec.synced);
	if (c == FRESH)
		now.rec.stamps_n = 0;
	now.rec.fresh = c == FRESH;
	if (c == NOTED) {
		bitfield_clear(&now.rec.synced, 1);
		now.rec.unsynced = xrealloc(now.rec.unsynced, 4);
		now.rec.unsynced[now.rec.unsynced_n++] = 1;
	}
}

static void change(struct world *w, enum change c)
{
	char a[200], b[200], cc[200], new[200];

	path_of(a, sizeof a, w->down, "t/a");
	path_of(b, sizeof b, w->down, "t/b");
	path_of(cc, sizeof cc, w->down, "t/c");
	if (c == TOUCH_A || c == DIRTY_A || c == NOTE_LOST)
		touch(a);
	if (c == TOUCH_B)
		touch(b);
	if (c == LATE_A) /* altered after the end, with the same size and inode */
		touch_later(a, stamp_of(0)->mtime_ns);
	if (c == SPOIL_A)
		put(a, 40000, "spoilt");
	if (c == SHRINK_A)
		assert_int_equal(truncate(a, 70000), 0);
	if (c == GROW_A)
		put(a, 100 * KIB, "more");
	if (c == REMOVE_B || c == REMOVE_ALL)
		assert_int_equal(unlink(b), 0);
	if (c == REMOVE_ALL)
		assert_int_equal(unlink(a) | unlink(cc), 0);
	if (c == REPLACE_C) {
		char byte[2] = {(char)content_byte(150 * KIB), '\0'};

		put(path_of(new, sizeof new, w->down, "t/new"), 0, byte);
		assert_int_equal(rename(new, cc), 0);
	}
	change_stamps(c);
}

/* What is hashed and what is believed, for everything that can have happened to the files. */
static void test_trust(void **state)
{
	static const struct {
		enum change change;
		bool clean;
		enum err err;
		uint32_t hashed, have;
	} cases[] = {
		{NOTHING, true, E_OK, 0, 5},
		{NOTHING, false, E_OK, 0, 5},
		{TOUCH_A, true, E_OK, 4, 5},
		{TOUCH_A, false, E_OK, 4, 5},
		{TOUCH_B, true, E_OK, 2, 5},
		{SPOIL_A, true, E_OK, 4, 4},
		{SHRINK_A, true, E_OK, 2, 3},
		{GROW_A, true, E_OK, 4, 5},
		{REMOVE_B, true, E_NOENT, 0, 0},
		{REMOVE_ALL, true, E_NOENT, 0, 0},
		{REPLACE_C, true, E_OK, 1, 5},
		{DEVICE, true, E_OK, 0, 5},
		{DEVICE_AND_INODE, true, E_CHANGED, 0, 0},
		{NOTED, false, E_OK, 1, 5},
		{DIRTY_A, false, E_OK, 0, 5},
		{LATE_A, false, E_OK, 4, 5},
		{NOTE_LOST, false, E_OK, 1, 5},
		{NOTE_LOST_CLEAN, true, E_OK, 0, 4},
		{FORGOTTEN, true, E_OK, 0, 0},
		{FRESH, true, E_OK, 5, 5},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *w = begin(slow);

		print_message("# case %zu\n", i);
		files_write(w->down, now.meta, files);
		open_expect(w, E_OK, PIECES, PIECES);
		stop(w);
		change(w, cases[i].change);
		now.clean = cases[i].clean;
		start(w, slow);
		open_expect(w, cases[i].err, cases[i].have, cases[i].hashed);
		if (cases[i].err == E_OK) { /* and what is told holds */
			assert_int_equal(now.rec.synced.count, cases[i].have);
			assert_int_equal(now.rec.unsynced_n, 0);
			stop(w);
			start(w, slow);
			open_expect(w, E_OK, cases[i].have, 0);
		}
		end(w);
	}
}

static void test_no_root(void **state)
{
	struct world *w = begin(slow);
	struct m_store_ready *r;
	char gone[100];

	(void)state;
	files_write(w->down, now.meta, files);
	assert_int_equal(rename(w->down, path_of(gone, sizeof gone, w->dir, "gone")), 0);
	open_as(w, T0, w->down);
	r = ready_wait(w);
	assert_int_equal(r->err, E_NOENT);
	assert_non_null(strstr(r->why.text, w->down));
	seen_free(w, &r->h);
	assert_false(file_exists(w->dir, "down"));
	assert_int_equal(rename(gone, w->down), 0);
	check_torrent(w, T0); /* one call brings it back */
	expect_ready(w, E_OK, PIECES, PIECES);
	end(w);
}

/* --- downloading --- */

/* What waits for the database, of which the disk hangs. */
static unsigned waiting_for_state(struct world *w)
{
	struct actor_counters c;

	actors_counters(w->set, 1, &c); /* as start() adds them */
	assert_string_equal(c.name, "state");
	actor_counters_fini(&c);
	return c.waiting;
}

static void pass(struct world *w, int64_t us)
{
	for (int64_t end = clock_mono_us() + us; clock_mono_us() < end;)
		world_turn(w);
}

/* Each piece comes later than notes are apart, and checkpoints are due meanwhile. */
static void test_database_hangs(void **state)
{
	struct world *w = begin(quick);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	w->hangs = true;
	w->hung = ADDR_STATE;
	for (uint32_t i = 0; i < PIECES; i++) {
		send_piece(w, i);
		pass(w, 600 * USEC_PER_MSEC);
	}
	assert_int_equal(now.ok, PIECES); /* the download does not wait */
	assert_int_equal(now.notes, 0);
	assert_in_range(waiting_for_state(w), 1, 2); /* a note and a checkpoint */
	w->hangs = false;
	for (int i = 0; i < 100 && now.rec.synced.count < PIECES; i++)
		pass(w, 100 * USEC_PER_MSEC);
	assert_int_equal(now.rec.synced.count, PIECES);
	assert_int_equal(now.rec.unsynced_n, 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_false(stamp_of(i)->dirty);
	assert_in_range(now.notes, 1, 4);
	assert_int_equal(close_torrent(w, T0, false), E_OK);
	end(w);
}

static void test_checkpoint(void **state)
{
	struct world *w = begin(quick);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	send_piece(w, 0);
	send_piece(w, 3);
	assert_int_equal(now.ok, 2);
	assert_true(now.notes > 0);
	assert_int_equal(now.pieces_told, 0);
	assert_int_equal(now.rec.unsynced_n, 2);
	assert_true(stamp_of(0)->dirty && stamp_of(1)->dirty);
	wait_told(w, 1);
	assert_int_equal(now.rec.synced.count, 2);
	assert_true(bitfield_get(&now.rec.synced, 0) && bitfield_get(&now.rec.synced, 3));
	assert_int_equal(now.rec.unsynced_n, 0);
	assert_true(stamp_of(0)->exists && !stamp_of(0)->dirty);
	assert_int_equal(stamp_of(0)->size, 100 * KIB);
	send_blocks(w, 1, 1, 2); /* an incomplete piece waits in memory */
	send_piece(w, 2);
	wait_told(w, 2);
	assert_int_equal(now.rec.partials_n, 1); /* and was written with the others */
	assert_int_equal(w->lent, 0);
	assert_int_equal(now.rec.synced.count, 3);
	send_blocks(w, 1, 0, 1);
	send_piece(w, 4);
	wait_told(w, 3);
	assert_int_equal(now.rec.synced.count, PIECES);
	assert_int_equal(now.rec.partials_n, 0);
	files_check(w->down, now.meta, files);
	end(w);
}

static void test_checkpoint_bytes(void **state)
{
	static const char *const args[] = {
		"--store.checkpoint_interval=10m", "--store.checkpoint_bytes=1MiB", NULL};
	struct world *w = begin(args);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	for (uint32_t i = 0; i < PIECES; i++)
		send_piece(w, i);
	assert_int_equal(now.pieces_told, 0); /* 150 KiB are not enough */
	assert_int_equal(now.rec.unsynced_n, PIECES);
	assert_int_equal(close_torrent(w, T0, false), E_OK);
	assert_int_equal(now.pieces_told, 1); /* but a close is */
	assert_int_equal(now.rec.synced.count, PIECES);
	assert_int_equal(now.rec.unsynced_n, 0);
	end(w);
}

/* A killed process: what was noted is hashed, nothing is fetched again. */
static void test_crash(void **state)
{
	(void)state;
	for (uint32_t done = 0; done <= PIECES; done++)
		for (uint32_t synced = 0; synced <= done; synced++) {
			struct world *w = begin(slow);

			open_expect(w, E_OK, 0, 0);
			for (uint32_t i = 0; i < synced; i++)
				send_piece(w, i);
			stop(w);
			start(w, slow);
			open_expect(w, E_OK, synced, 0);
			for (uint32_t i = synced; i < done; i++)
				send_piece(w, i);
			crash(w);
			start(w, slow);
			open_expect(w, E_OK, done, done - synced);
			end(w);
		}
}

/* Blocks of incomplete pieces survive a stop; only the missing ones are wanted. */
static void test_partials(void **state)
{
	struct world *w = begin(slow);
	struct m_store_ready *r;

	(void)state;
	open_expect(w, E_OK, 0, 0);
	send_blocks(w, 1, 1, 2);
	send_blocks(w, 2, 0, 1);
	assert_int_equal(w->lent, 2);
	stop(w);
	assert_int_equal(now.rec.partials_n, 2);
	start(w, slow);
	open_as(w, T0, w->down);
	r = ready_wait(w);
	assert_int_equal(r->partials_n, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(r->partials[i].blocks[0], r->partials[i].piece == 1 ? 0x40 : 0x80);
	seen_free(w, &r->h);
	send_blocks(w, 1, 0, 1);
	send_blocks(w, 2, 1, 2);
	assert_int_equal(now.ok, 2);
	stop(w);
	assert_int_equal(now.rec.synced.count, 2);
	assert_int_equal(now.rec.partials_n, 0);
	start(w, slow);
	open_expect(w, E_OK, 2, 0);
	end(w);
}

static void test_error_words(void **state)
{
	struct world *w = begin(slow);
	struct m_store_error *e;
	char path[200];

	(void)state;
	mkdir(path_of(path, sizeof path, w->down, "t"), 0777);
	mkdir(path_of(path, sizeof path, w->down, "t/a"), 0777);
	open_expect(w, E_OK, 0, 0);
	send_piece(w, 0);
	e = AS(m_store_error, seen_wait(w, MSG_STORE_ERROR));
	assert_string_equal(e->why.text, "open 't/a': a directory stands in its place");
	assert_int_equal(e->err, E_IS_DIR);
	assert_false(e->lost);
	seen_free(w, &e->h);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_no_root),
		cmocka_unit_test(test_database_hangs),
		cmocka_unit_test(test_checkpoint),
		cmocka_unit_test(test_checkpoint_bytes),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_partials),
		cmocka_unit_test(test_error_words),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
