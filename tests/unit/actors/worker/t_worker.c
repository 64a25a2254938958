/* SPDX-License-Identifier: MIT */
/*
 * The worker: blocks in any order become verified files, and every buffer comes back exactly once.
 */
#include "actors/kernel/fs.h"
#include "proto/swarm/smartban.h"
#include "tests/unit/lib/worker_world.h"

static void test_orders(void **state)
{
	static const struct {
		const struct tfile *files;
		uint32_t piece_length;
		unsigned workers;
		const char *args[3];
	} cases[] = {
		{odd_files, 16 * KIB, 1, {NULL}},
		{odd_files, 40000, 2, {NULL}},
		{odd_files, 100 * KIB, 3, {NULL}},
		{odd_files, 1024 * KIB, 1, {NULL}},
		{one_file, 32 * KIB, 2, {"--store.open_files=8", NULL}},
		{large_file, 4096 * KIB, 1, {NULL}},
		{large_file, 4096 * KIB, 1, {"--store.write_buffer=1MiB", NULL}},
		{large_file, 512 * KIB, 2, {"--store.write_buffer=1MiB", NULL}},
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		for (enum order order = 0; order < ORDER_MAX_; order++) {
			struct world *w = begin(cases[c].files, cases[c].piece_length,
				cases[c].workers, cases[c].args);

			open_torrent(w);
			download(w, order);
			/* doubles of a piece that is complete begin it anew: peers would not do so
			 */
			if (order != DOUBLED)
				assert_int_equal(now.ok, now.l.pieces);
			assert_true(now.ok >= now.l.pieces);
			assert_int_equal(now.bad + now.failed, 0);
			for (uint32_t p = 0; p < now.l.pieces; p++)
				send_drop(w, p, 0);
			assert_int_equal(w->lent, 0);
			for (unsigned i = 0; i < cases[c].workers; i++)
				(void)sync_now(w, i, false); /* notes come before the answer */
			assert_int_equal(count_notes(w, NOTE_PIECE_OK, NULL), now.ok);
			files_check(w->down, now.meta, now.files);
			end(w);
		}
}

/* Buffers do not wait for anything once their piece is complete, dropped, or unknown. */
static void test_strays(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);
	struct batch b = {.w = w};

	(void)state;
	batch_block(&b, 0, 0, false); /* not open yet */
	batch_send(&b);
	settle(w);
	assert_int_equal(w->lent, 0);
	open_torrent(w);
	batch_block(&b, 0, 0, false);
	batch_block(&b, 0, 0, false); /* twice */
	batch_block(&b, 0, 1, false);
	b.m[0]->items[2].t.gen++; /* stale */
	batch_block(&b, 0, 2, false);
	b.m[0]->items[3].piece = 99;
	batch_block(&b, 0, 2, false);
	b.m[0]->items[4].length--;
	batch_block(&b, 0, 2, false);
	b.m[0]->items[5].begin++;
	batch_send(&b);
	settle(w);
	assert_int_equal(w->lent, 1);
	send_drop(w, 0, 0);
	assert_int_equal(w->lent, 0);
	send_blocks(w, 1, 0, 2);
	assert_int_equal(w->lent, 2);
	close_torrent(w);
	settle(w);
	assert_int_equal(w->lent, 0);
	end(w);
}

static void test_bad_hash(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);
	struct batch b = {.w = w};

	(void)state;
	open_torrent(w);
	for (uint32_t i = 0; i < 4; i++)
		batch_block(&b, 1, i, i == 2);
	batch_send(&b);
	settle(w);
	assert_int_equal(now.bad, 1);
	assert_int_equal(now.state[1], 1 + BLOCK_PIECE_BAD);
	assert_int_equal(w->lent, 0);
	assert_false(file_exists(w->down, "t/f")); /* nothing of it was written */
	assert_int_equal(count_notes(w, NOTE_PIECE_OK, NULL), 0);
	send_piece(w, 1);
	assert_int_equal(now.ok, 1);
	end(w);
}

