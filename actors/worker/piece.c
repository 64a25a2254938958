/* SPDX-License-Identifier: MIT */
/*
 * Pieces on their way in: blocks are hashed in order while they are hot, written in runs, verified.
 *
 * The blocks of the messages in hand are first put where they belong and their pieces marked ready;
 * then every ready piece is moved forward once.  So a piece is hashed in long stretches, and two
 * ready pieces are hashed side by side, which takes little longer than one of them.  A block that
 * comes too early waits in memory.  What waits is bounded: above the worker's share, or when a
 * piece gets nothing for a while, its blocks are written as they are, the buffers go back, and the
 * hash reads them again when it gets there.
 *
 * Invariants: a buffer is in exactly one whot.data[] or has gone back; w->held counts them all.
 * A piece is told to be good only after the write of its last byte has returned.
 */
#include "actors/worker/priv.h"
#include "proto/swarm/smartban.h"

/* A piece with this much in memory, 4 MiB, is hashed alone. */
#define ALONE_BLOCKS 256u

static uint32_t bytes_of_run(const struct wpiece *p, uint32_t first, uint32_t n)
{
	uint32_t size = layout_piece_size(&p->t->layout, p->index);

	return MIN(size, (first + n) * BLOCK_SIZE) - first * BLOCK_SIZE;
}

static bool on_disk(const struct wpiece *p, uint32_t block)
{
	return p->disk[block >> 3] >> (7 - (block & 7)) & 1;
}

static bool is_held(const struct wpiece *p, uint32_t block)
{
	return p->hot != NULL && p->hot->data[block] != NULL;
}

/* --- lists --- */

static void unlink_ready(struct worker *w, struct wpiece *p)
{
	if (!p->ready)
		return;
	*(p->ready_prev ? &p->ready_prev->ready_next : &w->ready_first) = p->ready_next;
	*(p->ready_next ? &p->ready_next->ready_prev : &w->ready_last) = p->ready_prev;
	p->ready = false;
}

static void push_ready(struct worker *w, struct wpiece *p)
{
	if (p->ready)
		return;
	p->ready = true;
	p->ready_next = NULL;
	p->ready_prev = w->ready_last;
	*(w->ready_last ? &w->ready_last->ready_next : &w->ready_first) = p;
	w->ready_last = p;
}

/* --- open and forget --- */

static struct wpiece **place_of(const struct worker *w, struct wtorrent *t, uint32_t piece)
{
	return t->table != NULL ? &t->table[piece / w->workers] : NULL;
}

static struct wpiece *find_piece(const struct worker *w, struct wtorrent *t, uint32_t piece)
{
	struct wpiece **at = place_of(w, t, piece);

	return at != NULL ? *at : NULL;
}

static struct wpiece *open_piece(struct worker *w, struct wtorrent *t, uint32_t piece)
{
	struct wpiece *p = w->free_pieces;

	if (t->table == NULL)
		t->table = xcalloc(t->meta->pieces / w->workers + 1, sizeof(struct wpiece *));
	if (p != NULL)
		w->free_pieces = p->next;
	else
		p = xcalloc(1, sizeof *p);
	*p = (struct wpiece){.magic = WPIECE_MAGIC, .t = t, .index = piece};
	p->blocks = layout_blocks_in_piece(&t->layout, piece);
	p->shard = ADDR(ROLE_PEERS, t->t.shard);
	p->next = t->pieces;
	p->prev = &t->pieces;
	if (p->next != NULL)
		p->next->prev = &p->next;
	t->pieces = p;
	t->pieces_n++;
	*place_of(w, t, piece) = p;
	return p;
}

static void give_back(struct worker *w, uint16_t to, const struct block_item *from)
{
	struct block_item *it = worker_out(w, to);

	*it = *from;
	it->kind = BLOCK_BACK;
	it->err = E_OK;
}

/* The block's buffer is the pool's again. */
static void release_block(struct worker *w, struct wpiece *p, uint32_t block)
{
	struct block_item it = {.t = p->t->t,
		.piece = p->index,
		.begin = block * BLOCK_SIZE,
		.length = bytes_of_run(p, block, 1),
		.data = p->hot->data[block]};

	give_back(w, p->shard, &it);
	p->hot->data[block] = NULL;
	p->held--;
	w->held--;
}

static void forget_piece(struct worker *w, struct wpiece **pp)
{
	struct wpiece *p;
	struct wtorrent *t;

	TAKE_OBJ(p, pp, WPIECE_MAGIC);
	t = p->t;
	for (uint32_t i = 0; p->held > 0 && i < p->blocks; i++)
		if (is_held(p, i))
			release_block(w, p, i);
	worker_piece_cool(w, p);
	unlink_ready(w, p);
	*place_of(w, t, p->index) = NULL;
	*p->prev = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	p->magic = 0;
	p->next = w->free_pieces;
	w->free_pieces = p;
	t->pieces_n--;
}

