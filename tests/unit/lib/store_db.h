/* SPDX-License-Identifier: MIT */
/*
 * The store and its workers, real ones, with a model of the database, for t_store.c and
 * t_store_check.c.
 *
 * The model does what the messages say, so that a test can end the actors at any moment and open
 * the torrent again from what the database would have had.
 */
#ifndef TESTS_UNIT_LIB_STORE_DB_H
#define TESTS_UNIT_LIB_STORE_DB_H

#include "tests/unit/lib/store_world.h"

FAKE(session);
FAKE(state);
FAKE(peers);

#define PEERS ADDR(ROLE_PEERS, 0)
#define T0    ((struct tref){.slot = 5, .gen = 2})
#define T1    ((struct tref){.slot = 6, .gen = 1})
#define ROW   42
#define KIB   1024u

/* Pieces of 32 KiB: 0 to 2 in a, 3 in a and b, 4 in b and c. */
static const struct tfile files[] = {{"a", 100 * KIB, false}, {"b", 50 * KIB, false},
	{"c", 1, false}, {"none", 0, false}, {NULL, 0, false}};
#define PIECE  (32 * KIB)
#define PIECES 5u

static const char *const slow[] = {"--store.checkpoint_interval=10m", NULL};
static const char *const quick[] = {"--store.checkpoint_interval=100ms", NULL};

/* The database, and what was said to the session. */
static struct {
	const struct tfile *files;
	struct metainfo *meta;
	struct layout l;
	unsigned workers;
	struct torrent_record rec;
	unsigned notes, pieces_told; /* messages */
	unsigned ok;                 /* verdicts to peers */
	struct bitfield *good;       /* the pieces of those; NULL: nobody wants to know */
	bool clean;
} now;

/* --- the database --- */

static inline struct file_stamp *stamp_of(uint32_t file)
{
	struct torrent_record *r = &now.rec;

	for (uint32_t i = 0; i < r->stamps_n; i++)
		if (r->stamps[i].file == file)
			return &r->stamps[i];
	r->stamps = xrealloc(r->stamps, (r->stamps_n + 1) * sizeof *r->stamps);
	r->stamps[r->stamps_n] = (struct file_stamp){.file = file};
	return &r->stamps[r->stamps_n++];
}

static inline void db_noted(const uint32_t *v, uint32_t n)
{
	struct torrent_record *r = &now.rec;

	r->unsynced = xrealloc(r->unsynced, (n + 1) * sizeof *v);
	if (n > 0)
		memcpy(r->unsynced, v, n * sizeof *v);
	r->unsynced_n = n;
}

static inline void db_note(const struct m_state_note *n)
{
	assert_int_equal(n->row, ROW);
	assert_true(n->pieces_n + n->dirty_n + n->made > 0);
	db_noted(n->pieces, n->pieces_n);
	now.rec.made = MAX(now.rec.made, n->made);
	for (uint32_t i = 0; i < n->dirty_n; i++) {
		stamp_of(n->dirty[i])->dirty = true;
		stamp_of(n->dirty[i])->mtime_ns = n->dirty_ns;
	}
	now.notes++;
}

static inline void db_pieces(struct m_state_pieces *p)
{
	struct torrent_record *r = &now.rec;

	assert_int_equal(p->row, ROW);
	bitfield_free(&r->synced);
	r->synced = p->synced;
	p->synced = (struct bitfield){0};
	db_noted(p->noted, p->noted_n);
	for (uint32_t i = 0; i < p->stamps_n; i++)
		*stamp_of(p->stamps[i].file) = p->stamps[i];
	if (p->has_partials) {
		partials_free(&r->partials, &r->partials_n);
		r->partials = p->partials;
		r->partials_n = p->partials_n;
		p->partials = NULL;
		p->partials_n = 0;
	}
	now.pieces_told++;
}

static inline void hear_block(struct world *w, const struct block_item *it)
{
	if (it->kind == BLOCK_BACK)
		block_take(w, it->data);
	now.ok += it->kind == BLOCK_PIECE_OK;
	if (it->kind == BLOCK_PIECE_OK && now.good != NULL)
		bitfield_set(now.good, it->piece);
}

static inline void hear(struct world *w, struct actor *a, struct msg **m)
{
	struct m_blocks *b = AS(m_blocks, *m);

	if ((*m)->type == MSG_STATE_NOTE) {
		db_note(AS(m_state_note, *m));
		msg_free(a, m);
	} else if ((*m)->type == MSG_STATE_PIECES) {
		db_pieces(AS(m_state_pieces, *m));
	} else if ((*m)->type == MSG_BLOCKS_DONE) {
		for (unsigned i = 0; i < b->n; i++)
			hear_block(w, &b->items[i]);
		msg_free(a, m);
	}
}

/* --- the world --- */

static inline void start(struct world *w, const char *const *args)
{
	world_config(w, args);
	w->env.workers = now.workers;
	w->on_seen = hear;
	w->set = actors_new(&message_table);
	actors_add_here(w->set, ADDR_SESSION, &fake_session, w);
	actors_add_here(w->set, ADDR_STATE, &fake_state, w);
	actors_add_here(w->set, PEERS, &fake_peers, w);
	actors_add_here(w->set, ADDR_STORE, &store_spec, &w->env);
	for (unsigned i = 0; i < now.workers; i++)
		actors_add_here(w->set, ADDR(ROLE_WORKER, i), &worker_spec, &w->env);
	actors_start_here(w->set);
	now.notes = now.pieces_told = now.ok = 0;
}

