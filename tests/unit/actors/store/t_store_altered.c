/* SPDX-License-Identifier: MIT */
/*
 * The store: whatever somebody does to files in use, and whenever the process dies, no piece is
 * believed that is not on the disk.
 */
#include "tests/unit/lib/store_db.h"

#include "proto/base/rng.h"

#define SEEDS 3 /* unless N says how many */
#define STEPS 60

/* --- the truth --- */

static bool piece_is_there(struct world *w, uint32_t piece)
{
	struct span_iter it = span_iter_of(
		now.meta, layout_offset(&now.l, piece, 0), layout_piece_size(&now.l, piece));
	struct file_span s;
	char path[300];

	while (span_next(&it, &s)) {
		const struct metainfo_file *mf = &now.meta->files[s.file];
		uint8_t got[PIECE], want[PIECE];
		int fd = open(path_of(path, sizeof path, w->down, mf->path), O_RDONLY);
		ssize_t n = fd >= 0 ? pread(fd, got, s.length, (off_t)s.file_offset) : -1;

		if (fd >= 0)
			close(fd);
		content_fill(now.files, mf->offset + s.file_offset, want, s.length);
		if (n != (ssize_t)s.length || memcmp(got, want, s.length) != 0)
			return false;
	}
	return true;
}

static void expect_truth(struct world *w, const struct bitfield *have)
{
	for (uint32_t p = 0; p < now.meta->pieces; p++)
		if (bitfield_get(have, p) && !piece_is_there(w, p))
			fail_msg("piece %u is believed and not on the disk", p);
}

/* Opens the torrent: what is believed is there.  Its READY, to be freed. */
static struct m_store_ready *open_true(struct world *w)
{
	struct m_store_ready *r;

	open_as(w, T0, w->down);
	r = ready_wait(w);
	if (r->err == E_OK)
		expect_truth(w, &r->have);
	return r;
}

static void reopen_expect(struct world *w, uint32_t have)
{
	struct m_store_ready *r = open_true(w);

	assert_int_equal(r->err, E_OK);
	assert_int_equal(r->have.count, have);
	seen_free(w, &r->h);
	settle(w);
}

/* A file of somebody else. */
static void spoil(const char *path, off_t size)
{
	char zeros[4096] = {0};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	for (off_t at = 0; at < size; at += (off_t)sizeof zeros)
		assert_true(pwrite(fd, zeros, (size_t)MIN(size - at, (off_t)sizeof zeros), at) > 0);
	close(fd);
}

/* --- one file, two workers, pieces of both in it --- */

static const struct tfile one[] = {{"a", 4 * PIECE, false}, {NULL, 0, false}};

static void cut(struct world *w, off_t size)
{
	char path[200];

	assert_int_equal(truncate(path_of(path, sizeof path, w->down, "t/a"), size), 0);
}

/* Pieces of one worker are synced; the other has not seen the file. */
static struct world *begin_halves(void)
{
	struct world *w = begin_with(one, 2, quick);
	struct m_store_ready *r = open_true(w);

	seen_free(w, &r->h);
	send_piece(w, 0);
	send_piece(w, 2);
	wait_told(w, 1);
	assert_int_equal(now.rec.synced.count, 2);
	return w;
}

static void crash_and_open(struct world *w)
{
	crash(w);
	seen_drop(w);
	start(w, slow);
}

/* A worker that had not seen the file whole made it whole again, with a hole. */
static void test_cut_unseen_by_one(void **state)
{
	struct world *w = begin_halves();

	(void)state;
	cut(w, PIECE);
	send_piece(w, 3);
	crash_and_open(w);
	reopen_expect(w, 1);
	end(w);
}

/* Likewise after a start, when no worker has had it open. */
static void test_cut_after_a_start(void **state)
{
	struct world *w = begin_halves();
	struct m_store_ready *r;

	(void)state;
	for (unsigned other = 1; other <= 3; other += 2) {
		stop(w);
		start(w, slow);
		r = open_true(w);
		assert_int_equal(r->have.count, 2);
		seen_free(w, &r->h);
		cut(w, PIECE);
		send_piece(w, other);
		crash_and_open(w);
		reopen_expect(w, 1);
		send_piece(w, 2);
	}
	end(w);
}

