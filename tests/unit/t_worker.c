/* SPDX-License-Identifier: MIT */
/*
 * The worker: blocks in any order become verified files, every buffer comes back exactly once, and
 * what fails is said to those who must know.
 *
 * A real worker on the real kernel, turned by hand; peers and store are fakes that note what comes.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "tests/unit/store_world.h"

FAKE(peers);
FAKE(store);

#define PEERS     ADDR(ROLE_PEERS, 0)
#define WORKER(i) ADDR(ROLE_WORKER, i)
#define T0        ((struct tref){.slot = 3, .gen = 7})
#define KIB       1024u

/* Sizes that put every kind of border into and between pieces. */
static const struct tfile odd_files[] = {
	{"a/one", 1, false},
	{"a/none", 0, false},
	{"b/big", 200 * KIB + 13, false},
	{".pad/5", 5 * KIB, true},
	{"a/b/c/deep", 77777, false},
	{"last", 1, false},
	{NULL, 0, false},
};
static const struct tfile one_file[] = {{"f", 300 * KIB, false}, {NULL, 0, false}};
static const struct tfile large_file[] = {{"f", 6 * 1024 * KIB + 5, false}, {NULL, 0, false}};

static const struct tfile many_files[] = {{"1", 16 * KIB, false}, {"2", 16 * KIB, false},
	{"3", 16 * KIB, false}, {"4", 16 * KIB, false}, {"5", 16 * KIB, false},
	{"6", 16 * KIB, false}, {"7", 16 * KIB, false}, {"8", 16 * KIB, false},
	{"9", 16 * KIB, false}, {"10", 16 * KIB, false}, {NULL, 0, false}};

static struct {
	struct metainfo *meta;
	struct layout l;
	const struct tfile *files;
	unsigned ok, bad, failed;
	enum err err;
	uint8_t state[4096]; /* by piece: 1 + block_kind of the last verdict */
} now;

/* --- the world --- */

static void take_items(struct world *w, struct actor *a, struct msg **m)
{
	struct m_blocks *b = AS(m_blocks, *m);

	if ((*m)->type != MSG_BLOCKS_DONE)
		return;
	for (unsigned i = 0; i < b->n; i++) {
		const struct block_item *it = &b->items[i];

		if (it->kind == BLOCK_BACK) {
			block_take(w, it->data);
			continue;
		}
		now.ok += it->kind == BLOCK_PIECE_OK;
		now.bad += it->kind == BLOCK_PIECE_BAD;
		now.failed += it->kind == BLOCK_PIECE_ERROR;
		now.state[it->piece] = (uint8_t)(1 + it->kind);
		if (it->kind == BLOCK_PIECE_ERROR)
			now.err = it->err;
	}
	msg_free(a, m);
}

static struct world *begin(
	const struct tfile *files, uint32_t piece_length, unsigned workers, const char *const *args)
{
	struct world *w = world_dirs();

	memset(&now, 0, sizeof now);
	now.files = files;
	now.meta = torrent_of(files, piece_length);
	now.l = layout_of_metainfo(now.meta);
	world_config(w, args);
	w->env.workers = workers;
	w->on_seen = take_items;
	w->set = actors_new(&msg_table);
	actors_add_here(w->set, PEERS, &fake_peers, w);
	actors_add_here(w->set, ADDR_STORE, &fake_store, w);
	for (unsigned i = 0; i < workers; i++)
		actors_add_here(w->set, WORKER(i), &worker_spec, &w->env);
	actors_start_here(w->set);
	return w;
}

static void end(struct world *w)
{
	metainfo_unref(&now.meta);
	for (int i = 0; i < 20; i++)
		world_turn(w);
	world_end_actors(w);
	world_free(w);
}

static void *to_worker(struct world *w, uint16_t type)
{
	return msg_new(actor_of(w, ADDR_STORE), type);
}

static enum err open_at(struct world *w, const char *root, const char *path, bool make_root,
	const struct partial_piece *p)
{
	enum err err = E_OK;

	for (unsigned i = 0; i < w->env.workers && err == E_OK; i++) {
		struct m_worker_open *o = to_worker(w, MSG_WORKER_OPEN);

		o->t = T0;
		o->meta = metainfo_ref(now.meta);
		o->root = xstrdup(root);
		o->path = xstrdup(path);
		o->make_root = make_root;
		if (p != NULL) {
			o->partials = xmemdup(p, sizeof *p);
			o->partials->blocks = xmemdup(p->blocks, (p->blocks_n + 7) / 8);
			o->partials_n = 1;
		}
		err = world_call(w, ADDR_STORE, WORKER(i), &o->h);
	}
	return err;
}

