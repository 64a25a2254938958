/* SPDX-License-Identifier: MIT */
/*
 * A real worker with a fake peers and a fake store, for t_worker.c and t_worker_disk.c.
 */
#ifndef TESTS_UNIT_LIB_WORKER_WORLD_H
#define TESTS_UNIT_LIB_WORKER_WORLD_H

#include "tests/unit/lib/store_world.h"

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
	uint64_t digest[4];  /* of the first blocks of the piece that failed last */
	unsigned digests;
} now;

/* --- the world --- */

static inline void take_items(struct world *w, struct actor *a, struct msg **m)
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
		if (it->kind == BLOCK_DIGEST) {
			now.digest[it->begin / BLOCK_SIZE % ARRAY_LEN(now.digest)] = it->digest;
			now.digests++;
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

static inline struct world *begin(
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
	w->set = actors_new(&message_table);
	actors_add_here(w->set, PEERS, &fake_peers, w);
	actors_add_here(w->set, ADDR_STORE, &fake_store, w);
	for (unsigned i = 0; i < workers; i++)
		actors_add_here(w->set, WORKER(i), &worker_spec, &w->env);
	actors_start_here(w->set);
	return w;
}

static inline void end(struct world *w)
{
	metainfo_unref(&now.meta);
	for (int i = 0; i < 20; i++)
		world_turn(w);
	world_end_actors(w);
	world_free(w);
}

static inline void *to_worker(struct world *w, uint16_t type)
{
	return msg_new(actor_of(w, ADDR_STORE), type);
}

static inline enum err open_at(struct world *w, const char *root, const char *path, bool make_root,
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

static inline void open_torrent(struct world *w)
{
	assert_int_equal(open_at(w, w->down, w->down, false, NULL), E_OK);
}

static inline void close_torrent(struct world *w)
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

static inline void batch_send(struct batch *b)
{
	for (unsigned i = 0; i < b->w->env.workers; i++) {
		struct msg *m = b->m[i] != NULL ? &b->m[i]->h : NULL;

		b->m[i] = NULL;
		if (m != NULL)
			actor_cast(actor_of(b->w, PEERS), WORKER(i), &m);
	}
}

static inline struct block_item *batch_item(struct batch *b, uint32_t piece)
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

static inline void batch_block(struct batch *b, uint32_t piece, uint32_t block, bool spoil)
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

static inline void settle(struct world *w)
{
	for (int i = 0; i < 20; i++)
		world_turn(w);
}

static inline void send_blocks(struct world *w, uint32_t piece, uint32_t from, uint32_t to)
{
	struct batch b = {.w = w};

	for (uint32_t i = from; i < to; i++)
		batch_block(&b, piece, i, false);
	batch_send(&b);
	settle(w);
}

static inline void send_drop(struct world *w, uint32_t piece, uint32_t keep)
{
	struct batch b = {.w = w};
	struct block_item *it = batch_item(&b, piece);

	it->kind = BLOCK_DROP;
	it->length = keep;
	batch_send(&b);
	settle(w);
}

static inline uint32_t blocks_in(uint32_t piece)
{
	return layout_blocks_in_piece(&now.l, piece);
}

static inline void send_piece(struct world *w, uint32_t piece)
{
	send_blocks(w, piece, 0, blocks_in(piece));
}

static inline struct m_worker_sync *sync_now(struct world *w, unsigned worker, bool flush)
{
	struct m_worker_sync *s = to_worker(w, MSG_WORKER_SYNC);

	s->t = T0;
	s->flush_partials = flush;
	(void)world_call(w, ADDR_STORE, WORKER(worker), &s->h);
	assert_non_null(w->answer);
	return AS(m_worker_sync, w->answer);
}

static inline unsigned count_notes(struct world *w, enum note_kind kind, struct note *last)
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

enum order { IN_ORDER, REVERSED, SHUFFLED, DOUBLED, ORDER_MAX_ };

struct block_at {
	uint32_t piece, block;
};

static inline size_t all_blocks(struct block_at *v, enum order order)
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

static inline void download(struct world *w, enum order order)
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

#endif
