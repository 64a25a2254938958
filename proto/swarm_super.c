/* SPDX-License-Identifier: MIT */
/*
 * Super-seeding: a lone seed gives each piece away once and lets the others spread it (BEP 16).
 *
 * A peer that joins meanwhile is masked: it is told that we have nothing, and then of one piece
 * after the other by HAVE.  A piece counts as passed on when somebody else has it; only then the
 * peer hears of the next.  SHOW_FIRST stand at a time, and more for a peer that has asked for all
 * it knows of: no two are shown the same while there are others, so that a full line costs nothing.
 * A peer that has nobody to pass a piece to, or finds nobody for SUPER_PATIENCE, is not made to
 * wait; and nobody waits while the line is idle and there are fresh pieces, that nobody was shown:
 * whoever takes those is as good as another.
 *
 * By itself (SUPER_AUTO) it begins only where a tracker knows no other seed: silence is no proof,
 * because seeds do not connect to each other, and a peer that is masked has to wait.  It ends when
 * another seed is seen, or each piece has been on show and the line is idle.  Then it rests for a
 * while, lest it begin and end with each who comes and goes.
 *
 * When super-seeding ends, masked peers are told of all the rest, UNVEIL_A_TICK pieces a second.
 * What a peer lacks comes first: libtorrent drops who becomes a seed by a HAVE while nothing of
 * what it knows of him is of use to it.
 *
 * Invariants: told is of the torrent's size while masked and empty otherwise; shown pieces are
 * told.
 */
#include "proto/swarm_priv.h"

#define SUPER_PATIENCE (INT64_C(60) * 1000000)
#define SUPER_REST     (INT64_C(1800) * 1000000) /* from an end to the next begin */
#define SEEDS_FRESH    (INT64_C(7200) * 1000000) /* so long a tracker's word counts */
#define UNVEIL_A_TICK  4096u
#define SHOW_FIRST     2u
#define GREET_WAIT     (INT64_C(1) * 1000000) /* who has nothing need not say so */
#define LOOK_MAX       4096u                  /* pieces compared to find the one to show */
#define PIECES_LEAST   4u                     /* of fewer there is nothing to save */

/* --- on and off */

static bool is_lonely(const struct swarm *s, int64_t now)
{
	if (s->seeds_known_at == 0 || now - s->seeds_known_at > SEEDS_FRESH || s->other_seeds > 0)
		return false;
	if (!s->super_seeding && now < s->super_rest)
		return false;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && (s->peers[i]->seed || s->peers[i]->upload_only))
			return false;
	return picker_unavailable(s->picker) > 0;
}

static void set_super(struct swarm *s, bool on, int64_t now)
{
	if (on && !s->super_seeding)
		s->fresh_at = 0;
	if (!on && s->super_seeding)
		s->super_rest = now + SUPER_REST;
	s->super_seeding = on;
}

void swarm_update_super(struct swarm *s, int64_t now)
{
	bool on = s->super_mode == SUPER_ON || (s->super_mode == SUPER_AUTO && is_lonely(s, now));

	set_super(s, on && swarm_done(s) && bitfield_full(swarm_have(s)), now);
}

void swarm_super_seed(struct swarm *s, enum swarm_super mode, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->super_mode = mode;
	swarm_update_super(s, now);
}

void swarm_note_seeds(struct swarm *s, uint32_t others, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->other_seeds = others;
	s->seeds_known_at = now;
}

void swarm_super_met_seed(struct swarm *s, int64_t now)
{
	s->super_rest = now + SUPER_REST;
	if (s->super_mode == SUPER_AUTO)
		s->super_seeding = false;
}

/* --- masked peers */

/*
 * rTorrent, which goes without the fast extension, rests up to half a minute when its requests run
 * out, whatever HAVEs come meanwhile: by itself nobody does that to it.
 */
bool swarm_super_hides(const struct swarm_peer *p)
{
	return p->swarm->super_seeding && p->swarm->layout.pieces >= PIECES_LEAST &&
	       (p->caps.fast || p->swarm->super_mode == SUPER_ON);
}

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
	struct swarm *s = p->swarm;

	p->masked = false;
	while (p->shown_n > 0) {
		/* It may be gone with it, or never have taken it. */
		s->fresh_at = MIN(s->fresh_at, p->shown[0].piece);
		forget_shown(p, 0);
	}
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

