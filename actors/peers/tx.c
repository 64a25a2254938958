/* SPDX-License-Identifier: MIT */
/*
 * Sending: the handshake, small messages, blocks.
 *
 * Small messages may pass blocks that wait, but never cut into one that has begun.  Headers and
 * payload of many blocks leave with one writev.
 */
#include "actors/peers/priv.h"

#define OUTPUT_MAX   (128u * 1024u) /* small messages; a long pipeline of requests is 8 KiB */
#define WATERMARK    (512u * 1024u) /* payload queued for one connection, at least two runs */
#define MAPPED_TIMES 4u             /* or of maps, which take no memory, so much of its unsent */
#define WRITE_BUDGET (1024u * 1024u)
/* What the kernel may hold unsent follows the peer's rate: a fast one is served in few turns, and a
 * slow one still hears soon that it is choked.  Bytes; the time is us. */
#define QUEUE_LEAST  16384u
#define QUEUE_MOST   1048576u
#define QUEUE_TIME   (USEC_PER_SEC / 20)
#define QUEUE_SAMPLE 262144u
#define QUEUE_LOOK   USEC_PER_SEC /* a slow one is looked at after this */

static struct out_block *block_at(struct conn *c, uint32_t i)
{
	return &c->blocks[(c->blocks_head + i) & (c->blocks_cap - 1)];
}

static void grow_blocks(struct conn *c)
{
	uint32_t cap = c->blocks_cap ? 2 * c->blocks_cap : 16;
	struct out_block *v = xcalloc(cap, sizeof *v);

	for (uint32_t i = 0; i < c->blocks_n; i++)
		v[i] = *block_at(c, i);
	xfree(c->blocks);
	c->blocks = v;
	c->blocks_head = 0;
	c->blocks_cap = cap;
}

/* --- what is to be served --- */

static void push_block(struct conn *c, const struct block_req *r, struct read_run *x)
{
	struct out_block *b;
	struct wr w;

	if (c->blocks_n == c->blocks_cap)
		grow_blocks(c);
	b = block_at(c, c->blocks_n++);
	*b = (struct out_block){.req = *r, .run = x};
	w = wr_of(b->header, sizeof b->header);
	wire_put_piece_header(&w, r->piece, r->begin, r->length);
	c->queued += r->length;
	c->served_at = loop_now(c->shard->loop);
}

/* What lies in maps is looked at further ahead, so that the disk is asked early for what a fast one
 * wants. */
static uint32_t most_queued(struct conn *c)
{
	bool mapped = c->blocks_n > 0 && block_at(c, c->blocks_n - 1)->run->map != NULL;

	return mapped ? MAX(WATERMARK, MAPPED_TIMES * c->not_sent_low) : WATERMARK;
}

void conn_fill(struct conn *c)
{
	const struct block_req *next;
	struct block_req r;

	CHECK_OBJ(c, CONN_MAGIC);
	if (swarm_wants_info(c->peer))
		swarm_serve_info(c->peer);
	while ((next = swarm_serve_first(c->peer)) != NULL && c->queued < most_queued(c)) {
		struct read_run *x = cache_get(c->torrent, next, c->blocks_n == 0);

		if (x == NULL)
			return;
		must(swarm_serve_next(c->peer, &r));
		push_block(c, &r, x);
	}
}

static void pop_block(struct conn *c)
{
	struct out_block *b = block_at(c, 0);

	c->queued -= b->req.length;
	read_run_unref(c->shard, b->run);
	c->blocks_head = (c->blocks_head + 1) & (c->blocks_cap - 1);
	if (--c->blocks_n == 0 && c->blocks_cap > 64) {
		xfree(c->blocks);
		c->blocks = NULL;
		c->blocks_cap = c->blocks_head = 0;
	}
}

void conn_drop_blocks(struct conn *c, bool all)
{
	CHECK_OBJ(c, CONN_MAGIC);
	uint32_t keep = !all && c->blocks_n > 0 && block_at(c, 0)->sent > 0 ? 1 : 0;

	while (c->blocks_n > keep) {
		struct out_block *b = block_at(c, c->blocks_n - 1);

		if (!all)
			swarm_serve_failed(c->peer, &b->req);
		c->queued -= b->req.length;
		read_run_unref(c->shard, b->run);
		c->blocks_n--;
	}
	if (c->blocks_n == 0)
		link_remove(&c->wants_run);
}