/* Between two syncs pieces come and go; a torrent that rests has none at the next. */
static void drop_table(struct wtorrent *t)
{
	if (t->pieces_n > 0)
		return;
	xfree(t->table);
	t->table = NULL;
}

static void tell_piece(struct worker *w, const struct wpiece *p, enum block_kind kind, enum err err)
{
	struct block_item *it = worker_out(w, p->shard);

	it->t = p->t->t;
	it->piece = p->index;
	it->length = layout_piece_size(&p->t->layout, p->index);
	it->kind = kind;
	it->err = err;
}

static void fail_piece(struct worker *w, struct wpiece **p, const struct wfail *f)
{
	worker_note_error(w, (*p)->t, f);
	tell_piece(w, *p, BLOCK_PIECE_ERROR, f->err);
	forget_piece(w, p);
}

void worker_piece_forget_at(struct worker *w, struct wtorrent *t, uint32_t piece)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct wpiece *p = NULL;

	if (tref_worker(t->t, piece, w->workers) == w->index)
		p = find_piece(w, t, piece);
	if (p != NULL)
		forget_piece(w, &p);
}

void worker_pieces_forget(struct worker *w, struct wtorrent *t, enum err err)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct wpiece *p;

	while ((p = t->pieces) != NULL) {
		if (err != E_OK)
			tell_piece(w, p, BLOCK_PIECE_ERROR, err);
		forget_piece(w, &p);
	}
	drop_table(t);
}

/* --- writing --- */

/* Writes held blocks [first, first + n) and gives them back. */
static bool write_run(
	struct worker *w, struct wpiece *p, uint32_t first, uint32_t n, struct wfail *f)
{
	if (!worker_write(w, p->t, p->index, first, n, p->hot->data + first, f))
		return false;
	for (uint32_t i = first; i < first + n; i++) {
		p->disk[i >> 3] |= (uint8_t)(0x80 >> (i & 7));
		release_block(w, p, i);
	}
	return true;
}

/* Writes the runs of held blocks below `end` that are at least `least` long. */
static bool write_runs(
	struct worker *w, struct wpiece *p, uint32_t end, uint32_t least, struct wfail *f)
{
	for (uint32_t i = 0, n; p->held >= least && p->held > 0 && i < end; i += n) {
		for (n = 0; i + n < end && n < WORKER_RUN_BLOCKS && is_held(p, i + n);)
			n++;
		if (n >= least && !write_run(w, p, i, n, f))
			return false;
		n = MAX(n, 1);
	}
	return true;
}

/* Writes everything the piece holds, hashed or not.  It is gone, and false, when that fails. */
static bool spill_piece(struct worker *w, struct wpiece *p)
{
	struct wfail f;

	if (write_runs(w, p, p->blocks, 1, &f))
		return true;
	fail_piece(w, &p, &f);
	return false;
}

/* --- hashing --- */

/* Feeds blocks that are on disk, from the cursor on, at most a run of them. */
static bool hash_from_disk(struct worker *w, struct wpiece *p, struct wfail *f)
{
	uint32_t n = 1, bytes;

	while (n < WORKER_RUN_BLOCKS && p->hashed + n < p->blocks && on_disk(p, p->hashed + n))
		n++;
	bytes = bytes_of_run(p, p->hashed, n);
	if (!worker_read(w, p->t, p->index, p->hashed * BLOCK_SIZE, bytes, w->scratch, f))
		return false;
	hasher_update(p->hot->hasher, w->scratch, bytes);
	p->hashed += n;
	return true;
}

/*
 * Moves the cursor as far as blocks are there.  A piece that lost its running hash would be read
 * again and again while it grows slowly: it waits until it is complete.
 */
static bool hash_forward(struct worker *w, struct wpiece *p, struct wfail *f)
{
	bool read = !p->cooled || p->have == p->blocks;

	while (p->hashed < p->blocks) {
		if (is_held(p, p->hashed)) {
			hasher_update(p->hot->hasher, p->hot->data[p->hashed],
				bytes_of_run(p, p->hashed, 1));
			p->hashed++;
		} else if (!on_disk(p, p->hashed) || !read) {
			break;
		} else if (!hash_from_disk(w, p, f)) {
			return false;
		}
	}
	return true;
}

