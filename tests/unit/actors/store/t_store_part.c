/* SPDX-License-Identifier: MIT */
/*
 * The store and files that are not wanted: never made, their bytes kept in the part file, moved
 * when wishes change, and nothing verified is lost or believed wrongly whenever the process dies.
 */
#include "tests/unit/lib/store_db.h"

#define B 1u /* the file between the others: pieces 3 and 4 have bytes of it */

static void part_path(struct world *w, char *out, size_t n)
{
	char hex[41];

	for (int i = 0; i < 20; i++)
		snprintf(hex + 2 * i, 3, "%02x", now.meta->infohash.v1[i]);
	snprintf(out, n, "%s/.%s.parts", w->down, hex);
}

static bool part_exists(struct world *w)
{
	char path[200];
	struct stat st;

	part_path(w, path, sizeof path);
	return stat(path, &st) == 0;
}

/* What the database says is wanted; a bit a file is 1 when it is skipped. */
static void set_skips(unsigned skips)
{
	xfree(now.rec.wishes.file_priority);
	now.rec.wishes.file_priority = xcalloc(now.meta->files_n, 1);
	now.rec.wishes.file_priority_n = now.meta->files_n;
	for (uint32_t i = 0; i < now.meta->files_n; i++)
		now.rec.wishes.file_priority[i] = skips >> i & 1 ? 0 : 4;
}

/* The session's order: the database first, then the store. */
static void wish(struct world *w, unsigned skips)
{
	struct m_store_files *f = msg_new(actor_of(w, ADDR_SESSION), MSG_STORE_FILES);
	struct msg *m = &f->h;

	set_skips(skips);
	f->t = T0;
	f->file_priority = xmemdup(now.rec.wishes.file_priority, now.rec.wishes.file_priority_n);
	f->file_priority_n = now.rec.wishes.file_priority_n;
	actor_cast(actor_of(w, ADDR_SESSION), ADDR_STORE, &m);
	settle(w);
}

static void send_all(struct world *w)
{
	for (uint32_t i = 0; i < PIECES; i++)
		send_piece(w, i);
}

static struct world *begin_skipped(unsigned skips)
{
	struct world *w = begin(slow);

	set_skips(skips);
	open_expect(w, E_OK, 0, 0);
	send_all(w);
	assert_int_equal(now.ok, PIECES);
	return w;
}

static void again(struct world *w, uint32_t have, uint32_t hashed)
{
	start(w, slow);
	open_expect(w, E_OK, have, hashed);
}

/* Every set of files: those skipped are not made, everything is verified, and found again. */
static void test_skip(void **state)
{
	static const char *const names[] = {"t/a", "t/b", "t/c", "t/none"};

	(void)state;
	for (unsigned skips = 0; skips < 15; skips++) {
		struct world *w = begin_skipped(skips);

		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(file_exists(w->down, names[i]), !(skips >> i & 1));
		assert_int_equal(part_exists(w), (skips & 7) != 0);
		stop(w);
		assert_int_equal(now.rec.synced.count, PIECES);
		again(w, PIECES, 0);
		check_torrent(w, T0);
		expect_ready(w, E_OK, PIECES, PIECES);
		wish(w, 0);
		files_check(w->down, now.meta, files);
		stop(w);
		assert_false(part_exists(w));
		again(w, PIECES, 0);
		files_check(w->down, now.meta, files);
		end(w);
	}
}

/* A killed process, as with all files wanted. */
static void test_crash(void **state)
{
	(void)state;
	for (uint32_t done = 0; done <= PIECES; done++)
		for (uint32_t synced = 0; synced <= done; synced++) {
			struct world *w = begin(slow);

			set_skips(1 << B);
			open_expect(w, E_OK, 0, 0);
			for (uint32_t i = 0; i < synced; i++)
				send_piece(w, i);
			stop(w);
			again(w, synced, 0);
			for (uint32_t i = synced; i < done; i++)
				send_piece(w, i);
			crash(w);
			again(w, done, done - synced);
			assert_false(file_exists(w->down, "t/b"));
			end(w);
		}
}

enum loss {
	LOSS_NONE,
	LOSS_FILE,    /* the copy never reached the disk, nor did its name */
	LOSS_CONTENT, /* its name did */
	LOSS_SOME,    /* a part of it did */
	LOSS_PART,    /* the file was written to since, the part file is of old */
	LOSS_MAX_
};

static void lose(struct world *w, enum loss loss)
{
	char b[200], part[200];

	path_of(b, sizeof b, w->down, "t/b");
	part_path(w, part, sizeof part);
	if (loss == LOSS_FILE)
		assert_int_equal(unlink(b), 0);
	if (loss == LOSS_CONTENT)
		assert_int_equal(truncate(b, 0) | truncate(b, 50 * KIB), 0);
	if (loss == LOSS_SOME)
		put(b, 5000, "lost");
	if (loss == LOSS_PART)
		put(part, (off_t)layout_part_offset(now.meta, 3, B, 10), "stale");
}

/* The process dies between the copy and the sync that makes it count. */
static void test_crash_moving(void **state)
{
	(void)state;
	for (enum loss loss = 0; loss < LOSS_MAX_; loss++)
		for (int synced = 0; synced < 2; synced++) {
			struct world *w = begin_skipped(1 << B);

			print_message("# loss %d synced %d\n", (int)loss, synced);
			if (synced) {
				stop(w);
				again(w, PIECES, 0);
			}
			wish(w, 0);
			files_check(w->down, now.meta, files);
			assert_true(part_exists(w));
			crash(w);
			lose(w, loss);
			again(w, PIECES, synced ? 2 : PIECES);
			files_check(w->down, now.meta, files);
			stop(w);
			assert_false(part_exists(w));
			assert_int_equal(now.rec.synced.count, PIECES);
			again(w, PIECES, 0);
			end(w);
		}
}