static void open_torrent(struct world *w)
{
	assert_int_equal(open_at(w, w->down, w->down, false, NULL), E_OK);
}

static void close_torrent(struct world *w)
{
	for (unsigned i = 0; i < w->env.workers; i++) {
		struct m_worker_close *c = to_worker(w, MSG_WORKER_CLOSE);

		c->t = T0;
		assert_int_equal(world_call(w, ADDR_STORE, WORKER(i), &c->h), E_OK);
	}
}

/* --- sending blocks --- */

struct batch {
	struct world *w;
	struct m_blocks *m[4]; /* by worker */
};

static void batch_send(struct batch *b)
{
	for (unsigned i = 0; i < b->w->env.workers; i++) {
		struct msg *m = b->m[i] != NULL ? &b->m[i]->h : NULL;

		b->m[i] = NULL;
		if (m != NULL)
			actor_cast(actor_of(b->w, PEERS), WORKER(i), &m);
	}
}

static struct block_item *batch_item(struct batch *b, uint32_t piece)
{
	unsigned i = tref_worker(T0, piece, b->w->env.workers);

	if (b->m[i] != NULL && b->m[i]->n == BLOCKS_BATCH)
		batch_send(b);
	if (b->m[i] == NULL)
		b->m[i] = msg_new(actor_of(b->w, PEERS), MSG_BLOCKS_WRITE);
	struct block_item *it = &b->m[i]->items[b->m[i]->n++];

	it->t = T0;
	it->piece = piece;
	return it;
}

static void batch_block(struct batch *b, uint32_t piece, uint32_t block, bool spoil)
{
	struct block_item *it = batch_item(b, piece);

	it->kind = BLOCK_WRITE;
	it->begin = block * BLOCK_SIZE;
	it->length = layout_block_size(&now.l, piece, block);
	it->data = block_lend(b->w);
	content_fill(now.files, layout_offset(&now.l, piece, it->begin), it->data, it->length);
	if (spoil)
		it->data[it->length - 1] ^= 1;
}

static void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		world_turn(w);
}

static void send_blocks(struct world *w, uint32_t piece, uint32_t from, uint32_t to)
{
	struct batch b = {.w = w};

	for (uint32_t i = from; i < to; i++)
		batch_block(&b, piece, i, false);
	batch_send(&b);
	settle(w);
}

static void send_drop(struct world *w, uint32_t piece, uint32_t keep)
{
	struct batch b = {.w = w};
	struct block_item *it = batch_item(&b, piece);

	it->kind = BLOCK_DROP;
	it->length = keep;
	batch_send(&b);
	settle(w);
}

static uint32_t blocks_in(uint32_t piece)
{
	return layout_blocks_in_piece(&now.l, piece);
}

static void send_piece(struct world *w, uint32_t piece)
{
	send_blocks(w, piece, 0, blocks_in(piece));
}

static struct m_worker_sync *sync_now(struct world *w, unsigned worker, bool flush)
{
	struct m_worker_sync *s = to_worker(w, MSG_WORKER_SYNC);

	s->t = T0;
	s->flush_partials = flush;
	(void)world_call(w, ADDR_STORE, WORKER(worker), &s->h);
	assert_non_null(w->answer);
	return AS(m_worker_sync, w->answer);
}

static unsigned count_notes(struct world *w, enum note_kind kind, struct note *last)
{
	unsigned n = 0;
	struct msg *m;

	while ((m = seen_now(w, MSG_WORKER_NOTE)) != NULL) {
		for (unsigned i = 0; i < AS(m_worker_note, m)->n; i++)
			if (AS(m_worker_note, m)->notes[i].kind == kind) {
				n++;
				if (last != NULL)
					*last = AS(m_worker_note, m)->notes[i];
			}
		seen_free(w, m);
	}
	return n;
}

/* --- orders --- */

enum order { IN_ORDER, REVERSED, SHUFFLED, DOUBLED, ORDER_MAX_ };

struct block_at {
	uint32_t piece, block;
};

