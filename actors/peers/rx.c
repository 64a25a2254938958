/* SPDX-License-Identifier: MIT */
/*
 * Receiving.
 *
 * While blocks are expected, one readv is laid out for what should come: the rest of the block in
 * hand, then header, block, header, block...  Payload so lands in its pooled block without a copy
 * in user space.  Where the guess fails (another message stands between two blocks, a short block),
 * the bytes behind that point are moved into one line and decoded from there, with a copy.  When
 * nothing is expected everything goes that way.
 *
 * The limits say how much may be read; the rest waits in the kernel, which slows the sender.  So
 * does it for a peer that makes us answer and does not take the answers.
 */
#include "actors/peers/priv.h"

#define READ_BUDGET (1024u * 1024u) /* bytes one connection reads before others get their turn */

/* --- blocks in hand --- */

static bool begin_block(struct conn *c, const struct wire_ev *ev, uint8_t **landed)
{
	struct shard *s = c->shard;

	c->piece = ev->index;
	c->begin = ev->begin;
	c->length = ev->length;
	c->discard = false;
	switch (swarm_piece_begin(c->peer, ev->index, ev->begin, ev->length)) {
	case SWARM_CLOSE:
		return conn_end(c, E_PROTOCOL, "unasked_piece");
	case SWARM_SKIP:
		c->discard = true;
		return true;
	case SWARM_TAKE:
		break;
	}
	must(c->block == NULL && ev->length <= BLOCK_SIZE);
	if (landed != NULL) {
		c->block = *landed;
		*landed = NULL;
	} else {
		c->block = pool_get(s->blocks);
	}
	/* Credit bounds what is asked for, so there is a block for each. */
	must(c->block != NULL);
	return true;
}

static void end_block(struct conn *c)
{
	struct shard *s = c->shard;
	uint8_t *data = c->block;

	c->block = NULL;
	if (data == NULL)
		return;
	if (!swarm_block(c->peer, c->piece, c->begin, c->length, loop_now(s->loop))) {
		pool_put(s->blocks, data);
		return;
	}
	if (swarm_suspects(c->torrent->swarm, c->piece))
		swarm_block_digest(
			c->torrent->swarm, c->piece, c->begin, smartban_digest(data, c->length));
	blocks_put(s, c->torrent->ref, c->piece, c->begin, c->length, BLOCK_WRITE, data);
}

/* --- decoding a line of bytes --- */

static bool on_event(struct conn *c, const struct wire_ev *ev)
{
	enum err err;

	switch (ev->type) {
	case WIRE_PIECE_BEGIN:
		return begin_block(c, ev, NULL);
	case WIRE_PIECE_DATA:
		if (c->block != NULL)
			memcpy(c->block + (ev->begin - c->begin), ev->payload.p, ev->payload.n);
		return true;
	case WIRE_PIECE_END:
		end_block(c);
		return true;
	case WIRE_PORT:
		conn_heard_dht(c, ev->index);
		return true;
	default:
		err = swarm_event(c->peer, ev, loop_now(c->shard->loop));
		if (err == E_OK && ev->type == WIRE_CANCEL)
			conn_cancel(c, ev->index, ev->begin, ev->length);
		/* It may have become a seed by what it said, and nobody needs two of them. */
		if (err == E_OK && !(swarm_is_seed(c->peer) && c->torrent->done_said))
			return true;
		if (err != E_OK)
			log_event(LOG_DEBUG, "peer_message_refused",
				"id=%u index=%u begin=%u length=%u", ev->id, ev->index, ev->begin,
				ev->length);
		return conn_end(c, err, err == E_OK ? "both_seed" : "message");
	}
}

/* Also called with n = 0, to hear of the end of a block that was placed.  false: it ends. */
static bool decode(struct conn *c, const uint8_t *p, size_t n)
{
	struct wire_ev ev;
	size_t used;

	for (;;) {
		enum err err = wire_next(swarm_decoder(c->peer), p, n, &used, &ev);

		if (err != E_OK) {
			return conn_end(c, err, "wire");
		}
		p += used;
		n -= used;
		if (ev.type == WIRE_NONE)
			return true;
		if (!on_event(c, &ev))
			return false;
	}
}