static void copy_file(const char *from, const char *to)
{
	char command[500];

	snprintf(command, sizeof command, "cp --sparse=always '%s' '%s'", from, to);
	assert_int_equal(system(command), 0);
}

/* The file is synced and the database says so, but the part file was not trimmed. */
static void test_crash_forgetting(void **state)
{
	struct world *w = begin_skipped(1 << B);
	char part[200], saved[200];

	(void)state;
	wish(w, 0);
	part_path(w, part, sizeof part);
	copy_file(part, path_of(saved, sizeof saved, w->dir, "saved"));
	stop(w);
	assert_false(part_exists(w));
	copy_file(saved, part);
	again(w, PIECES, 2);
	files_check(w->down, now.meta, files);
	stop(w);
	assert_false(part_exists(w));
	again(w, PIECES, 0);
	end(w);
}

/* Both copies are bad: the piece is not believed, and comes again. */
static void test_both_bad(void **state)
{
	struct world *w = begin_skipped(1 << B);

	(void)state;
	wish(w, 0);
	crash(w);
	lose(w, LOSS_FILE);
	lose(w, LOSS_PART);
	again(w, PIECES - 1, PIECES);
	send_piece(w, 3);
	assert_int_equal(now.ok, 1);
	files_check(w->down, now.meta, files);
	stop(w);
	assert_false(part_exists(w));
	again(w, PIECES, 0);
	end(w);
}

/* What is there stays where it is, and goes on being written to. */
static void test_skip_existing(void **state)
{
	struct world *w = begin(slow);

	(void)state;
	open_expect(w, E_OK, 0, 0);
	send_piece(w, 3);
	wish(w, 1 << B);
	assert_true(file_exists(w->down, "t/b"));
	send_piece(w, 4);
	assert_false(part_exists(w));
	stop(w);
	again(w, 2, 0);
	send_piece(w, 0);
	send_piece(w, 1);
	send_piece(w, 2);
	files_check(w->down, now.meta, files);
	assert_false(part_exists(w));
	end(w);
}

/* That a file is gone which nobody wants is no reason to hold the torrent. */
static void test_skipped_gone(void **state)
{
	struct world *w = begin_skipped(0);
	char path[200];

	(void)state;
	stop(w);
	set_skips(1 | 1 << B);
	assert_int_equal(unlink(path_of(path, sizeof path, w->down, "t/a")), 0);
	assert_int_equal(unlink(path_of(path, sizeof path, w->down, "t/b")), 0);
	again(w, 0, 0);
	send_piece(w, 4);
	assert_int_equal(now.ok, 1);
	assert_false(file_exists(w->down, "t/b"));
	assert_true(part_exists(w));
	end(w);
}

/* Blocks of a piece that is not complete move with the rest. */
static void test_partials(void **state)
{
	struct world *w = begin(slow);
	struct m_store_ready *r;

	(void)state;
	set_skips(1 << B);
	open_expect(w, E_OK, 0, 0);
	send_blocks(w, 3, 0, 1);
	stop(w);
	assert_int_equal(now.rec.partials_n, 1);
	start(w, slow);
	open_as(w, T0, w->down);
	r = ready_wait(w);
	assert_int_equal(r->partials_n, 1);
	seen_free(w, &r->h);
	settle(w);
	wish(w, 0);
	send_blocks(w, 3, 1, 2);
	assert_int_equal(now.ok, 1);
	stop(w);
	assert_false(part_exists(w));
	again(w, 1, 0);
	end(w);
}

/* Wishes that come while the torrent is checked count when it is ready. */
static void test_wish_early(void **state)
{
	struct world *w = begin_skipped(1 << B);

	(void)state;
	check_torrent(w, T0);
	wish(w, 0);
	expect_ready(w, E_OK, PIECES, PIECES);
	settle(w);
	files_check(w->down, now.meta, files);
	wish(w, 1);
	wish(w, 1 << B);
	files_check(w->down, now.meta, files);
	end(w);
}

/* The move is refused: the bytes stay, and are tried again. */
static void test_refused(void **state)
{
	struct world *w = begin_skipped(1 << B);
	struct m_store_error *e;
	char path[200];

	(void)state;
	assert_int_equal(mkdir(path_of(path, sizeof path, w->down, "t/b"), 0777), 0);
	wish(w, 0);
	e = AS(m_store_error, seen_wait(w, MSG_STORE_ERROR));
	assert_int_equal(e->err, E_IS_DIR);
	assert_string_equal(e->why.text, "open 't/b': a directory stands in its place");
	seen_free(w, &e->h);
	settle(w);
	assert_int_equal(rmdir(path), 0);
	wish(w, 0);
	files_check(w->down, now.meta, files);
	stop(w);
	assert_false(part_exists(w));
	again(w, PIECES, 0);
	end(w);
}

static void test_delete(void **state)
{
	struct world *w = begin_skipped(1 << B);

	(void)state;
	assert_int_equal(close_torrent(w, T0, true), E_OK);
	assert_false(file_exists(w->down, "t"));
	assert_false(part_exists(w));
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_skip),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_crash_moving),
		cmocka_unit_test(test_crash_forgetting),
		cmocka_unit_test(test_both_bad),
		cmocka_unit_test(test_skip_existing),
		cmocka_unit_test(test_skipped_gone),
		cmocka_unit_test(test_partials),
		cmocka_unit_test(test_wish_early),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_delete),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