/* A file that was short from the beginning grows once; cut again it is not made longer. */
static void test_cut_while_short(void **state)
{
	struct world *w = begin_halves();
	struct m_store_ready *r;

	(void)state;
	stop(w);
	cut(w, 3 * PIECE);
	start(w, slow);
	r = open_true(w);
	assert_int_equal(r->have.count, 2);
	seen_free(w, &r->h);
	send_piece(w, 2); /* written anew: its worker has made the file whole */
	cut(w, 2 * PIECE);
	send_piece(w, 3);
	crash_and_open(w);
	r = open_true(w);
	assert_int_equal(r->err, E_OK);
	assert_int_equal(r->have.count, 1);
	seen_free(w, &r->h);
	end(w);
}

/* The torrent is closed before what was noticed is acted upon. */
static void test_closed_at_once(void **state)
{
	struct world *w = begin_halves();
	struct m_store_ready *r;
	char path[200], aside[200];

	(void)state;
	path_of(path, sizeof path, w->down, "t/a");
	path_of(aside, sizeof aside, w->down, "t/aside");
	spoil(aside, 4 * PIECE);
	assert_int_equal(rename(aside, path), 0);
	cast_blocks(w, 3, 0, 2);
	stop(w);
	seen_drop(w);
	start(w, slow);
	r = open_true(w);
	assert_int_equal(r->err, E_CHANGED);
	seen_free(w, &r->h);
	end(w);
}

/* --- anything at any moment --- */

static const struct tfile many[] = {{"a", 70 * KIB, false}, {"b", 200 * KIB, false},
	{"c", 3, false}, {"d", 31 * KIB, false}, {"e", 150 * KIB, false}, {"f", 96 * KIB, false},
	{"g", 1 * KIB, false}, {"h", 130 * KIB, false}, {NULL, 0, false}};
static const char *const busy[] = {
	"--store.checkpoint_interval=100ms", "--store.open_files=8", NULL};

static struct {
	struct rng rng;
	struct bitfield have; /* as the session knows it */
	bool held;
	uint8_t altered[ARRAY_LEN(many)]; /* files, since the last look at all */
	unsigned looks, hashed;
} any;

static uint32_t below(uint32_t n)
{
	return rng_below(&any.rng, n);
}

static void turns(struct world *w, unsigned n)
{
	while (w->set != NULL && n-- > 0) /* the daemon may not run */
		world_turn(w);
}

static void alter(struct world *w)
{
	static const char *const names[] = {
		"cut", "remove", "replace", "remake", "move", "and back"};
	uint32_t file = below(now.meta->files_n), what = below(ARRAY_LEN(names));
	char path[300], aside[310];
	struct stat st;

	path_of(path, sizeof path, w->down, now.meta->files[file].path);
	snprintf(aside, sizeof aside, "%s.aside", path);
	if (stat(path, &st) != 0)
		return;
	print_message("# %s %s\n", names[what], path + strlen(w->down));
	any.altered[file] = 1;
	if (what == 0) {
		assert_int_equal(truncate(path, below((uint32_t)st.st_size + 1)), 0);
	} else if (what == 1) {
		unlink(path);
	} else if (what == 2) {
		spoil(aside, st.st_size);
		assert_int_equal(rename(aside, path), 0);
	} else if (what == 3) { /* may well get the inode that the old one had */
		usleep(10000);  /* but is younger by a tick of the file system's clock */
		unlink(path);
		turns(w, below(3));
		if (access(path, F_OK) != 0)
			spoil(path, st.st_size);
	} else {
		assert_int_equal(rename(path, aside), 0);
		turns(w, below(60));
		if (what == 5)
			assert_int_equal(rename(aside, path), 0);
	}
}

/* Blocks of a piece that the session lacks, as peers would send them. */
static void feed(struct world *w)
{
	uint32_t piece = below(now.meta->pieces), n = layout_blocks_in_piece(&now.l, piece);

	if (any.held || bitfield_get(&any.have, piece) || w->lent > 500)
		return;
	send_blocks(w, piece, 0, below(4) == 0 ? 1 : n);
}

