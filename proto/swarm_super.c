/* SPDX-License-Identifier: MIT */
/*
 * Super-seeding: a lone seed gives each piece away once and lets the others spread it (BEP 16).
 *
 * A peer that joins meanwhile is masked: it is told that we have nothing, and then of one piece
 * after the other by HAVE.  A piece counts as passed on when somebody else has it; only then the
 * peer hears of the next.  SHOW_FIRST stand at a time, and more for a peer that has asked for all
 * it knows of: no two are shown the same while there are others, so that a full line costs nothing.
 * A peer that has nobody to pass a piece to, or finds nobody for SUPER_PATIENCE, is not made to
 * wait.
 *
 * When super-seeding ends, masked peers are told of all the rest, UNVEIL_A_TICK pieces a second.
 *
 * Invariants: told is of the torrent's size while masked and empty otherwise; shown pieces are
 * told.
 */
#include "proto/swarm_priv.h"

#define SUPER_PATIENCE (INT64_C(60) * 1000000)
#define UNVEIL_A_TICK  4096u
#define SHOW_FIRST     2u
#define LOOK_MAX       4096u /* pieces compared to find the one to show */

/* --- on and off */

static bool is_lonely(const struct swarm *s)
{
	if (s->known_seeds > 0 || peerlist_seeds(s->candidates) > 0)
		return false;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && (s->peers[i]->seed || s->peers[i]->upload_only))
			return false;
	return picker_unavailable(s->picker) > 0;
}

void swarm_update_super(struct swarm *s)
{
	bool on = s->super_mode == SUPER_ON || (s->super_mode == SUPER_AUTO && is_lonely(s));

	s->super_seeding = on && swarm_done(s) && bitfield_full(swarm_have(s));
}

void swarm_super_seed(struct swarm *s, enum swarm_super mode)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->super_mode = mode;
	swarm_update_super(s);
}

/* --- masked peers */

void swarm_mask(struct swarm_peer *p)
{
	struct swarm *s = p->swarm;

	if (s->times_shown == NULL)
		s->times_shown = xcalloc(s->layout.pieces, sizeof *s->times_shown);
	p->masked = true;
	p->show = SHOW_FIRST;
	bitfield_init(&p->told, p->has.bits);
}

static void forget_shown(struct swarm_peer *p, uint32_t i)
{
	p->swarm->times_shown[p->shown[i].piece]--;
	p->shown[i] = p->shown[--p->shown_n];
}

void swarm_unmask(struct swarm_peer *p)
{
	p->masked = false;
	while (p->shown_n > 0)
		forget_shown(p, 0);
	bitfield_free(&p->told);
}

static void tell(struct swarm_peer *p, uint32_t piece)
{
	struct wr w = outbuf_begin(&p->out, 9);

	bitfield_set(&p->told, piece);
	wire_put_have(&w, piece);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

/* The rarest of a sample of the pieces it lacks and has not been told of, from a random one on. */
static bool choose(const struct swarm_peer *p, uint32_t *best)
{
	const struct swarm *s = p->swarm;
	uint32_t n = p->has.bits, at = rng_below(s->rng, n), lowest = UINT32_MAX, seen = 0;

	for (uint32_t i = 0; i < n && seen < LOOK_MAX && lowest > 0; i++, at = (at + 1) % n) {
		uint32_t many;

		if (bitfield_get(&p->has, at) || bitfield_get(&p->told, at))
			continue;
		many = picker_availability(s->picker, at) + s->times_shown[at];
		if (many < lowest)
			*best = at;
		lowest = MIN(lowest, many);
		seen++;
	}
	return lowest != UINT32_MAX;
}

static bool is_passed_on(const struct swarm_peer *p, struct shown *shown, int64_t now)
{
	const struct swarm *s = p->swarm;
	bool own = bitfield_get(&p->has, shown->piece);

	if (picker_availability(s->picker, shown->piece) > own)
		return true;
	/* Some do not tell who has a piece that they have it too: then its requests tell. */
	if (!own && shown->asked < layout_piece_size(&s->layout, shown->piece))
		return false;
	if (shown->got_at == INT64_MAX)
		shown->got_at = now;
	return s->peers_n == 1 || now - shown->got_at >= SUPER_PATIENCE;
}

/* It has asked for all it knows of: more must stand, or its part of the line is idle. */
static bool is_starving(const struct swarm_peer *p)
{
	for (uint32_t i = 0; i < p->shown_n; i++)
		if (p->shown[i].asked < layout_piece_size(&p->swarm->layout, p->shown[i].piece))
			return false;
	return true;
}

/* Forgets what was passed on and shows as many new ones. */
static void turn(struct swarm_peer *p, int64_t now)
{
	uint32_t piece = 0;

	for (uint32_t i = p->shown_n; i-- > 0;)
		if (is_passed_on(p, &p->shown[i], now))
			forget_shown(p, i);
	while (p->shown_n < p->show && choose(p, &piece)) {
		p->shown[p->shown_n++] = (struct shown){piece, 0, INT64_MAX};
		p->swarm->times_shown[piece]++;
		tell(p, piece);
	}
}

static void unveil(struct swarm_peer *p)
{
	uint32_t n = 0;

	for (; n < UNVEIL_A_TICK && p->unveiled < p->has.bits; p->unveiled++) {
		if (bitfield_get(&p->told, p->unveiled))
			continue;
		tell(p, p->unveiled);
		n++;
	}
	if (p->unveiled == p->has.bits)
		swarm_unmask(p);
}

void swarm_super_show(struct swarm_peer *p, int64_t now)
{
	if (p->masked && p->swarm->super_seeding)
		turn(p, now);
}

/* Alone it has nobody to wait for: as with any window, twice as many stand after each round trip.
 */
void swarm_super_asked(struct swarm_peer *p, const struct block_req *r, int64_t now)
{
	uint32_t size = layout_piece_size(&p->swarm->layout, r->piece);

	for (uint32_t i = 0; i < p->shown_n; i++) {
		if (p->shown[i].piece != r->piece)
			continue;
		p->shown[i].asked = MIN(p->shown[i].asked, size) + r->length;
		if (p->shown[i].asked < size)
			return;
		if (p->swarm->peers_n == 1)
			p->show = (uint32_t)MIN(p->show + 1, ARRAY_LEN(p->shown));
		swarm_super_show(p, now);
		return;
	}
}

void swarm_super_seen(struct swarm *s, uint32_t piece, int64_t now)
{
	for (uint32_t i = 0; s->super_seeding && i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		for (uint32_t k = 0; p != NULL && k < p->shown_n; k++) {
			if (p->shown[k].piece != piece)
				continue;
			turn(p, now);
			break;
		}
	}
}

void swarm_tick_super(struct swarm *s, int64_t now)
{
	if (s->super_mode == SUPER_AUTO || s->super_seeding)
		swarm_update_super(s);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL || !p->masked || !p->greeted)
			continue;
		if (s->super_seeding && p->serving.n == 0 && is_starving(p))
			p->show = (uint32_t)MIN(p->show + 1, ARRAY_LEN(p->shown));
		if (s->super_seeding)
			turn(p, now);
		else
			unveil(p);
	}
	swarm_update_upload_only(s);
}