/* What each block of a bad piece was, so that peers can tell who sent the wrong one. */
static void tell_digests(struct worker *w, const struct wpiece *p)
{
	for (uint32_t i = 0; i < p->blocks; i++) {
		uint32_t bytes = bytes_of_run(p, i, 1);
		const uint8_t *data = is_held(p, i) ? p->hot->data[i] : w->scratch;
		struct block_item *it;
		struct wfail f;

		if (!is_held(p, i) &&
			!worker_read(w, p->t, p->index, i * BLOCK_SIZE, bytes, w->scratch, &f))
			continue;
		it = worker_out(w, p->shard);
		it->t = p->t->t;
		it->piece = p->index;
		it->begin = i * BLOCK_SIZE;
		it->length = bytes;
		it->kind = BLOCK_DIGEST;
		it->digest = smartban_digest(data, bytes);
	}
}

static void finish_piece(struct worker *w, struct wpiece *p)
{
	uint8_t sum[HASH_SHA1_SIZE];
	struct wfail f;

	hasher_final(p->hot->hasher, sum);
	if (memcmp(sum, metainfo_hash(p->t->meta, p->index), sizeof sum) != 0) {
		tell_digests(w, p);
		tell_piece(w, p, BLOCK_PIECE_BAD, E_BADHASH);
	} else if (!write_runs(w, p, p->blocks, 1, &f)) {
		fail_piece(w, &p, &f);
		return;
	} else {
		/* What an interrupted move left of it in the part file counts no more. */
		(void)worker_part_settle(w, p->t, p->index, false, &f);
		tell_piece(w, p, BLOCK_PIECE_OK, E_OK);
		worker_note(w, p->t, NOTE_PIECE_OK, p->index);
	}
	forget_piece(w, &p);
}

static void advance_piece(struct worker *w, struct wpiece *p)
{
	struct wfail f;

	if (!hash_forward(w, p, &f))
		fail_piece(w, &p, &f);
	else if (p->hashed == p->blocks)
		finish_piece(w, p);
	else if (!write_runs(w, p, p->hashed, WORKER_RUN_BLOCKS, &f))
		fail_piece(w, &p, &f);
}

static bool can_hash(const struct wpiece *p)
{
	return p->hashed < p->blocks && is_held(p, p->hashed);
}

/* As far as both have blocks in memory. */
static void hash_two(struct wpiece *p, struct wpiece *q)
{
	while (can_hash(p) && can_hash(q)) {
		uint32_t i = p->hashed++, k = q->hashed++;

		hasher_update_two(p->hot->hasher, p->hot->data[i], bytes_of_run(p, i, 1),
			q->hot->hasher, q->hot->data[k], bytes_of_run(q, k, 1));
	}
}

/*
 * A piece that is alone waits for company: for nothing while it is not complete, else while there
 * are more batches to take.  But not with more than its share of memory.
 */
static bool should_wait(const struct wpiece *p, bool more)
{
	return can_hash(p) && p->held < ALONE_BLOCKS && (more || p->have < p->blocks);
}

static void run_ready(struct worker *w, bool more, bool all)
{
	struct wpiece *p, *next;

	for (p = w->ready_first; p != NULL; p = next) {
		for (struct wpiece *q = p->ready_next; q != NULL && can_hash(p); q = q->ready_next)
			hash_two(p, q);
		next = p->ready_next;
		if (!all && should_wait(p, more))
			continue;
		unlink_ready(w, p);
		advance_piece(w, p);
	}
}

static void relieve_pressure(struct worker *w)
{
	struct wpiece *next;

	if (w->held > w->held_max)
		run_ready(w, false, true); /* or it would be read back to be hashed */
	for (struct wpiece *p = w->hot_first; p != NULL && w->held > w->held_max; p = next) {
		next = p->hot_next;
		if (p->held > 0)
			(void)spill_piece(w, p);
	}
	while (w->hot_n > WORKER_HOT_MAX && w->hot_first->held == 0)
		worker_piece_cool(w, w->hot_first);
}

void worker_blocks_run(struct worker *w, bool more)
{
	run_ready(w, more, false);
	relieve_pressure(w);
}

/* --- blocks in --- */

/* Whether the numbers are those of a block that is ours to write. */
static bool item_fits(const struct worker *w, const struct wtorrent *t, const struct block_item *it)
{
	uint32_t block = it->begin / BLOCK_SIZE;

	return it->piece < t->meta->pieces && it->begin % BLOCK_SIZE == 0 &&
	       tref_worker(t->t, it->piece, w->workers) == w->index &&
	       block < layout_blocks_in_piece(&t->layout, it->piece) &&
	       it->length == layout_block_size(&t->layout, it->piece, block);
}