static void take_ready(struct world *w, struct m_store_ready *r)
{
	any.held = r->err != E_OK;
	bitfield_free(&any.have);
	bitfield_copy(&any.have, &r->have);
	any.looks++;
	any.hashed += r->hashed;
	seen_free(w, &r->h);
	if (any.held)
		check_torrent(w, T0); /* a person says that it may go on */
}

static void listen(struct world *w)
{
	struct msg *m;

	while ((m = seen_now(w, MSG_STORE_READY)) != NULL)
		take_ready(w, AS(m_store_ready, m));
	while ((m = seen_now(w, MSG_STORE_ERROR)) != NULL)
		seen_free(w, m);
}

/* Somebody did something to the file, or the daemon wrote to it and died before it could say so. */
static bool is_another(struct world *w, uint32_t file)
{
	const struct file_stamp *s = stamp_of(file);
	char path[300];
	struct stat st;

	if (any.altered[file] ||
		stat(path_of(path, sizeof path, w->down, now.meta->files[file].path), &st) != 0)
		return true;
	return !s->dirty &&
	       st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec != s->mtime_ns;
}

/* How many pieces the database cannot vouch for. */
static uint32_t doubtful(struct world *w)
{
	uint32_t n = 0;

	for (uint32_t p = 0; p < now.meta->pieces; p++) {
		bool doubt = !bitfield_get(&now.rec.synced, p);
		uint32_t first, last;

		for (uint32_t i = 0; i < now.rec.unsynced_n; i++)
			doubt |= now.rec.unsynced[i] == p;
		for (uint32_t f = 0; f < now.meta->files_n; f++)
			doubt |= is_another(w, f) &&
				 layout_file_pieces(now.meta, f, &first, &last) && first <= p &&
				 p <= last;
		n += doubt;
	}
	return n;
}

static void come_back(struct world *w, bool killed)
{
	struct m_store_ready *r;

	if (killed)
		crash(w);
	else
		stop(w);
	seen_drop(w);
	if (below(4) == 0)
		alter(w);
	uint32_t limit = doubtful(w);

	start(w, busy);
	r = open_true(w);
	print_message("# %s: have %u hashed %u of %u\n", killed ? "killed" : "stopped",
		r->have.count, r->hashed, limit);
	assert_true(r->hashed <= limit);
	while (r->err != E_OK) {
		seen_free(w, &r->h);
		check_torrent(w, T0);
		r = ready_wait(w);
	}
	expect_truth(w, &r->have);
	memset(any.altered, 0, sizeof any.altered);
	take_ready(w, r);
}

static void live_through(uint64_t seed)
{
	struct world *w;

	print_message("# S=%llu\n", (unsigned long long)seed);
	memset(&any, 0, sizeof any);
	rng_seed(&any.rng, seed);
	w = begin_with(many, 1 + below(3), busy);
	now.good = &any.have;
	take_ready(w, open_true(w));
	for (unsigned i = 0; i < STEPS; i++) {
		uint32_t what = below(20);

		for (unsigned k = below(8); k > 0; k--)
			feed(w);
		turns(w, below(30));
		if (what < 3)
			usleep(1000 * (100 + below(30))); /* a checkpoint is due */
		else if (what < 7)
			alter(w);
		else if (what < 10)
			come_back(w, what < 9);
		listen(w);
	}
	come_back(w, true);
	bitfield_free(&any.have);
	end(w);
}

static void test_anything(void **state)
{
	const char *s = getenv("S"), *n = getenv("N");
	uint64_t seed = s != NULL ? strtoull(s, NULL, 0) : 1;

	(void)state;
	for (uint64_t end = seed + (n != NULL ? strtoull(n, NULL, 0) : SEEDS); seed < end; seed++)
		live_through(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_unseen_by_one),
		cmocka_unit_test(test_cut_after_a_start),
		cmocka_unit_test(test_cut_while_short),
		cmocka_unit_test(test_closed_at_once),
		cmocka_unit_test(test_anything),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