/* The next piece that is on show nowhere and that nobody has. */
static bool find_fresh(struct swarm *s, uint32_t *piece)
{
	while (s->fresh_at < s->layout.pieces &&
		(s->times_shown[s->fresh_at] > 0 ||
			picker_availability(s->picker, s->fresh_at) > 0))
		s->fresh_at++;
	*piece = s->fresh_at;
	return s->fresh_at < s->layout.pieces;
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

static void show(struct swarm_peer *p, uint32_t piece)
{
	p->shown[p->shown_n++] = (struct shown){piece, 0, INT64_MAX};
	p->swarm->times_shown[piece]++;
	tell(p, piece);
}

/* As many fresh ones again as stand, all of which it has asked for: a window that doubles. */
static void show_fresh(struct swarm_peer *p)
{
	uint32_t piece;

	for (uint32_t n = MAX(p->shown_n, SHOW_FIRST); n > 0 && find_fresh(p->swarm, &piece); n--) {
		if (p->shown_n == ARRAY_LEN(p->shown))
			forget_shown(p, 0);
		show(p, piece);
	}
}

/* Forgets what was passed on and shows as many new ones. */
static void turn(struct swarm_peer *p, int64_t now)
{
	uint32_t piece = 0;

	for (uint32_t i = p->shown_n; i-- > 0;)
		if (is_passed_on(p, &p->shown[i], now))
			forget_shown(p, i);
	while (p->shown_n < p->show && (find_fresh(p->swarm, &piece) || choose(p, &piece)))
		show(p, piece);
}

/* Once over what it lacks, then over the rest. */
static void unveil(struct swarm_peer *p)
{
	uint32_t n = 0, all = p->has.bits;

	for (; n < UNVEIL_A_TICK && p->unveiled < 2 * (uint64_t)all; p->unveiled++) {
		uint32_t piece = (uint32_t)(p->unveiled % all);

		if (bitfield_get(&p->told, piece) ||
			(p->unveiled < all && bitfield_get(&p->has, piece)))
			continue;
		tell(p, piece);
		n++;
	}
	if (p->unveiled == 2 * (uint64_t)all)
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

void swarm_super_idle(struct swarm_peer *p)
{
	if (!p->masked || !p->greeted || !p->swarm->super_seeding || !is_starving(p))
		return;
	show_fresh(p);
}

void swarm_super_seen(struct swarm *s, uint32_t piece, int64_t now)
{
	if (!s->super_seeding || s->times_shown == NULL || s->times_shown[piece] == 0)
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		for (uint32_t k = 0; p != NULL && k < p->shown_n; k++) {
			if (p->shown[k].piece != piece)
				continue;
			turn(p, now);
			break;
		}
	}
}

/*
 * A whole copy has left, but for what those have on show whom we choke, and somebody waits for
 * more: there is little left to save.
 */
static bool is_over(struct swarm *s)
{
	uint32_t piece;

	if (s->owed > 0 || s->times_shown == NULL || find_fresh(s, &piece))
		return false;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && s->peers[i]->shown_n > 0 && is_starving(s->peers[i]))
			return true;
	return false;
}

static void tick_peer(struct swarm_peer *p, int64_t now)
{
	if (!p->swarm->super_seeding) {
		unveil(p);
		return;
	}
	if (p->owed == 0 && is_starving(p))
		p->show = (uint32_t)MIN(p->show + 1, ARRAY_LEN(p->shown));
	turn(p, now);
	if (p->swarm->owed == 0 && is_starving(p))
		show_fresh(p);
}

void swarm_tick_super(struct swarm *s, int64_t now)
{
	if (s->super_mode == SUPER_AUTO || s->super_seeding)
		swarm_update_super(s, now);
	if (s->super_mode == SUPER_AUTO && s->super_seeding && is_over(s))
		set_super(s, false, now);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p != NULL && p->masked && (p->greeted || now - p->connected_at >= GREET_WAIT))
			tick_peer(p, now);
	}
	swarm_update_upload_only(s);
}
