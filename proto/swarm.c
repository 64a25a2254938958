/* SPDX-License-Identifier: MIT */
/* The life of a swarm, joining and leaving, what the store's verdicts change, and the tick. */
#include "proto/swarm_priv.h"

#include <stdlib.h>

#define SWARM_MAGIC 0x5357524du

#define CHOKE_SOON     (INT64_C(1) * 1000000)
#define BAD_PIECES_MAX 4u

struct swarm *swarm_new(const struct layout *layout, const uint8_t infohash[20],
	const struct swarm_config *config, const struct swarm_ops *ops, void *owner,
	struct rng *rng, int64_t now)
{
	struct swarm *s;

	ALLOC_OBJ(s, SWARM_MAGIC);
	s->layout = *layout;
	s->config = *config;
	s->ops = ops;
	s->owner = owner;
	s->rng = rng;
	memcpy(s->infohash, infohash, sizeof s->infohash);
	meter_init(&s->down, now);
	meter_init(&s->up, now);
	s->picker = picker_new(layout->pieces, layout->piece_length, layout->size, rng);
	s->candidates = peerlist_new(PEERLIST_CAP_DEFAULT, rng);
	choker_init(&s->choker, config->upload_slots, 0, CHOKE_FASTEST_UPLOAD);
	return s;
}

void swarm_free(struct swarm **sp)
{
	struct swarm *s;

	if (*sp == NULL)
		return;
	TAKE_OBJ(s, sp, SWARM_MAGIC);
	must(s->peers_n == 0);
	xfree(s->peers);
	picker_free(&s->picker);
	peerlist_free(&s->candidates);
	FREE_OBJ(s);
}

/* --- joining and leaving
 * ---------------------------------------------------------------------------- */

static uint32_t take_index(struct swarm *s)
{
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] == NULL)
			return i;
	uint32_t cap = s->peers_cap ? 2 * s->peers_cap : 8;

	s->peers = xrealloc(s->peers, cap * sizeof *s->peers);
	memset(s->peers + s->peers_cap, 0, (cap - s->peers_cap) * sizeof *s->peers);
	uint32_t i = s->peers_cap;

	s->peers_cap = cap;
	return i;
}

/* BEP 3 "bitfield", BEP 6 "Have All/Have None": must be our first message. */
static void say_have(struct swarm_peer *p)
{
	const struct bitfield *have = swarm_have(p->swarm);
	size_t n = bitfield_bytes(have->bits);
	struct wr w = outbuf_begin(&p->out, 5 + n);

	if (p->caps.fast && bitfield_full(have))
		wire_put_have_all(&w);
	else if (p->caps.fast && have->count == 0)
		wire_put_have_none(&w);
	else if (have->count > 0)
		wire_put_bitfield(&w, have->bytes, n);
	outbuf_commit(&p->out, &w);
}

/* BEP 6 "Allowed Fast": what it may fetch before it is unchoked, so that it has something to trade.
 */
static void say_allowed_fast(struct swarm_peer *p)
{
	const struct bitfield *have = swarm_have(p->swarm);
	uint32_t set[10];
	size_t n =
		wire_allowed_fast_set(p->swarm->infohash, &p->at, p->swarm->layout.pieces, 10, set);
	struct wr w = outbuf_begin(&p->out, 10 * 9);

	for (size_t i = 0; i < n && p->granted_n < ARRAY_LEN(p->granted); i++) {
		if (!bitfield_get(have, set[i]))
			continue;
		p->granted[p->granted_n++] = set[i];
		wire_put_allowed_fast(&w, set[i]);
	}
	outbuf_commit(&p->out, &w);
}

struct swarm_peer *swarm_join(struct swarm *s, void *conn, const struct endpoint *at,
	const uint8_t id[20], struct swarm_caps caps, bool incoming, int64_t now)
{
	struct swarm_peer *p;
	uint32_t at_index;

	CHECK_OBJ(s, SWARM_MAGIC);
	ALLOC_OBJ(p, SWARM_PEER_MAGIC);
	p->swarm = s;
	p->conn = conn;
	p->at = *at;
	memcpy(p->id, id, sizeof p->id);
	p->caps = caps;
	p->incoming = incoming;
	p->am_choking = p->peer_choking = true;
	p->starting = true;
	p->unchoked_at = INT64_MIN;
	p->window = WINDOW_START;
	p->reqq = REQQ_DEFAULT;
	p->connected_at = p->last_block_at = p->asked_at = now;
	wire_dec_init(&p->dec, MAX_BLOCK,
		(uint32_t)MAX(bitfield_bytes(s->layout.pieces) + 1, (size_t)MAX_MESSAGE));
	bitfield_init(&p->has, s->layout.pieces);
	meter_init(&p->down, now);
	meter_init(&p->up, now);
	if (s->peers_n == 0)
		s->next_choke = now + CHOKE_SOON;
	at_index = take_index(s);
	p->name = (s->joined++ & 0x7fff) << 16 | at_index;
	s->peers[at_index] = p;
	s->peers_n++;
	peer_id_client(id, p->client, sizeof p->client);
	say_have(p);
	if (caps.extended)
		swarm_say_extended(p);
	if (caps.fast && s->layout.pieces > 0)
		say_allowed_fast(p);
	return p;
}

