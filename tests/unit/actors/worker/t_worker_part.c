/* SPDX-License-Identifier: MIT */
/*
 * The worker and files that are not wanted, and what else hangs on how pieces lie on disk.
 */
#include "tests/unit/lib/worker_world.h"

#define FILES 6u

static enum err tell_files(struct world *w, unsigned skips)
{
	enum err err = E_OK;

	for (unsigned i = 0; i < w->env.workers; i++) {
		struct m_worker_files *f = to_worker(w, MSG_WORKER_FILES);
		enum err e;

		f->t = T0;
		f->file_priority_n = now.meta->files_n;
		f->file_priority = xcalloc(f->file_priority_n, 1);
		for (uint32_t k = 0; k < now.meta->files_n; k++)
			f->file_priority[k] = skips >> k & 1 ? 0 : 4;
		e = world_call(w, ADDR_STORE, WORKER(i), &f->h);
		err = err == E_OK ? e : err;
	}
	return err;
}

static bool part_exists(struct world *w)
{
	char name[60] = ".";

	for (size_t i = 0; i < 20; i++)
		snprintf(name + 1 + 2 * i, 3, "%02x", now.meta->infohash.v1[i]);
	snprintf(name + 41, sizeof name - 41, ".parts");
	return file_exists(w->down, name);
}

static void sync_all(struct world *w)
{
	for (unsigned i = 0; i < w->env.workers; i++) {
		(void)sync_now(w, i, true);
		assert_int_equal(w->err, E_OK);
	}
}

/* Every byte can be read, wherever it is. */
static void read_all(struct world *w)
{
	uint8_t *got = malloc(now.l.piece_length), *want = malloc(now.l.piece_length);

	for (uint32_t p = 0; p < now.l.pieces; p++) {
		struct m_extent *e = msg_new(actor_of(w, PEERS), MSG_EXTENT_READ);

		e->t = T0;
		e->piece = p;
		e->length = layout_piece_size(&now.l, p);
		e->data = got;
		assert_int_equal(
			world_call(w, PEERS, WORKER(tref_worker(T0, p, w->env.workers)), &e->h),
			E_OK);
		content_fill(
			now.files, layout_offset(&now.l, p, 0), want, layout_piece_size(&now.l, p));
		assert_memory_equal(got, want, layout_piece_size(&now.l, p));
	}
	free(got);
	free(want);
}

static void check_hashes(struct world *w)
{
	for (unsigned i = 0; i < w->env.workers; i++) {
		struct m_worker_hash *h = to_worker(w, MSG_WORKER_HASH);

		h->t = T0;
		h->n = now.l.pieces;
		assert_int_equal(world_call(w, ADDR_STORE, WORKER(i), &h->h), E_OK);
		h = AS(m_worker_hash, w->answer);
		for (uint32_t p = 0; p < now.l.pieces; p++)
			if (tref_worker(T0, p, w->env.workers) == i)
				assert_true(h->good[p / 8] >> (7 - p % 8) & 1);
	}
}

static bool is_skipped(unsigned skips, uint32_t file)
{
	return skips >> file & 1;
}

/* What may yet leave the part file is not mapped. */
static void test_no_maps(void **state)
{
	struct world *w = begin(odd_files, 40000, 1, NULL);

	(void)state;
	open_torrent(w);
	assert_int_equal(tell_files(w, 1u << 2), E_OK);
	download(w, IN_ORDER);
	for (unsigned skips = 1u << 2;; skips = 0) {
		struct m_file_map *f = msg_new(actor_of(w, PEERS), MSG_FILE_MAP);

		f->t = T0;
		f->file = 2;
		f->length = now.meta->files[2].length;
		assert_int_equal(
			world_call(w, PEERS, WORKER(0), &f->h), skips != 0 ? E_UNSUPPORTED : E_OK);
		if (skips == 0)
			break;
		assert_int_equal(tell_files(w, 0), E_OK);
	}
	end(w);
}

/* The last file that could still come to it goes after the last byte has. */
static void test_emptied_before(void **state)
{
	struct world *w = begin(many_files, 16 * KIB, 2, NULL);

	(void)state;
	open_torrent(w);
	assert_int_equal(tell_files(w, 1u << 1 | 1u << 2), E_OK);
	send_blocks(w, 1, 0, 1);
	sync_all(w);
	assert_true(part_exists(w));
	assert_int_equal(tell_files(w, 1u << 2), E_OK);
	sync_all(w);
	assert_true(part_exists(w));
	assert_int_equal(tell_files(w, 0), E_OK);
	assert_true(part_exists(w));
	sync_all(w);
	assert_false(part_exists(w));
	end(w);
}