/* The digests of a bad piece come before the verdict, of blocks held and of blocks on disk. */
static void test_bad_digests(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);
	struct batch first = {.w = w}, rest = {.w = w};
	uint8_t block[BLOCK_SIZE];

	(void)state;
	open_torrent(w);
	batch_block(&first, 1, 0, false);
	batch_block(&first, 1, 1, true);
	batch_send(&first);
	settle(w);
	send_drop(w, 1, 1);
	assert_int_equal(w->lent, 0);
	batch_block(&rest, 1, 2, false);
	batch_block(&rest, 1, 3, true);
	batch_send(&rest);
	settle(w);
	assert_int_equal(now.bad, 1);
	assert_int_equal(now.digests, 4);
	for (uint32_t i = 0; i < 4; i++) {
		content_fill(
			now.files, layout_offset(&now.l, 1, i * BLOCK_SIZE), block, BLOCK_SIZE);
		block[BLOCK_SIZE - 1] ^= i % 2;
		assert_true(now.digest[i] == smartban_digest(block, BLOCK_SIZE));
	}
	end(w);
}

/* Blocks kept by a drop or by a flush are read again when the rest has come. */
static void test_partials(void **state)
{
	struct world *w = begin(large_file, 1024 * KIB, 1, NULL);
	struct partial_piece kept;
	struct m_worker_sync *s;

	(void)state;
	open_torrent(w);
	send_blocks(w, 2, 10, 40);
	assert_int_equal(w->lent, 30);
	send_drop(w, 2, 1);
	assert_int_equal(w->lent, 0);
	send_blocks(w, 2, 0, 5);
	s = sync_now(w, 0, true);
	assert_int_equal(w->err, E_OK);
	assert_int_equal(w->lent, 0);
	assert_int_equal(s->stamps_n, 1);
	assert_int_equal(s->stamps[0].size, now.meta->files[0].length); /* sparse, full length */
	assert_int_equal(s->partials_n, 1);
	assert_int_equal(s->partials[0].piece, 2);
	assert_int_equal(s->partials[0].blocks_n, 64);
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(s->partials[0].blocks[i / 8] >> (7 - i % 8) & 1,
			i < 5 || (i >= 10 && i < 40));
	kept = s->partials[0];
	kept.blocks = xmemdup(kept.blocks, 8);
	close_torrent(w);
	assert_int_equal(open_at(w, w->down, w->down, false, &kept), E_OK);
	xfree(kept.blocks);
	send_blocks(w, 2, 38, 64);
	send_blocks(w, 2, 5, 11);
	assert_int_equal(now.ok, 1);
	assert_int_equal(now.bad, 0);
	assert_int_equal(sync_now(w, 0, true)->partials_n, 0);
	end(w);
}

static void test_pressure(void **state)
{
	static const char *const args[] = {"--store.write_buffer=1MiB", NULL};
	struct world *w = begin(large_file, 1024 * KIB, 1, args);

	(void)state;
	open_torrent(w);
	for (uint32_t p = 0; p < 6; p++) /* the share is 32 blocks */
		send_blocks(w, p, 1, 30);
	assert_true(w->lent <= 32);
	for (uint32_t p = 0; p < 6; p++)
		send_blocks(w, p, 30, 64);
	for (uint32_t p = 0; p < 6; p++)
		send_blocks(w, p, 0, 1);
	assert_int_equal(now.ok, 6);
	assert_int_equal(w->lent, 0);
	end(w);
}

static enum err read_extent(
	struct world *w, uint32_t piece, uint32_t begin_at, uint32_t n, uint8_t *out)
{
	struct m_extent *e = msg_new(actor_of(w, PEERS), MSG_EXTENT_READ);

	e->t = T0;
	e->piece = piece;
	e->begin = begin_at;
	e->length = n;
	e->data = out;
	return world_call(w, PEERS, WORKER(tref_worker(T0, piece, w->env.workers)), &e->h);
}