/* --- the layout of one readv --- */

struct landing {
	struct iovec iov[2 * LANDING + 1];
	int iovcnt;
	size_t rest;     /* bytes of the block in hand that the first entry takes */
	unsigned blocks; /* header and block pairs that follow */
	size_t room;
};

static bool fill_spare(struct shard *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (s->spare[i] == NULL)
			s->spare[i] = pool_get(s->blocks);
		if (s->spare[i] == NULL)
			return false;
	}
	return true;
}

static void push(struct landing *l, void *p, size_t n, size_t max)
{
	n = MIN(n, max - l->room);
	if (n == 0)
		return;
	l->iov[l->iovcnt++] = (struct iovec){p, n};
	l->room += n;
}

/* Blocks are expected at the next message boundary: room for them in their places. */
static bool lay_out(struct conn *c, struct landing *l, size_t max)
{
	struct shard *s = c->shard;
	unsigned want;

	*l = (struct landing){.rest = wire_payload_left(swarm_decoder(c->peer))};
	if (l->rest == 0 && !wire_at_boundary(swarm_decoder(c->peer)))
		return false;
	want = MIN(swarm_asked(c->peer), LANDING);
	if (l->rest > 0 && c->block != NULL && want > 0)
		want--;
	if (l->rest == 0 && want == 0)
		return false;
	if (!fill_spare(s, want))
		want = 0;
	if (l->rest > 0 && c->block != NULL)
		push(l, c->block + (c->length - l->rest), l->rest, max);
	else if (l->rest > 0)
		push(l, s->trash, MIN(l->rest, sizeof s->trash), max);
	if (l->rest > sizeof s->trash)
		want = 0;
	for (; l->blocks < want && l->room < max; l->blocks++) {
		push(l, s->headers[l->blocks], WIRE_PIECE_HEADER, max);
		push(l, s->spare[l->blocks], BLOCK_SIZE, max);
	}
	return l->room > 0;
}

/* From pair i on, with `at` bytes of its block already used, nothing is where it should be: move it
 * and decode. */
static bool straighten(struct conn *c, unsigned i, size_t at, bool with_header, size_t n)
{
	struct shard *s = c->shard;
	size_t len = 0;

	while (len < n) {
		if (with_header) {
			size_t h = MIN(n - len, (size_t)WIRE_PIECE_HEADER);

			memcpy(s->linear + len, s->headers[i], h);
			len += h;
		}
		size_t b = MIN(n - len, BLOCK_SIZE - at);

		if (b > 0)
			memcpy(s->linear + len, s->spare[i] + at, b);
		len += b;
		with_header = true;
		at = 0;
		i++;
	}
	return decode(c, s->linear, len);
}

enum landed {
	LANDED_BLOCK, /* it is the header of a block that has its place */
	LANDED_ELSE,  /* no block of the usual length: the rest has to be moved */
	LANDED_END,   /* the connection ends */
};

/* The header of pair i is whole. */
static enum landed land_header(struct conn *c, unsigned i)
{
	struct shard *s = c->shard;
	const uint8_t *h = s->headers[i];
	struct wire_ev ev;
	enum err err;
	size_t used;

	if (!wire_is_whole_block(h))
		return LANDED_ELSE;
	err = wire_next(swarm_decoder(c->peer), h, WIRE_PIECE_HEADER, &used, &ev);
	if (err != E_OK) {
		(void)conn_end(c, err, "wire");
		return LANDED_END;
	}
	must(ev.type == WIRE_PIECE_BEGIN && used == WIRE_PIECE_HEADER);
	return begin_block(c, &ev, &s->spare[i]) ? LANDED_BLOCK : LANDED_END;
}

static bool place(struct conn *c, size_t n)
{
	wire_payload_placed(swarm_decoder(c->peer), n);
	swarm_progress(c->peer, loop_now(c->shard->loop));
	return wire_payload_left(swarm_decoder(c->peer)) > 0 || decode(c, NULL, 0);
}