void conn_cancel(struct conn *c, uint32_t piece, uint32_t begin, uint32_t length)
{
	uint32_t i = 0;
	struct out_block b;
	bool front;

	CHECK_OBJ(c, CONN_MAGIC);
	for (; i < c->blocks_n; i++) {
		const struct block_req *r = &block_at(c, i)->req;

		if (r->piece == piece && r->begin == begin && r->length == length)
			break;
	}
	if (i == c->blocks_n || block_at(c, i)->sent > 0)
		return;
	front = i == 0;
	b = *block_at(c, i);
	for (; i + 1 < c->blocks_n; i++)
		*block_at(c, i) = *block_at(c, i + 1);
	c->blocks_n--;
	c->queued -= b.req.length;
	swarm_serve_failed(c->peer, &b.req);
	read_run_unref(c->shard, b.run);
	if (!front)
		return;
	link_remove(&c->wants_run); /* the next may be there already */
	conn_post(c);
}

bool conn_is_send_blocked(const struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	return c->peer != NULL && outbuf_len(swarm_out(c->peer)) > OUTPUT_MAX;
}

bool conn_has_output(const struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	return outbuf_len(&c->first) > 0 || c->blocks_n > 0 || stream_held(c) > 0 ||
	       (c->peer != NULL && outbuf_len(swarm_out(c->peer)) > 0);
}

/* --- laying out one writev --- */

static void add(struct departure *d, const void *p, size_t n)
{
	n = MIN(n, d->max - d->bytes);
	if (n == 0)
		return;
	/* iovec is not const-correct; nothing is written through it. */
	d->iov[d->n++] = (struct iovec){(void *)(uintptr_t)p, n};
	d->bytes += n;
}

static void add_block(struct departure *d, const struct out_block *b)
{
	uint32_t skip = b->sent, at = b->req.begin - b->run->begin;

	if (skip < WIRE_PIECE_HEADER) {
		add(d, b->header + skip, WIRE_PIECE_HEADER - skip);
		skip = 0;
	} else {
		skip -= WIRE_PIECE_HEADER;
	}
	d->mapped = d->mapped || b->run->map != NULL;
	add(d, b->run->data + at + skip, b->req.length - skip);
}

enum front {
	FRONT_NONE,   /* no block is there to be sent */
	FRONT_WAITS,  /* its data is being read; the connection is run again when that is there */
	FRONT_READY,  /* it can go on */
	FRONT_BROKEN, /* it has begun, and the rest of it cannot be had */
};

/* Blocks that cannot be read are given up, but for one that has begun. */
static enum front look_at_front(struct conn *c)
{
	while (c->blocks_n > 0) {
		struct out_block *b = block_at(c, 0);

		if (read_run_ready(c->shard, b->run))
			return FRONT_READY;
		if (b->run->state == READ_RUN_LOADING) {
			if (!link_linked(&c->wants_run))
				link_append(&b->run->waiting, &c->wants_run);
			return FRONT_WAITS;
		}
		if (b->sent > 0)
			return FRONT_BROKEN;
		swarm_serve_lost(c->peer, &b->req);
		pop_block(c);
	}
	return FRONT_NONE;
}

/*
 * Order: the block that has begun, small messages, further blocks.  Nothing may stand between two
 * parts of a block: while the rest of one that has begun is not there, nothing leaves.  false: the
 * rest will never be there.
 */
static bool lay_out(struct conn *c, struct departure *d)
{
	enum front front;
	uint32_t i = 0;

	add(d, outbuf_data(&c->first), outbuf_len(&c->first));
	if (c->peer == NULL)
		return true;
	front = look_at_front(c);
	if (c->blocks_n > 0 && block_at(c, 0)->sent > 0) {
		if (front != FRONT_READY)
			return front != FRONT_BROKEN;
		add_block(d, block_at(c, i++));
	}
	add(d, outbuf_data(swarm_out(c->peer)), outbuf_len(swarm_out(c->peer)));
	for (; front == FRONT_READY && i < c->blocks_n && d->n + 2 <= STREAM_IOV &&
		d->bytes < d->max;
		i++) {
		if (!read_run_ready(c->shard, block_at(c, i)->run))
			break;
		add_block(d, block_at(c, i));
	}
	return true;
}

/* --- what has left --- */

static size_t took_outbuf(struct outbuf *o, size_t n)
{
	size_t k = MIN(n, outbuf_len(o));

	if (k > 0)
		outbuf_sent(o, k);
	return n - k;
}