static void test_extents(void **state)
{
	struct world *w = begin(odd_files, 100 * KIB, 2, NULL);
	uint8_t *got = malloc(100 * KIB), *want = malloc(100 * KIB);
	char path[200];

	(void)state;
	open_torrent(w);
	download(w, IN_ORDER);
	for (uint32_t p = 0; p < now.l.pieces; p++) {
		uint32_t size = layout_piece_size(&now.l, p);

		for (uint32_t at = 0; at < size; at += 30001) {
			uint32_t n = MIN(size - at, 70000);

			assert_int_equal(read_extent(w, p, at, n, got), E_OK);
			content_fill(now.files, layout_offset(&now.l, p, at), want, n);
			assert_memory_equal(got, want, n);
		}
	}
	assert_int_equal(read_extent(w, 0, 0, 100 * KIB + 1, got), E_RANGE);
	assert_int_equal(read_extent(w, 99, 0, 1, got), E_RANGE);
	(void)count_notes(w, NOTE_ERROR, NULL);
	assert_int_equal(truncate(path_of(path, sizeof path, w->down, "t/b/big"), 1000), 0);
	struct note last = {0};

	assert_int_equal(read_extent(w, 0, 0, 16384, got), E_CHANGED);
	settle(w);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 1);
	assert_int_equal(last.index, 2);
	assert_string_equal(last.op, "read");
	close_torrent(w);
	assert_int_equal(read_extent(w, 0, 0, 1, got), E_NOT_FOUND);
	free(got);
	free(want);
	end(w);
}

static void test_maps(void **state)
{
	struct world *w = begin(odd_files, 100 * KIB, 2, NULL);
	struct m_file_map *f;
	struct note last = {0};

	(void)state;
	open_torrent(w);
	download(w, IN_ORDER);
	(void)count_notes(w, NOTE_ERROR, &last);
	for (uint32_t i = 0; i <= now.meta->files_n; i++) {
		bool there =
			i < now.meta->files_n && !odd_files[i].pad && now.meta->files[i].length > 0;
		enum err err;

		f = msg_new(actor_of(w, PEERS), MSG_FILE_MAP);
		f->t = T0;
		f->file = i;
		f->length = there ? now.meta->files[i].length : 0;
		err = world_call(w, PEERS, WORKER(i % 2), &f->h);
		assert_int_equal(err == E_OK, there);
		f = AS(m_file_map, w->answer);
		assert_int_equal(f->map != NULL, there);
		assert_true(!there || fs_map_resident(f->map, f->length));
	}
	end(w);
}

/* What came back, in order. */
struct loaded {
	uint32_t piece[8];
	enum err err[8];
	unsigned n;
};

static void take_loaded(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct loaded *l = ctx;

	(void)a;
	if (err == E_STOPPING)
		return;
	l->piece[l->n] = AS(m_extent, *m)->piece;
	l->err[l->n++] = err;
}

static void load(struct world *w, struct loaded *to, uint32_t piece, const uint8_t *map)
{
	struct m_extent *e = msg_new(actor_of(w, PEERS), MSG_EXTENT_READ);
	struct msg *m = &e->h;

	e->t = T0;
	e->piece = piece;
	e->length = layout_piece_size(&now.l, piece);
	e->map = map + layout_offset(&now.l, piece, 0);
	e->ahead = piece == 0 ? 2 * e->length : 0;
	actor_call(actor_of(w, PEERS), WORKER(0), &m, take_loaded, to);
}

/* Several parts of a map are asked for at once; each is answered for itself, in order. */
static void test_loads(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);
	struct m_file_map *f;
	struct loaded l = {.n = 0};
	char path[200];
	const uint8_t *map;

	(void)state;
	open_torrent(w);
	download(w, IN_ORDER);
	f = msg_new(actor_of(w, PEERS), MSG_FILE_MAP);
	f->t = T0;
	f->length = 300 * KIB;
	assert_int_equal(world_call(w, PEERS, WORKER(0), &f->h), E_OK);
	map = AS(m_file_map, w->answer)->map;
	AS(m_file_map, w->answer)->map = NULL;
	assert_int_equal(truncate(path_of(path, sizeof path, w->down, "t/f"), 128 * KIB), 0);
	for (uint32_t p = 0; p < 4; p++)
		load(w, &l, p, map);
	for (int i = 0; i < 1000 && l.n < 4; i++)
		world_turn(w);
	assert_int_equal(l.n, 4);
	for (uint32_t p = 0; p < 4; p++) {
		assert_int_equal(l.piece[p], p);
		assert_int_equal(l.err[p], p < 2 ? E_OK : E_FAULT);
	}
	assert_true(fs_map_resident(map, 128 * KIB));
	assert_false(fs_map_resident(map, 192 * KIB));
	load(w, &l, 0, map); /* all stops before it is answered */
	end(w);
	fs_unmap(map, 300 * KIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_bad_hash),
		cmocka_unit_test(test_bad_digests),
		cmocka_unit_test(test_partials),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_maps),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
