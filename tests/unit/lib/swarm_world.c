/* SPDX-License-Identifier: MIT */
/* A few swarms of one torrent wired to each other. */
#include "tests/unit/lib/swarm_world.h"

uint64_t right_value(uint32_t piece, uint32_t block)
{
	return (uint64_t)piece << 32 | (block + 1);
}

static void world_wake(void *conn)
{
	(void)conn;
}

static void world_credit(void *owner, unsigned n)
{
	struct node *d = owner;

	d->credit += (int)n;
}

static bool world_claim(void *owner)
{
	struct node *d = owner;

	if (d->credit == 0)
		return false;
	d->credit--;
	return true;
}

const struct swarm_ops world_ops = {.wake = world_wake,
	.credit = world_credit,
	.claim = world_claim};

void node_init(struct world *w, unsigned i, bool seed)
{
	static const uint8_t infohash[20] = {5, 5, 5};
	struct layout l = layout_of((uint64_t)PIECES * PIECE_LEN, PIECE_LEN);
	struct node *d = &w->node[i];

	*d = (struct node){.world = w, .index = i, .upload = 4, .every = 1, .credit = 1000};
	rng_seed(&d->rng, 100 + i);
	d->swarm = swarm_new(&l, infohash, &w->config, &world_ops, d, &d->rng, w->now);
	for (uint32_t p = 0; seed && p < PIECES; p++)
		picker_set_have(d->swarm->picker, p);
}

void world_init(struct world *w, unsigned n, unsigned seeds)
{
	memset(w, 0, sizeof *w);
	w->n = n;
	w->now = SECOND;
	w->config = (struct swarm_config){.max_requests = 40,
		.max_served = 100,
		.upload_slots = 3,
		.version = "test 1",
		.request_timeout = 60 * SECOND};
	for (unsigned i = 0; i < n; i++)
		node_init(w, i, i < seeds);
}

static void end_join(struct end *e, unsigned other, bool incoming)
{
	struct endpoint at =
		endpoint_from_v4((const uint8_t[]){10, 0, 0, (uint8_t)(other + 1)}, 7000);
	uint8_t id[20] = "-TR3000-abcdefghijkl";

	id[19] = (uint8_t)other;
	e->peer = swarm_join(e->node->swarm, e, &at, id,
		(struct swarm_caps){.fast = !e->node->world->plain, .extended = true}, incoming,
		e->node->world->now);
}

void world_connect(struct world *w, unsigned a, unsigned b)
{
	struct end *ea = &w->node[a].ends[b], *eb = &w->node[b].ends[a];

	*ea = (struct end){.node = &w->node[a], .other = eb};
	*eb = (struct end){.node = &w->node[b], .other = ea};
	end_join(ea, b, false);
	end_join(eb, a, true);
}

void world_mesh(struct world *w)
{
	for (unsigned a = 0; a < w->n; a++)
		for (unsigned b = a + 1; b < w->n; b++)
			world_connect(w, a, b);
}

void end_close(struct end *e)
{
	if (e->peer == NULL)
		return;
	swarm_leave(&e->peer, e->node->world->now);
	swarm_leave(&e->other->peer, e->node->world->now);
}

static void ban_guilty(struct node *d, struct swarm_peer **bad, unsigned n)
{
	uint32_t pieces[PIECES];

	for (unsigned i = 0; i < n; i++) {
		swarm_taint(bad[i], pieces, PIECES);
		d->banned |= 1u << ((struct end *)bad[i]->conn)->other->node->index;
		end_close(bad[i]->conn);
	}
}

void node_verdict(struct node *d, uint32_t piece)
{
	struct swarm_peer *bad[NODES];
	bool good = true;

	for (uint32_t b = 0; b < BLOCKS; b++)
		good = good && d->value[piece][b] == right_value(piece, b);
	if (good) {
		swarm_piece_ok(d->swarm, piece, d->world->now);
		ban_guilty(d, bad, swarm_guilty(d->swarm, bad, NODES));
		if (swarm_done(d->swarm) && d->done_at == 0)
			d->done_at = d->world->now;
		return;
	}
	for (uint32_t b = 0; b < BLOCKS; b++)
		swarm_block_digest(d->swarm, piece, b * BLOCK_SIZE, d->value[piece][b]);
	ban_guilty(d, bad, swarm_piece_bad(d->swarm, piece, bad, NODES));
}

static void end_block(struct end *e, const struct wire_ev *ev)
{
	struct node *d = e->node;
	uint32_t block = ev->begin / BLOCK_SIZE;

	if (!swarm_block(e->peer, ev->index, ev->begin, ev->length, d->world->now))
		return;
	d->credit++;
	d->value[ev->index][block] = e->value;
	if (swarm_suspects(d->swarm, ev->index))
		swarm_block_digest(d->swarm, ev->index, ev->begin, e->value);
	if (picker_complete(d->swarm->picker, ev->index))
		node_verdict(d, ev->index);
}