static size_t took_block(struct conn *c, size_t n)
{
	struct out_block *b = block_at(c, 0);
	size_t k = MIN(n, (size_t)(WIRE_PIECE_HEADER + b->req.length - b->sent));

	b->sent += (uint32_t)k;
	if (b->sent == WIRE_PIECE_HEADER + b->req.length) {
		swarm_served(c->peer, b->req.length);
		pop_block(c);
	}
	return n - k;
}

static void took(struct conn *c, size_t n)
{
	n = took_outbuf(&c->first, n);
	if (c->peer == NULL)
		return;
	if (n > 0 && c->blocks_n > 0 && block_at(c, 0)->sent > 0)
		n = took_block(c, n);
	n = took_outbuf(swarm_out(c->peer), n);
	while (n > 0)
		n = took_block(c, n);
}

/* --- sending --- */

static void size_queue(struct conn *c, size_t n, int64_t now)
{
	uint64_t rate;
	unsigned want = QUEUE_LEAST;

	if (now - c->sampled_at >
		4 * QUEUE_LOOK) { /* nothing was sent for long: that says nothing */
		c->sampled = 0;
		c->sampled_at = now;
	}
	c->sampled += n;
	if (c->sampled < QUEUE_SAMPLE && now - c->sampled_at < QUEUE_LOOK)
		return;
	c->out_rate = c->sampled * USEC_PER_SEC / (uint64_t)MAX(now - c->sampled_at, INT64_C(1));
	rate = c->out_rate * QUEUE_TIME / USEC_PER_SEC;
	while (want < rate && want < QUEUE_MOST)
		want *= 2;
	if (want != c->not_sent_low)
		net_set_not_sent_low(c->io.fd, want);
	c->not_sent_low = want;
	c->sampled = 0;
	c->sampled_at = now;
}

static void spend(struct conn *c, size_t n)
{
	int64_t now = loop_now(c->shard->loop);

	c->last_out = now;
	limit_spend_out(c, n);
	rest_note(c->shard, n);
	size_queue(c, n, now);
}

/* The kernel takes no more for now. */
static void block(struct conn *c)
{
	c->writable = false;
	c->blocked_at = loop_now(c->shard->loop);
}

/* A mapped file could not be read: its blocks have to be.  Of those that are being loaded the
 * worker finds out. */
static void faulted(struct conn *c)
{
	for (uint32_t i = 0; i < c->blocks_n; i++)
		if (block_at(c, i)->run->state == READ_RUN_READY)
			read_run_faulted(c->shard, block_at(c, i)->run);
}

/* What became of one attempt to send. */
enum attempt { ATTEMPT_MORE, ATTEMPT_DONE, ATTEMPT_END };

static enum attempt attempt(struct conn *c, size_t max, size_t *sent)
{
	struct departure d = {.max = stream_room(c, max)};
	size_t taken;
	enum err err;

	*sent = 0;
	if (stream_held(c) == 0) {
		if (!lay_out(c, &d)) {
			(void)conn_end(c, E_IO, "block_broken");
			return ATTEMPT_END;
		}
		if (d.n == 0)
			return ATTEMPT_DONE;
	}
	err = stream_write(c, &d, &taken, sent);
	if (err == E_FAULT) {
		faulted(c);
		return ATTEMPT_MORE;
	}
	if (err != E_OK && err != E_AGAIN) {
		(void)conn_end(c, err, "write");
		return ATTEMPT_END;
	}
	if (*sent > 0)
		spend(c, *sent);
	took(c, taken);
	if (err == E_AGAIN)
		block(c);
	if (taken > 0 && c->state == CONN_OPEN)
		conn_fill(c);
	return ATTEMPT_MORE;
}

bool conn_tx(struct conn *c)
{
	size_t budget = WRITE_BUDGET, sent;

	CHECK_OBJ(c, CONN_MAGIC);
	while (c->writable && conn_has_output(c)) {
		size_t max = MIN(limit_allow_out(c), budget);

		if (max == 0)
			return true;
		switch (attempt(c, max, &sent)) {
		case ATTEMPT_MORE:
			break;
		case ATTEMPT_DONE:
			return true;
		case ATTEMPT_END:
			return false;
		}
		if (sent >= budget) {
			conn_post(c);
			return true;
		}
		budget -= sent;
	}
	return true;
}