static size_t all_blocks(struct block_at *v, enum order order)
{
	size_t n = 0;
	uint32_t seed = 12345;

	for (uint32_t p = 0; p < now.l.pieces; p++)
		for (uint32_t b = 0; b < blocks_in(p); b++)
			for (int k = 0; k < (order == DOUBLED ? 2 : 1); k++)
				v[n++] = (struct block_at){p, b};
	for (size_t i = 0; order == REVERSED && i < n / 2; i++) {
		struct block_at x = v[i];

		v[i] = v[n - 1 - i];
		v[n - 1 - i] = x;
	}
	for (size_t i = n; (order == SHUFFLED || order == DOUBLED) && i > 1; i--) {
		struct block_at x = v[i - 1];

		seed = seed * 1664525u + 1013904223u;
		v[i - 1] = v[(seed >> 8) % i];
		v[(seed >> 8) % i] = x;
	}
	return n;
}

static void download(struct world *w, enum order order)
{
	struct block_at *v = malloc(100000 * sizeof *v);
	size_t n = all_blocks(v, order);
	struct batch b = {.w = w};

	for (size_t i = 0; i < n; i++) {
		batch_block(&b, v[i].piece, v[i].block, false);
		if (i % 50 == 49) {
			batch_send(&b);
			settle(w);
		}
	}
	batch_send(&b);
	settle(w);
	free(v);
}

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

static void test_links(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	char path[200];
	struct note last = {0};

	(void)state;
	mkdir(path_of(path, sizeof path, w->dir, "outside"), 0777);
	mkdir(path_of(path, sizeof path, w->down, "t"), 0777);
	assert_int_equal(symlink("../../outside", path_of(path, sizeof path, w->down, "t/b")), 0);
	assert_int_equal(symlink("/etc/passwd", path_of(path, sizeof path, w->down, "t/last")), 0);
	open_torrent(w);
	send_piece(w, 0);
	assert_int_equal(now.failed, 1);
	assert_int_equal(now.err, E_PATH);
	assert_int_equal(w->lent, 0);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 1);
	assert_int_equal(last.index, 2);
	assert_false(file_exists(w->dir, "outside/big"));
	send_piece(w, now.l.pieces - 1);
	assert_int_equal(now.failed, 2);
	end(w);
}

/* --- disks that refuse --- */

static void refused(struct world *w, enum err want)
{
	struct note last = {0};

	(void)count_notes(w, NOTE_ERROR, NULL);
	for (uint32_t p = 0; p < now.l.pieces; p++)
		send_piece(w, p);
	assert_true(now.failed > 0);
	assert_int_equal(now.err, want);
	assert_int_equal(w->lent, 0);
	assert_int_equal(count_notes(w, NOTE_ERROR, &last), 1); /* not one for each */
	assert_int_equal(last.err, want);
}

static void test_too_big(void **state)
{
	struct rlimit was, low = {100 * KIB, 0};
	struct world *w;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	low.rlim_max = was.rlim_max;
	w = begin(one_file, 64 * KIB, 1, NULL);
	open_torrent(w);
	setrlimit(RLIMIT_FSIZE, &low);
	refused(w, E_TOO_BIG);
	setrlimit(RLIMIT_FSIZE, &was);
	now.ok = 0;
	for (uint32_t p = 0; p < now.l.pieces; p++) /* and goes on when it can */
		send_piece(w, p);
	assert_int_equal(now.ok, now.l.pieces);
	files_check(w->down, now.meta, now.files);
	end(w);
}

static void test_no_space(void **state)
{
	struct world *w;

	(void)state;
	w = begin(large_file, 256 * KIB, 1, NULL);
	/* by number: the header of mount() has a BLOCK_SIZE of its own */
	if (syscall(SYS_mount, "none", w->down, "tmpfs", 0, "size=1m") != 0) {
		print_message("# no tmpfs to a plain user\n");
		end(w);
		skip();
	}
	open_torrent(w);
	refused(w, E_NOSPACE);
	assert_true(now.ok >= 2 && now.ok <= 4);
	close_torrent(w);
	assert_int_equal(syscall(SYS_umount2, w->down, 0), 0);
	end(w);
}

/* --- opening, looking, hashing, deleting --- */