static void end_event(struct end *e, const struct wire_ev *ev)
{
	switch (ev->type) {
	case WIRE_PIECE_BEGIN:
		assert_int_not_equal(
			swarm_piece_begin(e->peer, ev->index, ev->begin, ev->length), SWARM_CLOSE);
		break;
	case WIRE_PIECE_DATA:
		if (ev->payload.n >= sizeof e->value)
			memcpy(&e->value, ev->payload.p, sizeof e->value);
		break;
	case WIRE_PIECE_END:
		end_block(e, ev);
		break;
	default:
		e->node->have_events += ev->type == WIRE_HAVE;
		assert_int_equal(swarm_event(e->peer, ev, e->node->world->now), E_OK);
		break;
	}
}

static void end_feed(struct end *e, const uint8_t *p, size_t n)
{
	struct wire_ev ev;
	size_t used;

	while (e->peer != NULL) {
		assert_int_equal(wire_next(&e->peer->dec, p, n, &used, &ev), E_OK);
		p += used;
		n -= used;
		if (ev.type == WIRE_NONE)
			return;
		end_event(e, &ev);
	}
}

void end_send(struct end *e)
{
	size_t n = outbuf_len(&e->peer->out);
	uint8_t *copy;

	if (n == 0)
		return;
	copy = xmemdup(outbuf_data(&e->peer->out), n);
	outbuf_sent(&e->peer->out, n);
	end_feed(e->other, copy, n);
	xfree(copy);
}

static void end_send_block(struct end *e, const struct block_req *r)
{
	struct node *d = e->node;
	uint8_t block[WIRE_PIECE_HEADER + BLOCK_SIZE] = {0};
	struct wr w = wr_of(block, WIRE_PIECE_HEADER);
	uint64_t value = right_value(r->piece, r->begin / BLOCK_SIZE);

	if (rng_below(&d->rng, 100) < d->lies)
		value ^= rng_u64(&d->rng) | 1;
	wire_put_piece_header(&w, r->piece, r->begin, r->length);
	memcpy(block + WIRE_PIECE_HEADER, &value, sizeof value);
	e->served++;
	swarm_served(e->peer, r->length);
	end_feed(e->other, block, WIRE_PIECE_HEADER + r->length);
}

/* Blocks in turn to everybody who waits for some. */
static void node_serve(struct node *d)
{
	bool now = !d->free_rider && d->world->now / STEP % d->every == 0;
	unsigned left = now ? d->upload : 0, idle = 0;
	struct block_req r;

	while (left > 0 && idle < NODES) {
		struct end *e = &d->ends[d->turn++ % NODES];

		if (e->peer != NULL && swarm_serve_next(e->peer, &r)) {
			end_send_block(e, &r);
			left--;
			idle = 0;
		} else {
			idle++;
		}
	}
}

void node_ask(struct node *d)
{
	for (unsigned i = 0; i < NODES; i++)
		if (d->ends[i].peer != NULL)
			d->credit -= (int)swarm_request(
				d->ends[i].peer, (unsigned)d->credit, d->world->now);
}

void world_step(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++)
		node_ask(&w->node[i]);
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned k = 0; k < NODES; k++)
			if (w->node[i].ends[k].peer != NULL)
				end_send(&w->node[i].ends[k]);
	for (unsigned i = 0; i < w->n; i++)
		node_serve(&w->node[i]);
	w->now += STEP;
	for (unsigned i = 0; i < w->n && w->now % SECOND == 0; i++) {
		swarm_tick(w->node[i].swarm, w->now);
		picker_check(w->node[i].swarm->picker);
	}
}

unsigned count_out(struct swarm_peer *p, uint8_t id)
{
	const uint8_t *at = outbuf_data(&p->out);
	size_t n = outbuf_len(&p->out);
	unsigned count = 0;

	for (size_t i = 0; i + 4 < n;) {
		uint32_t len = (uint32_t)at[i] << 24 | (uint32_t)at[i + 1] << 16 |
			       (uint32_t)at[i + 2] << 8 | at[i + 3];

		count += len > 0 && at[i + 4] == id;
		i += 4 + len;
	}
	if (n > 0)
		outbuf_sent(&p->out, n);
	return count;
}

bool world_done(const struct world *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!swarm_done(w->node[i].swarm))
			return false;
	return true;
}

void world_run(struct world *w, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 10 && !world_done(w); i++)
		world_step(w);
}

void world_fini(struct world *w)
{
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned k = 0; k < NODES; k++)
			end_close(&w->node[i].ends[k]);
	for (unsigned i = 0; i < w->n; i++) {
		assert_int_equal(w->node[i].credit, 1000);
		picker_check(w->node[i].swarm->picker);
		peerlist_check(w->node[i].swarm->candidates);
		swarm_free(&w->node[i].swarm);
	}
}