static void take_block(struct worker *w, uint16_t from, const struct block_item *it)
{
	struct wtorrent *t = worker_find(w, it->t);
	uint32_t block = it->begin / BLOCK_SIZE;
	struct wpiece *p;

	if (t == NULL || !item_fits(w, t, it)) {
		give_back(w, from, it);
		return;
	}
	p = find_piece(w, t, it->piece);
	if (p == NULL)
		p = open_piece(w, t, it->piece);
	if (on_disk(p, block) || is_held(p, block)) {
		give_back(w, from, it);
		return;
	}
	worker_piece_warm(w, p);
	p->shard = from;
	p->hot->data[block] = it->data;
	p->held++;
	p->have++;
	w->held++;
	push_ready(w, p);
}

/* length 1: keep what came so far as a partial piece. */
static void drop_piece(struct worker *w, const struct block_item *it)
{
	struct wtorrent *t = worker_find(w, it->t);
	struct wpiece *p = NULL;

	if (t != NULL && it->piece < t->meta->pieces &&
		tref_worker(t->t, it->piece, w->workers) == w->index)
		p = find_piece(w, t, it->piece);
	if (p == NULL)
		return;
	if (it->length == 0) {
		forget_piece(w, &p);
	} else if (p->ready) { /* it may be complete: blocks of the same message */
		unlink_ready(w, p);
		advance_piece(w, p);
		p = find_piece(w, t, it->piece);
	}
	if (p != NULL && spill_piece(w, p))
		worker_piece_cool(w, p);
}

void worker_blocks_take(struct worker *w, const struct m_blocks *b)
{
	for (unsigned i = 0; i < b->n && i < BLOCKS_BATCH; i++) {
		const struct block_item *it = &b->items[i];

		if (it->kind == BLOCK_WRITE)
			take_block(w, b->h.from, it);
		else if (it->kind == BLOCK_DROP)
			drop_piece(w, it);
	}
}

/* Writes out what got nothing for a while; its running hash stays while there are few. */
static void on_idle(struct loop_timer *timer, int64_t now)
{
	struct worker *w = container_of(timer, struct worker, idle);
	struct wpiece *next;

	run_ready(w, false, true);
	for (struct wpiece *p = w->hot_first; p != NULL; p = next) {
		next = p->hot_next;
		if (p->held == 0)
			continue;
		if (p->touched + WORKER_IDLE_US > now) {
			loop_timer_set(actor_loop(w->actor), &w->idle, p->touched + WORKER_IDLE_US);
			break;
		}
		(void)spill_piece(w, p);
	}
	relieve_pressure(w);
}

/* --- partial pieces --- */

void worker_partials_load(
	struct worker *w, struct wtorrent *t, const struct partial_piece *v, uint32_t n)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	CHECK_OBJ(t, WTORRENT_MAGIC);
	for (uint32_t i = 0; i < n; i++) {
		struct wpiece *p;

		if (v[i].piece >= t->meta->pieces || v[i].blocks == NULL ||
			tref_worker(t->t, v[i].piece, w->workers) != w->index ||
			v[i].blocks_n != layout_blocks_in_piece(&t->layout, v[i].piece) ||
			find_piece(w, t, v[i].piece) != NULL)
			continue;
		p = open_piece(w, t, v[i].piece);
		memcpy(p->disk, v[i].blocks, bitfield_bytes(p->blocks));
		p->cooled = true;
		for (uint32_t b = 0; b < p->blocks; b++)
			p->have += on_disk(p, b);
		if (p->have == 0 || p->have == p->blocks) /* a whole one is a matter of hashing */
			forget_piece(w, &p);
	}
}

void worker_pieces_flush(struct worker *w, struct wtorrent *t)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	struct wpiece *next;

	run_ready(w, false, true);
	for (struct wpiece *p = t->pieces; p != NULL; p = next) {
		next = p->next;
		(void)spill_piece(w, p);
	}
	drop_table(t);
}

uint32_t worker_partials_list(const struct wtorrent *t, struct partial_piece **out)
{
	CHECK_OBJ(t, WTORRENT_MAGIC);
	uint32_t n = 0;

	*out = t->pieces_n > 0 ? xcalloc(t->pieces_n, sizeof **out) : NULL;
	for (const struct wpiece *p = t->pieces; p != NULL; p = p->next) {
		if (p->have == p->held)
			continue;
		(*out)[n].piece = p->index;
		(*out)[n].blocks_n = p->blocks;
		(*out)[n].blocks = xmemdup(p->disk, bitfield_bytes(p->blocks));
		n++;
	}
	if (n == 0) {
		xfree(*out);
		*out = NULL;
	}
	return n;
}

void worker_pieces_init(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	w->idle.fn = on_idle;
}

void worker_pieces_fini(struct worker *w)
{
	CHECK_OBJ(w, WORKER_MAGIC);
	must(w->hot_first == NULL && w->ready_first == NULL);
	for (struct wpiece *p = w->free_pieces, *next; p != NULL; p = next) {
		next = p->next;
		xfree(p);
	}
	worker_hots_fini(w);
}