static void test_roots(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	char root[100], path[120];

	(void)state;
	path_of(root, sizeof root, w->dir, "volume");
	path_of(path, sizeof path, root, "films");
	assert_int_equal(open_at(w, root, path, false, NULL), E_NOENT);
	assert_non_null(strstr(AS(m_worker_open, w->answer)->why.text, root));
	assert_int_equal(open_at(w, root, path, true, NULL), E_OK);
	assert_false(file_exists(w->dir, "volume")); /* the first write makes it */
	send_piece(w, 0);
	assert_true(file_exists(path, "t/a/one"));
	assert_true(file_exists(path, "t/a/none")); /* empty files come with it */
	assert_int_equal(sync_now(w, 0, false)->stamps_n, 3);
	close_torrent(w);
	assert_int_equal(open_at(w, w->down, root, false, NULL), E_PATH); /* not beneath */
	end(w);
}

/* The directory is another one when it is opened again: nothing is written to what is there
 * instead. */
static void test_volume_gone(void **state)
{
	static const char *const args[] = {"--store.open_files=8", NULL};
	struct world *w = begin(many_files, 16 * KIB, 1, args);
	struct tref other = {.slot = 1};
	struct m_worker_open *o = to_worker(w, MSG_WORKER_OPEN);
	char aside[100];

	(void)state;
	open_torrent(w);
	send_piece(w, 0);
	assert_int_equal(now.ok, 1);
	assert_int_equal(rename(w->down, path_of(aside, sizeof aside, w->dir, "aside")), 0);
	assert_int_equal(mkdir(w->down, 0777), 0);
	send_piece(w, 1); /* by the descriptor, which leads to where the volume is now */
	assert_true(file_exists(aside, "t/2"));
	/* another torrent needs all descriptors */
	o->t = other;
	o->meta = metainfo_ref(now.meta);
	o->root = xstrdup(w->dir);
	o->path = xstrdup(aside);
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &o->h), E_OK);
	files_write(aside, now.meta, now.files);
	for (uint32_t p = 0; p < now.l.pieces; p++) {
		struct m_extent *e = msg_new(actor_of(w, PEERS), MSG_EXTENT_READ);
		uint8_t byte;

		e->t = other;
		e->piece = p;
		e->length = 1;
		e->data = &byte;
		assert_int_equal(world_call(w, PEERS, WORKER(0), &e->h), E_OK);
	}
	send_piece(w, 2);
	assert_int_equal(now.err, E_CHANGED);
	assert_false(file_exists(w->down, "t"));
	assert_int_equal(w->lent, 0);
	end(w);
}

static struct m_worker_stat *stat_now(struct world *w, bool want_data)
{
	struct m_worker_stat *s = to_worker(w, MSG_WORKER_STAT);

	s->t = T0;
	s->want_data = want_data;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &s->h), E_OK);
	return AS(m_worker_stat, w->answer);
}

static void test_stat(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_stat *s;
	char path[200];

	(void)state;
	open_torrent(w);
	s = stat_now(w, true);
	assert_int_equal(s->stamps_n, 6);
	for (uint32_t i = 0; i < 6; i++)
		assert_false(s->stamps[i].exists);
	assert_int_equal(s->data.count, 0);
	files_write(w->down, now.meta, now.files);
	s = stat_now(w, true);
	assert_int_equal(s->stamps[2].size, 200 * KIB + 13);
	assert_true(s->stamps[2].exists && s->stamps[2].inode != 0 && s->stamps[2].mtime_ns != 0);
	assert_false(s->stamps[3].exists);
	assert_int_equal(s->data.count, now.l.pieces);
	/* a hole and a missing end: only the pieces before them can hold data */
	assert_int_equal(truncate(path_of(path, sizeof path, w->down, "t/b/big"), 70 * KIB), 0);
	assert_int_equal(truncate(path, 200 * KIB + 13), 0);
	s = stat_now(w, true);
	assert_true(bitfield_get(&s->data, 0));
	assert_false(bitfield_get(&s->data, 1));
	assert_true(bitfield_get(&s->data, now.l.pieces - 1));
	end(w);
}

static struct m_worker_hash *hash_now(struct world *w, uint32_t first, uint32_t n, uint8_t *want)
{
	struct m_worker_hash *h = to_worker(w, MSG_WORKER_HASH);

	h->t = T0;
	h->first = first;
	h->n = n;
	h->want = want != NULL ? xmemdup(want, bitfield_bytes(n)) : NULL;
	(void)world_call(w, ADDR_STORE, WORKER(0), &h->h);
	return AS(m_worker_hash, w->answer);
}

