/* SPDX-License-Identifier: MIT */
/*
 * The fast extension: allowed fast, suggestions and rejects, in both directions (BEP 6).
 *
 * Allowed fast pieces are for peers that begin: who has more pieces than the set is given none, and
 * is refused those it was given once it has them, or has asked for them GRANT_TIMES: without that a
 * peer that is choked for good could take ten pieces again and again.  A suggestion is a hint that
 * is kept while we want the piece; the latest SWARM_SUGGESTIONS count.
 *
 * We suggest what had to be read from the disk: while it is in memory it costs nothing to give it
 * to others, too.  But whoever is told the same has the same to trade, so few are told, and no
 * piece again soon; and only by a seed, as what a leech gives was written a moment ago.
 */
#include "proto/swarm/priv.h"

/* A request may be lost or cancelled and come again; libtorrent allows as much. */
#define GRANT_TIMES    3u
#define HOLD_FIRST     USEC_PER_SEC /* us */
#define HOLD_DOUBLINGS 6u
#define SUGGEST_PEERS  3u                  /* hear of one piece */
#define SUGGEST_WALK   32u                 /* peers looked at for them */
#define SUGGEST_REST   (60 * USEC_PER_SEC) /* us until a piece may be suggested again */

/* --- what we give --- */

void swarm_grant_fast(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	const struct bitfield *have = swarm_have(p->swarm);
	uint32_t set[SWARM_GRANTED];
	size_t n;

	if (!p->caps.fast || p->masked || p->has.count > SWARM_GRANTED)
		return;
	n = wire_allowed_fast_set(
		p->swarm->infohash, &p->at, p->swarm->layout.pieces, SWARM_GRANTED, set);
	struct wr w = outbuf_begin(&p->out, n * 9);

	for (size_t i = 0; i < n; i++) {
		if (!bitfield_get(have, set[i]))
			continue;
		p->granted[p->granted_n++] = (struct grant){.piece = set[i]};
		wire_put_allowed_fast(&w, set[i]);
	}
	outbuf_commit(&p->out, &w);
	if (p->granted_n > 0)
		p->swarm->ops->wake(p->conn);
}

bool swarm_use_grant(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	uint64_t most = (uint64_t)layout_piece_size(&p->swarm->layout, r->piece) * GRANT_TIMES;

	if (p->has.count > SWARM_GRANTED)
		return false;
	for (uint32_t i = 0; i < p->granted_n; i++) {
		if (p->granted[i].piece != r->piece || p->granted[i].asked + r->length > most)
			continue;
		p->granted[i].asked += r->length;
		return true;
	}
	return false;
}

static bool knows_of(const struct swarm_peer *p, uint32_t piece)
{
	for (uint32_t i = 0; i < MIN(p->hinted_n, ARRAY_LEN(p->hinted)); i++)
		if (p->hinted[i] == piece)
			return true;
	return false;
}

void swarm_note_known(struct swarm_peer *p, uint32_t piece)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->caps.fast && !knows_of(p, piece))
		p->hinted[p->hinted_n++ % ARRAY_LEN(p->hinted)] = piece;
}

bool swarm_suggest(struct swarm_peer *p, uint32_t piece)
{
	struct wr w;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->caps.fast || !p->greeted || p->masked || p->upload_only || piece >= p->has.bits)
		return false;
	if (!bitfield_get(swarm_have(p->swarm), piece) || bitfield_get(&p->has, piece))
		return false;
	if (knows_of(p, piece))
		return false;
	swarm_note_known(p, piece);
	w = outbuf_begin(&p->out, 9);
	wire_put_suggest(&w, piece);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
	return true;
}

static bool suggested_lately(struct swarm *s, uint32_t piece, int64_t now)
{
	for (uint32_t i = 0; i < MIN(s->reads_n, READS_MAX); i++)
		if (s->reads[i].piece == piece && now - s->reads[i].at < SUGGEST_REST)
			return true;
	if (s->reads == NULL)
		s->reads = xcalloc(READS_MAX, sizeof *s->reads);
	s->reads[s->reads_n++ % READS_MAX] = (struct piece_read){piece, now};
	return false;
}

unsigned swarm_piece_read(struct swarm *s, uint32_t piece, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	uint32_t walk = MIN(s->peers_cap, SUGGEST_WALK);
	unsigned told = 0;

	if (!swarm_done(s) || s->super_seeding || s->peers_n < 2 || suggested_lately(s, piece, now))
		return 0;
	for (; walk > 0 && told < SUGGEST_PEERS; walk--) {
		struct swarm_peer *p = s->peers[s->suggest_at++ % s->peers_cap];

		if (p != NULL && !p->am_choking && p->peer_interested)
			told += swarm_suggest(p, piece);
	}
	return told;
}

/* --- what we get --- */

static void drop_allowed(struct swarm_peer *p, uint32_t piece)
{
	for (uint32_t i = 0; i < p->allowed_n; i++)
		if (p->allowed[i] == piece)
			p->allowed[i--] = p->allowed[--p->allowed_n];
}

/* Asking again at once would only be rejected again: wait longer each time. */
static void hold(struct swarm_peer *p, int64_t now)
{
	if (p->held)
		return;
	p->held = true;
	p->hold_until = now + (HOLD_FIRST << MIN(p->rejects, HOLD_DOUBLINGS));
	p->rejects++;
}

/* What it refuses while it chokes us is not to be asked for again while it does. */
enum err swarm_on_reject(struct swarm_peer *p, const struct wire_ev *ev, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct block_req r = {ev->index, ev->begin, ev->length};

	if (!p->caps.fast)
		return E_PROTOCOL;
	if (!swarm_void_one(p, &r)) {
		(void)swarm_late_drop(p, &r);
		return E_OK;
	}
	if (p->peer_choking)
		drop_allowed(p, r.piece);
	else
		hold(p, now);
	swarm_wake_idle(p->swarm, 1, r.piece);
	return E_OK;
}

enum err swarm_on_allowed_fast(struct swarm_peer *p, const struct wire_ev *ev)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->caps.fast || ev->index >= p->has.bits)
		return E_PROTOCOL;
	for (uint32_t i = 0; i < p->allowed_n; i++)
		if (p->allowed[i] == ev->index)
			return E_OK;
	if (p->allowed_n < ARRAY_LEN(p->allowed))
		p->allowed[p->allowed_n++] = ev->index;
	p->swarm->ops->wake(p->conn);
	return E_OK;
}

static void drop_suggestion(struct swarm_peer *p, uint32_t i)
{
	p->suggested_n--;
	memmove(&p->suggested[i], &p->suggested[i + 1],
		(p->suggested_n - i) * sizeof p->suggested[0]);
}

enum err swarm_on_suggest(struct swarm_peer *p, const struct wire_ev *ev)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->caps.fast || ev->index >= p->has.bits)
		return E_PROTOCOL;
	if (!picker_wants(p->swarm->picker, ev->index))
		return E_OK;
	for (uint32_t i = 0; i < p->suggested_n; i++)
		if (p->suggested[i] == ev->index)
			return E_OK;
	if (p->suggested_n == ARRAY_LEN(p->suggested))
		drop_suggestion(p, 0);
	p->suggested[p->suggested_n++] = ev->index;
	return E_OK;
}

void swarm_prune_suggestions(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	for (uint32_t i = p->suggested_n; i-- > 0;)
		if (!picker_wants(p->swarm->picker, p->suggested[i]))
			drop_suggestion(p, i);
}