void swarm_leave(struct swarm_peer **pp, int64_t now)
{
	struct swarm_peer *p;
	struct swarm *s;

	TAKE_OBJ(p, pp, SWARM_PEER_MAGIC);
	s = p->swarm;
	swarm_void_asked(p);
	if (p->greeted)
		picker_leave(s->picker, &p->has);
	if (!p->am_choking)
		s->choke_soon = true;
	if (p->reach.port != 0)
		peerlist_closed(s->candidates, &p->reach, p->downloaded + p->uploaded > 0, now);
	s->peers[p->name & 0xffff] = NULL;
	s->peers_n--;
	req_clear(&p->asked);
	req_clear(&p->serving);
	bitfield_free(&p->has);
	wire_dec_fini(&p->dec);
	outbuf_fini(&p->out);
	FREE_OBJ(p);
}

float swarm_relevance(const struct swarm_peer *p)
{
	const struct bitfield *have = swarm_have(p->swarm);
	uint32_t lack = have->bits - have->count;

	if (lack == 0)
		return 0;
	return (float)picker_count_missing_that(p->swarm->picker, &p->has) / (float)lack;
}

/* --- interest
 * ------------------------------------------------------------------------------------------ */

void swarm_update_interest(struct swarm_peer *p)
{
	bool want = p->interesting > 0 && !p->swarm->no_download;

	if (want == p->am_interested)
		return;
	p->am_interested = want;
	struct wr w = outbuf_begin(&p->out, 5);

	if (want)
		wire_put_interested(&w);
	else
		wire_put_not_interested(&w);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

/* --- the store's verdicts
 * ------------------------------------------------------------------------------ */

/*
 * BEP 3 "have".  A seed is not told: it saves a message and a system call a piece.  Anybody else
 * is, even who has the piece, or two that finish would never know each other for seeds.
 */
static void tell_have(struct swarm_peer *p, uint32_t piece, bool wanted)
{
	if (wanted && bitfield_get(&p->has, piece)) {
		if (p->interesting > 0)
			p->interesting--;
		swarm_update_interest(p);
	}
	if (p->seed)
		return;
	struct wr w = outbuf_begin(&p->out, 9);

	wire_put_have(&w, piece);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

/* Good pieces outweigh bad ones that others spoilt. */
static void forgive(struct swarm *s, uint32_t piece)
{
	uint32_t who[64];
	unsigned n = picker_contributors(s->picker, piece, who, ARRAY_LEN(who));

	for (unsigned i = 0; i < n; i++) {
		struct swarm_peer *p = swarm_peer_named(s, who[i]);

		if (p != NULL && p->bad_pieces > 0)
			p->bad_pieces--;
	}
}

void swarm_piece_ok(struct swarm *s, uint32_t piece, int64_t now)
{
	bool wanted = picker_wants(s->picker, piece);

	(void)now;
	CHECK_OBJ(s, SWARM_MAGIC);
	if (bitfield_get(swarm_have(s), piece))
		return;
	forgive(s, piece);
	picker_hash_ok(s->picker, piece);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p != NULL)
			tell_have(p, piece, wanted);
	}
}

struct swarm_peer *swarm_peer_named(const struct swarm *s, uint32_t name)
{
	uint32_t i = name & 0xffff;
	struct swarm_peer *p = i < s->peers_cap ? s->peers[i] : NULL;

	return p != NULL && p->name == name ? p : NULL;
}

/* Who sent blocks of the piece and is still here; *gone when somebody is not. */
static unsigned contributors(
	const struct swarm *s, uint32_t piece, struct swarm_peer **out, unsigned max, bool *gone)
{
	uint32_t who[64];
	unsigned n = picker_contributors(s->picker, piece, who, (unsigned)MIN(ARRAY_LEN(who), max));
	unsigned here = 0;

	*gone = false;
	for (unsigned i = 0; i < n; i++) {
		out[here] = swarm_peer_named(s, who[i]);
		if (out[here] != NULL)
			here++;
		else
			*gone = true;
	}
	return here;
}