static void test_hash(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	uint8_t want[] = {0x50, 0x80};
	struct m_worker_hash *h;
	char path[200];
	int fd;

	(void)state;
	open_torrent(w);
	h = hash_now(w, 0, now.l.pieces, NULL);
	assert_int_equal(w->err, E_OK); /* nothing there is no failure */
	assert_int_equal(h->good[0], 0);
	files_write(w->down, now.meta, now.files);
	h = hash_now(w, 0, 9, NULL);
	assert_int_equal(h->good[0], 0xff);
	h = hash_now(w, 1, 9, want);
	assert_int_equal(h->good[0], 0x50);
	assert_int_equal(h->good[1], 0x80);
	assert_int_equal(hash_now(w, now.l.pieces - 1, 1, NULL)->good[0], 0x80);
	fd = open(path_of(path, sizeof path, w->down, "t/b/big"), O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 20000), 1);
	close(fd);
	assert_int_equal(hash_now(w, 0, 8, NULL)->good[0], 0xbf);
	/* what was found good is made durable by the next sync, by whoever it was written */
	assert_true(sync_now(w, 0, true)->stamps_n > 0);
	(void)hash_now(w, 1, now.l.pieces, NULL);
	assert_int_equal(w->err, E_RANGE);
	end(w);
}

/* A close in the middle of a check answers it. */
static void test_hash_cancelled(void **state)
{
	struct world *w = begin(odd_files, 16 * KIB, 1, NULL);
	struct m_worker_hash *h = to_worker(w, MSG_WORKER_HASH);
	struct m_worker_close *c = to_worker(w, MSG_WORKER_CLOSE);
	struct actor *store = actor_of(w, ADDR_STORE);
	struct msg *m = &h->h;

	(void)state;
	open_torrent(w);
	files_write(w->down, now.meta, now.files);
	h->t = c->t = T0;
	h->n = now.l.pieces;
	w->waiting = 2;
	actor_call(store, WORKER(0), &m, take_answer, w);
	m = &c->h;
	actor_call(store, WORKER(0), &m, take_answer, w);
	settle(w);
	assert_int_equal(w->waiting, 0);
	end(w);
}

static void test_delete(void **state)
{
	struct world *w = begin(odd_files, 64 * KIB, 1, NULL);
	struct m_worker_delete *d = to_worker(w, MSG_WORKER_DELETE);
	char path[200];
	int fd;

	(void)state;
	open_torrent(w);
	download(w, IN_ORDER);
	send_drop(w, 0, 0);
	fd = open(path_of(path, sizeof path, w->down, "t/a/foreign"), O_WRONLY | O_CREAT, 0666);
	assert_true(fd >= 0);
	close(fd);
	d->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &d->h), E_OK);
	assert_true(file_exists(w->down, "t/a/foreign"));
	assert_false(file_exists(w->down, "t/a/b"));
	assert_false(file_exists(w->down, "t/a/one"));
	assert_false(file_exists(w->down, "t/a/none"));
	assert_false(file_exists(w->down, "t/b"));
	unlink(path);
	d = to_worker(w, MSG_WORKER_DELETE);
	d->t = T0;
	assert_int_equal(world_call(w, ADDR_STORE, WORKER(0), &d->h), E_OK);
	assert_false(file_exists(w->down, "t"));
	assert_true(file_exists(w->dir, "down"));
	end(w);
}

/* A file is told to be dirty once a sync, whatever is written to it. */
static void test_dirty_notes(void **state)
{
	struct world *w = begin(one_file, 64 * KIB, 1, NULL);

	(void)state;
	open_torrent(w);
	send_piece(w, 0);
	send_piece(w, 1);
	assert_int_equal(count_notes(w, NOTE_FILE_DIRTY, NULL), 1);
	assert_int_equal(sync_now(w, 0, true)->stamps_n, 1);
	assert_int_equal(sync_now(w, 0, true)->stamps_n, 0);
	send_piece(w, 2);
	assert_int_equal(count_notes(w, NOTE_FILE_DIRTY, NULL), 1);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_bad_hash),
		cmocka_unit_test(test_partials),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_no_space),
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_volume_gone),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_cancelled),
		cmocka_unit_test(test_delete),
		cmocka_unit_test(test_dirty_notes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