/* All sets of skipped files, all sizes of pieces: nothing of a skipped file is made. */
static void test_sets(void **state)
{
	static const uint32_t lengths[] = {16 * KIB, 40000, 100 * KIB, 1024 * KIB};

	(void)state;
	for (unsigned c = 0; c < ARRAY_LEN(lengths); c++)
		for (unsigned skips = 0; skips < 1u << FILES; skips += skips < 8 ? 1 : 5) {
			struct world *w = begin(odd_files, lengths[c], 1 + c % 3, NULL);

			open_torrent(w);
			assert_int_equal(tell_files(w, skips), E_OK);
			download(w, skips % 2 ? SHUFFLED : IN_ORDER);
			assert_int_equal(now.ok, now.l.pieces);
			for (uint32_t i = 0; i < FILES; i++)
				assert_int_equal(file_exists(w->down, now.meta->files[i].path),
					!odd_files[i].pad && !is_skipped(skips, i));
			read_all(w);
			check_hashes(w);
			sync_all(w);
			assert_int_equal(tell_files(w, 0), E_OK);
			files_check(w->down, now.meta, now.files);
			read_all(w);
			sync_all(w);
			assert_false(part_exists(w));
			check_hashes(w);
			end(w);
		}
}

/* Wishes change all the time while blocks come in. */
static void test_changing(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed < 25; seed++) {
		struct world *w = begin(odd_files, seed % 2 ? 40000 : 64 * KIB, 1 + seed % 2, NULL);
		struct block_at *v = malloc(100000 * sizeof *v);
		size_t n = all_blocks(v, seed % 3 ? SHUFFLED : IN_ORDER);
		struct batch b = {.w = w};
		uint32_t r = seed;

		open_torrent(w);
		for (size_t i = 0; i < n; i++) {
			r = r * 1664525u + 1013904223u;
			batch_block(&b, v[i].piece, v[i].block, false);
			if (r >> 29 == 0)
				batch_send(&b);
			if (r >> 28 == 1)
				assert_int_equal(tell_files(w, r >> 8), E_OK);
			if (r >> 28 == 2)
				sync_all(w);
		}
		batch_send(&b);
		settle(w);
		assert_int_equal(now.ok, now.l.pieces);
		read_all(w);
		assert_int_equal(tell_files(w, 0), E_OK);
		files_check(w->down, now.meta, now.files);
		sync_all(w);
		assert_false(part_exists(w));
		check_hashes(w);
		free(v);
		end(w);
	}
}

/* A part file takes the room of what is in it. */
static void test_sparse(void **state)
{
	struct world *w = begin(large_file, 1024 * KIB, 1, NULL);
	char path[200];
	struct stat st;

	(void)state;
	open_torrent(w);
	assert_int_equal(tell_files(w, 1), E_OK);
	send_piece(w, 5);
	assert_true(part_exists(w));
	snprintf(path, sizeof path, "%s/.", w->down);
	for (size_t i = 0; i < 20; i++)
		snprintf(path + strlen(path), 3, "%02x", now.meta->infohash.v1[i]);
	snprintf(path + strlen(path), 7, ".parts");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 6 * 1024 * 1024);
	assert_true(st.st_blocks * 512 < 1200 * 1024);
	end(w);
}

/* What we make is executable where the torrent says so; what is there keeps its mode. */
static void test_executable(void **state)
{
	static const struct tfile files[] = {{"a.run", 40000, false}, {"b", 40000, false},
		{"c.run", 40000, false}, {NULL, 0, false}};
	static const mode_t want[] = {0100, 0, 0};
	struct world *w = begin(files, 32 * KIB, 1, NULL);
	char path[200];

	(void)state;
	assert_int_equal(mkdir(path_of(path, sizeof path, w->down, "t"), 0777), 0);
	close(open(path_of(path, sizeof path, w->down, "t/c.run"), O_WRONLY | O_CREAT, 0600));
	assert_int_equal(truncate(path, 40000), 0);
	open_torrent(w);
	download(w, IN_ORDER);
	files_check(w->down, now.meta, now.files);
	for (uint32_t i = 0; i < 3; i++) {
		struct stat st;

		path_of(path, sizeof path, w->down, now.meta->files[i].path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0100, want[i]);
	}
	end(w);
}

static void test_delete(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_delete *d;

	(void)state;
	open_torrent(w);
	assert_int_equal(tell_files(w, 4), E_OK);
	download(w, IN_ORDER);
	assert_true(part_exists(w));
	d = to_worker(w, MSG_WORKER_DELETE);
	d->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &d->h), E_OK);
	assert_false(part_exists(w));
	assert_false(file_exists(w->down, "t"));
	end(w);
}

/* Numbers that do not fit the torrent are refused. */
static void test_strays(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_files *f = to_worker(w, MSG_WORKER_FILES);

	(void)state;
	f->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &f->h), E_NOT_FOUND);
	open_torrent(w);
	f = to_worker(w, MSG_WORKER_FILES);
	f->t = T0;
	f->file_priority = xcalloc(2, 1);
	f->file_priority_n = 2;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &f->h), E_RANGE);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_maps),
		cmocka_unit_test(test_emptied_before),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_changing),
		cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_executable),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_strays),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