/* n bytes have landed.  false: the connection ends. */
static bool landed(struct conn *c, const struct landing *l, size_t n)
{
	size_t k = MIN(l->rest, n);

	if (l->rest > sizeof c->shard->trash && c->block == NULL)
		k = MIN(k, sizeof c->shard->trash);
	if (k > 0 && !place(c, k))
		return false;
	n -= k;
	for (unsigned i = 0; n > 0; i++) {
		if (n < WIRE_PIECE_HEADER)
			return straighten(c, i, 0, true, n);
		switch (land_header(c, i)) {
		case LANDED_BLOCK:
			break;
		case LANDED_ELSE:
			return straighten(c, i, 0, true, n);
		case LANDED_END:
			return false;
		}
		n -= WIRE_PIECE_HEADER;
		k = MIN(n, (size_t)BLOCK_SIZE);
		if (k > 0 && !place(c, k))
			return false;
		n -= k;
	}
	return true;
}

/* --- reading --- */

/* How one read ended. */
enum step { STEP_MORE, STEP_EMPTY, STEP_HELLO, STEP_END };

static void spend(struct conn *c, size_t n)
{
	c->last_in = loop_now(c->shard->loop);
	limit_spend_in(c, n);
	rest_note(c->shard, n);
}

static enum step ended(struct conn *c, ssize_t n, enum err err)
{
	if (n < 0 && err == E_AGAIN) {
		c->readable = false;
		return STEP_EMPTY;
	}
	(void)conn_end(c, n == 0 ? E_CLOSED : err, "read");
	return STEP_END;
}

/* Not a byte more than the handshake: what follows belongs to the decoder. */
static size_t hello_left(const struct conn *c)
{
	size_t left = c->mse != NULL ? mse_wants(c->mse) : WIRE_HANDSHAKE - c->hello_n;

	return MIN(left, HELLO_SIZE - c->hello_n);
}

static enum step read_hello(struct conn *c, size_t max)
{
	struct iovec iov = {c->hello + c->hello_n, MIN(max, hello_left(c))};
	enum err err = E_OK;
	ssize_t n;

	if (iov.iov_len == 0) /* it stands until there is a key for it */
		return STEP_EMPTY;
	n = stream_read(c, &iov, 1, &err);
	if (n <= 0)
		return ended(c, n, err);
	spend(c, (size_t)n);
	c->hello_n += (size_t)n;
	return STEP_HELLO;
}

static enum step read_open(struct conn *c, size_t max, size_t *got)
{
	struct landing l;
	struct iovec iov = {c->shard->linear, MIN(max, (size_t)LINEAR_SIZE)};
	bool placed = lay_out(c, &l, MIN(max, (size_t)LINEAR_SIZE));
	enum err err = E_OK;
	ssize_t n = placed ? stream_read(c, l.iov, l.iovcnt, &err) : stream_read(c, &iov, 1, &err);

	if (n <= 0)
		return ended(c, n, err);
	*got = (size_t)n;
	spend(c, (size_t)n);
	if (!(placed ? landed(c, &l, (size_t)n) : decode(c, c->shard->linear, (size_t)n)))
		return STEP_END;
	/* Less than there was room for: the socket is empty, spare the call that would say so. */
	if ((size_t)n < (placed ? l.room : iov.iov_len) && !c->ended) {
		c->readable = false;
		return STEP_EMPTY;
	}
	return STEP_MORE;
}

enum rx conn_rx(struct conn *c)
{
	size_t budget = READ_BUDGET;
	enum step step = STEP_MORE;

	CHECK_OBJ(c, CONN_MAGIC);
	while (step == STEP_MORE) {
		size_t max, got = 0;

		c->send_blocked = conn_is_send_blocked(c);
		max = c->send_blocked ? 0 : limit_allow_in(c);
		if (max == 0)
			return RX_DONE;
		if (c->state == CONN_HELLO)
			step = read_hello(c, max);
		else
			step = read_open(c, max, &got);
		if (step == STEP_MORE && got >= budget) {
			conn_post(c);
			return RX_DONE;
		}
		budget -= got;
	}
	return step == STEP_HELLO ? RX_HELLO : step == STEP_END ? RX_END : RX_DONE;
}