static inline struct world *begin_with(
	const struct tfile *f, unsigned workers, const char *const *args)
{
	struct world *w = world_dirs();

	memset(&now, 0, sizeof now);
	now.files = f;
	now.workers = workers;
	now.meta = torrent_of(f, PIECE);
	now.l = layout_of_metainfo(now.meta);
	now.rec.fresh = true;
	bitfield_init(&now.rec.synced, now.meta->pieces);
	start(w, args);
	return w;
}

static inline struct world *begin(const char *const *args)
{
	struct world *w = begin_with(files, 2, args);

	assert_int_equal(now.meta->pieces, PIECES);
	return w;
}

static inline void settle(struct world *w)
{
	for (int i = 0; i < 60; i++)
		world_turn(w);
}

/* The actors go without a word, as in a crash; the page cache stays. */
static inline void crash(struct world *w)
{
	now.clean = false;
	now.rec.fresh = false;
	for (unsigned i = 0; i < w->lent; i++)
		free(w->blocks[i]);
	w->lent = 0;
	world_end_actors(w);
}

static inline void stop(struct world *w)
{
	assert_int_equal(world_call(w, ADDR_SESSION, ADDR_STORE,
				 msg_new(actor_of(w, ADDR_SESSION), MSG_QUIESCE)),
		E_OK);
	now.clean = true;
	now.rec.fresh = false;
	settle(w);
	world_end_actors(w);
}

static inline void end(struct world *w)
{
	stop(w);
	metainfo_unref(&now.meta);
	record_fini(&now.rec);
	world_free(w);
}

static inline void open_as(struct world *w, struct tref t, const char *path)
{
	struct m_store_open *o = msg_new(actor_of(w, ADDR_SESSION), MSG_STORE_OPEN);
	struct torrent_record *r = &o->record;
	struct msg *m = &o->h;

	o->t = t;
	o->root = xstrdup(w->down);
	o->clean = now.clean;
	*r = now.rec;
	r->row = ROW;
	r->meta = metainfo_ref(now.meta);
	r->path = xstrdup(path);
	bitfield_copy(&r->synced, &now.rec.synced);
	r->unsynced = xmemdup(now.rec.unsynced, now.rec.unsynced_n * 4);
	r->stamps = xmemdup(now.rec.stamps, now.rec.stamps_n * sizeof *r->stamps);
	if (now.rec.wishes.file_priority != NULL)
		r->wishes.file_priority =
			xmemdup(now.rec.wishes.file_priority, now.rec.wishes.file_priority_n);
	r->partials = xmemdup(now.rec.partials, now.rec.partials_n * sizeof *r->partials);
	for (uint32_t i = 0; i < r->partials_n; i++)
		r->partials[i].blocks = xmemdup(r->partials[i].blocks, 1);
	actor_cast(actor_of(w, ADDR_SESSION), ADDR_STORE, &m);
}

/* The caller frees it with seen_free(). */
static inline struct m_store_ready *ready_wait(struct world *w)
{
	return AS(m_store_ready, seen_wait(w, MSG_STORE_READY));
}

static inline void expect_ready(struct world *w, enum err err, uint32_t have, uint32_t hashed)
{
	struct m_store_ready *r = ready_wait(w);

	assert_int_equal(r->err, err);
	if (err == E_OK)
		assert_int_equal(r->have.count, have);
	else
		assert_true(r->why.text[0] != '\0');
	assert_int_equal(r->hashed, hashed);
	seen_free(w, &r->h);
	settle(w);
}

static inline void open_expect(struct world *w, enum err err, uint32_t have, uint32_t hashed)
{
	open_as(w, T0, w->down);
	expect_ready(w, err, have, hashed);
}

static inline enum err close_torrent(struct world *w, struct tref t, bool delete_data)
{
	struct m_store_close *c = msg_new(actor_of(w, ADDR_SESSION), MSG_STORE_CLOSE);

	c->t = t;
	c->delete_data = delete_data;
	return world_call(w, ADDR_SESSION, ADDR_STORE, &c->h);
}

static inline void check_torrent(struct world *w, struct tref t)
{
	struct m_torrent *c = msg_new(actor_of(w, ADDR_SESSION), MSG_STORE_CHECK);
	struct msg *m = &c->h;

	c->t = t;
	actor_cast(actor_of(w, ADDR_SESSION), ADDR_STORE, &m);
}

static inline void cast_blocks(struct world *w, uint32_t piece, uint32_t from, uint32_t to)
{
	struct m_blocks *b = msg_new(actor_of(w, PEERS), MSG_BLOCKS_WRITE);
	struct msg *m = &b->h;

	for (uint32_t i = from; i < to; i++) {
		struct block_item *it = &b->items[b->n++];

		*it = (struct block_item){.t = T0, .piece = piece, .begin = i * BLOCK_SIZE};
		it->length = layout_block_size(&now.l, piece, i);
		it->data = block_lend(w);
		content_fill(
			now.files, layout_offset(&now.l, piece, it->begin), it->data, it->length);
	}
	actor_cast(actor_of(w, PEERS), ADDR(ROLE_WORKER, tref_worker(T0, piece, now.workers)), &m);
}

static inline void send_blocks(struct world *w, uint32_t piece, uint32_t from, uint32_t to)
{
	cast_blocks(w, piece, from, to);
	settle(w);
}

static inline void send_piece(struct world *w, uint32_t piece)
{
	send_blocks(w, piece, 0, layout_blocks_in_piece(&now.l, piece));
}

static inline void wait_told(struct world *w, unsigned n)
{
	for (int i = 0; i < TURNS_MAX && now.pieces_told < n; i++)
		world_turn(w);
	assert_int_equal(now.pieces_told, n);
}

/* How tests change files behind our back. */
static inline void put(const char *path, off_t at, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0666);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

#endif