unsigned swarm_piece_bad(struct swarm *s, uint32_t piece, struct swarm_peer **bad, unsigned max)
{
	struct swarm_peer *who[64];
	unsigned n, out = 0;
	bool gone;

	CHECK_OBJ(s, SWARM_MAGIC);
	s->wasted += layout_piece_size(&s->layout, piece);
	n = contributors(s, piece, who, ARRAY_LEN(who), &gone);
	/* The only sender is guilty for sure; one of several is when it happens again and again.
	 * Where one has left, it may have been him. */
	for (unsigned i = 0; i < n && !gone; i++) {
		who[i]->bad_pieces++;
		if ((n == 1 || who[i]->bad_pieces > BAD_PIECES_MAX) && out < max)
			bad[out++] = who[i];
	}
	picker_hash_failed(s->picker, piece);
	swarm_wake_idle(s);
	return out;
}

static bool has_part_in(const struct swarm *s, uint32_t piece, uint32_t name)
{
	uint32_t who[64];
	unsigned n = picker_contributors(s->picker, piece, who, ARRAY_LEN(who));

	for (unsigned i = 0; i < n; i++)
		if (who[i] == name)
			return true;
	return false;
}

unsigned swarm_taint(struct swarm_peer *p, uint32_t *pieces, unsigned max)
{
	struct swarm *s = p->swarm;
	uint8_t *bitmap = xcalloc(1, PICKER_BITMAP_MAX);
	uint32_t iter = 0, piece;
	unsigned n = 0;
	size_t bytes;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	/* A complete piece is judged by its hash in a moment. */
	while (n < max && picker_save_partial(s->picker, &iter, &piece, bitmap, &bytes))
		if (!picker_complete(s->picker, piece) && has_part_in(s, piece, p->name))
			pieces[n++] = piece;
	xfree(bitmap);
	for (unsigned i = 0; i < n; i++) {
		s->wasted += (uint64_t)picker_blocks_here(s->picker, pieces[i]) * BLOCK_SIZE;
		picker_write_failed(s->picker, pieces[i]);
	}
	return n;
}

void swarm_piece_failed(struct swarm *s, uint32_t piece)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	picker_write_failed(s->picker, piece);
}

void swarm_wake_idle(struct swarm *s)
{
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && swarm_wants_requests(s->peers[i]))
			s->ops->wake(s->peers[i]->conn);
}

void swarm_reconsider(struct swarm *s)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		p->interesting = picker_count_wanted_that(s->picker, &p->has);
		swarm_update_interest(p);
		if (swarm_wants_requests(p))
			s->ops->wake(p->conn);
	}
}

/* --- the tick
 * -------------------------------------------------------------------------------------------- */

static void say_choke(struct swarm_peer *p, bool choke, int64_t now)
{
	struct wr w = outbuf_begin(&p->out, 5);

	p->am_choking = choke;
	if (choke)
		wire_put_choke(&w);
	else
		wire_put_unchoke(&w);
	outbuf_commit(&p->out, &w);
	if (choke)
		swarm_drop_serving(p);
	else
		p->unchoked_at = now;
	p->swarm->ops->wake(p->conn);
}

void swarm_unchoke_if_room(struct swarm_peer *p, int64_t now)
{
	struct swarm *s = p->swarm;
	uint32_t taken = 0;

	if (!p->am_choking || p->upload_only || p->seed)
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && !s->peers[i]->am_choking && s->peers[i]->peer_interested)
			taken++;
	if (taken < s->config.upload_slots)
		say_choke(p, false, now);
}

static void run_choker(struct swarm *s, int64_t now)
{
	struct choke_peer *v = xcalloc(s->peers_n ? s->peers_n : 1, sizeof *v);
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		v[n++] = (struct choke_peer){.id = i,
			.interested = p->peer_interested,
			.unchoked = !p->am_choking,
			.snubbed = p->snubbed,
			.upload_only = p->upload_only || p->seed,
			.optimistic = p->optimistic,
			.progress = (uint16_t)((uint64_t)p->has.count * 1000 / p->has.bits),
			.rate_in = meter_rate(&p->down, now),
			.rate_out = meter_rate(&p->up, now),
			.unchoked_at = p->unchoked_at,
			.connected_at = p->connected_at};
	}
	choker_run(
		&s->choker, v, n, swarm_done(s), meter_rate(&s->up, now), s->up_limit, now, s->rng);
	for (uint32_t i = 0; i < n; i++) {
		struct swarm_peer *p = s->peers[v[i].id];

		p->optimistic = v[i].optimistic;
		if (v[i].want == p->am_choking)
			say_choke(p, !v[i].want, now);
	}
	xfree(v);
}

void swarm_tick(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL)
			swarm_tick_requests(s->peers[i], now);
	if (s->choke_soon && s->next_choke > now + CHOKE_SOON)
		s->next_choke = now + CHOKE_SOON;
	s->choke_soon = false;
	if (s->peers_n > 0 && now >= s->next_choke) {
		run_choker(s, now);
		s->next_choke = now + CHOKER_ROUND_US;
	}
}
