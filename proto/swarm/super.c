/* SPDX-License-Identifier: MIT */
/*
 * Super-seeding: a lone seed gives each piece away once and lets the others spread it (BEP 16).
 *
 * A peer that joins meanwhile is masked: it is told that we have nothing, and then of one piece
 * after the other by HAVE.  A piece counts as passed on when somebody else has it; only then the
 * peer hears of the next.  SHOW_FIRST stand at a time with who has a slot, and no two are shown the
 * same while there are fresh ones, that nobody has nor could ask for.  Who has no slot knows of one
 * piece, a bait, without which it would not be interested; others are shown that when nothing else
 * is fresh.  So each piece leaves once:
 *  - who loses its slot gets first what it has asked for, and what it has not is fresh again;
 *  - who passes pieces on soonest keeps its slot, and who sits on them gets no more;
 *  - when all is on its way nobody new gets a slot, to ask for the same.
 *
 * None of it may cost time where the line is not full.  While little waits for it (slack), whoever
 * has asked for all it knows of is shown twice as many fresh ones; while most of those who have
 * slots wait for nothing (spare), one more a second.  A peer that has nobody to pass a piece to, or
 * finds nobody for SUPER_PATIENCE, is not made to wait.
 *
 * By itself (SUPER_AUTO) it begins only where a tracker knows no other seed: silence is no proof,
 * because seeds do not connect to each other, and a peer that is masked has to wait.  It ends when
 * another seed is seen, or nothing is fresh and the line is idle.  Then it rests for a while, lest
 * it begin and end with each who comes and goes.
 *
 * When super-seeding ends, masked peers are told of all the rest, UNVEIL_A_TICK pieces a second.
 * What a peer lacks comes first: libtorrent drops who becomes a seed by a HAVE while nothing of
 * what it knows of him is of use to it.
 *
 * Invariants: told is of the torrent's size while masked and empty otherwise; shown pieces are
 * told.
 */
#include "proto/swarm/priv.h"

#define SUPER_PATIENCE (60 * USEC_PER_SEC)
#define SUPER_REST     (1800 * USEC_PER_SEC) /* from an end to the next begin */
#define SEEDS_FRESH    (7200 * USEC_PER_SEC) /* so long a tracker's word counts */
#define UNVEIL_A_TICK  4096u
#define SHOW_FIRST     2u
#define GREET_WAIT     USEC_PER_SEC        /* who has nothing need not say so */
#define RETIRE_MAX     (60 * USEC_PER_SEC) /* so long a choke waits for what is on the way */
#define HOLD_FIRST     (5 * USEC_PER_SEC)  /* of who has passed on nothing yet */
#define OVER_AFTER     USEC_PER_SEC        /* of idleness: what has left arrives meanwhile */
#define SLACK_PART     4u                  /* of a second may wait for an idle line */
#define LOOK_MAX       4096u               /* pieces compared to find the one to show */
#define PIECES_LEAST   4u                  /* of fewer there is nothing to save */

/* --- on and off --- */

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
	if (on && !s->super_seeding) {
		s->idle_since = now;
		s->fresh_at = 0;
		s->bait_at = s->layout.pieces - 1;
	}
	if (!on && s->super_seeding)
		s->super_rest = now + SUPER_REST;
	s->super_seeding = on;
}

void swarm_update_super(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
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
	CHECK_OBJ(s, SWARM_MAGIC);
	s->super_rest = now + SUPER_REST;
	if (s->super_mode == SUPER_AUTO)
		s->super_seeding = false;
}

/* --- masked peers --- */

/*
 * rTorrent, which goes without the fast extension, rests up to half a minute when its requests run
 * out, whatever HAVEs come meanwhile: by itself nobody does that to it.
 */
bool swarm_super_hides(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->swarm->super_seeding && p->swarm->layout.pieces >= PIECES_LEAST &&
	       (p->caps.fast || p->swarm->super_mode == SUPER_ON);
}

void swarm_mask(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;

	if (s->times_shown == NULL) {
		s->times_shown = xcalloc(s->layout.pieces, sizeof *s->times_shown);
		s->times_bait = xcalloc(s->layout.pieces, sizeof *s->times_bait);
	}
	p->masked = true;
	p->show = SHOW_FIRST;
	bitfield_init(&p->told, p->has.bits);
}

/* Nobody has it, and nobody who could ask for it was shown it. */
static bool is_fresh(const struct swarm *s, uint32_t piece)
{
	return s->times_shown[piece] == 0 && picker_availability(s->picker, piece) == 0;
}

/* Who is choked cannot have it yet: for it the piece is a bait, which others may be shown. */
static void count_shown(struct swarm_peer *p, struct shown *shown, bool bait)
{
	struct swarm *s = p->swarm;

	s->times_bait[shown->piece] += bait;
	s->times_shown[shown->piece] += !bait;
	shown->bait = bait;
}

static void uncount_shown(struct swarm_peer *p, const struct shown *shown)
{
	p->swarm->times_bait[shown->piece] -= shown->bait;
	p->swarm->times_shown[shown->piece] -= !shown->bait;
}

static void forget_shown(struct swarm_peer *p, uint32_t i)
{
	uncount_shown(p, &p->shown[i]);
	p->shown[i] = p->shown[--p->shown_n];
}

/* Others are to have it, if it is fresh now. */
static void offer(struct swarm *s, uint32_t piece)
{
	if (!is_fresh(s, piece))
		return;
	s->fresh_at = MIN(s->fresh_at, piece);
	s->bait_at = MAX(s->bait_at, piece);
}

void swarm_unmask(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->masked = false;
	while (p->shown_n > 0) {
		uint32_t piece = p->shown[0].piece;

		/* It may be gone with it, or never have taken it. */
		forget_shown(p, 0);
		offer(p->swarm, piece);
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

static bool find_fresh(struct swarm *s, uint32_t *piece)
{
	while (s->fresh_at < s->layout.pieces && !is_fresh(s, s->fresh_at))
		s->fresh_at++;
	*piece = s->fresh_at;
	return s->fresh_at < s->layout.pieces;
}

/* One for who waits for a slot, from the other end: so it is the last that others are shown. */
static bool find_bait(struct swarm *s, uint32_t *piece)
{
	while (s->bait_at > s->fresh_at && !is_fresh(s, s->bait_at))
		s->bait_at--;
	*piece = s->bait_at;
	for (uint32_t i = 0; i < LOOK_MAX && *piece >= s->fresh_at; i++, --*piece) {
		if (is_fresh(s, *piece) && s->times_bait[*piece] == 0)
			return true;
		if (*piece == 0)
			break;
	}
	return false;
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

static void note_hold(struct swarm_peer *p, int64_t us)
{
	p->hold = p->hold > 0 ? (3 * p->hold + us) / 4 : MAX(us, INT64_C(1));
}

static bool is_passed_on(struct swarm_peer *p, struct shown *shown, int64_t now)
{
	const struct swarm *s = p->swarm;
	bool own = bitfield_get(&p->has, shown->piece);

	if (picker_availability(s->picker, shown->piece) > own) {
		if (shown->got_at != INT64_MAX)
			note_hold(p, now - shown->got_at);
		return true;
	}
	/* Some do not tell who has a piece that they have it too: then its requests tell. */
	if (!own && (shown->asked < layout_piece_size(&s->layout, shown->piece) || p->owed > 0))
		return false;
	if (shown->got_at == INT64_MAX)
		shown->got_at = now;
	return s->peers_n == 1 || now - shown->got_at >= SUPER_PATIENCE;
}

/* How long it holds what it is to pass on: what it did before, or does now if that is longer. */
uint64_t swarm_super_merit(const struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	int64_t hold = p->hold > 0 ? p->hold : HOLD_FIRST;

	for (uint32_t i = 0; i < p->shown_n; i++)
		if (!p->shown[i].bait && p->shown[i].got_at != INT64_MAX)
			hold = MAX(hold, now - p->shown[i].got_at);
	return UINT64_C(1000000000) / (uint64_t)(hold / 1000 + 1);
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
	struct shown *shown = &p->shown[p->shown_n++];

	*shown = (struct shown){.piece = piece, .got_at = INT64_MAX};
	count_shown(p, shown, p->am_choking);
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

/* So that it stays interested.  Who holds something already gets none while others want the line.
 */
static void show_bait(struct swarm_peer *p)
{
	uint32_t piece = 0, held = 0;

	for (uint32_t i = 0; i < p->shown_n; i++) {
		if (p->shown[i].bait)
			return;
		held++;
	}
	if (held > 0 && !p->swarm->spare)
		return;
	if (!find_bait(p->swarm, &piece) && !choose(p, &piece))
		return;
	if (p->shown_n == ARRAY_LEN(p->shown))
		forget_shown(p, 0);
	show(p, piece);
}

/* Forgets what was passed on and shows as many new ones. */
static void renew_shown(struct swarm_peer *p, int64_t now)
{
	uint32_t piece = 0;

	for (uint32_t i = p->shown_n; i-- > 0;)
		if (is_passed_on(p, &p->shown[i], now))
			forget_shown(p, i);
	if (p->am_choking)
		show_bait(p);
	while (!p->am_choking && !p->retires && p->shown_n < p->show &&
		(find_fresh(p->swarm, &piece) || (p->swarm->owed == 0 && choose(p, &piece))))
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
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->masked && p->swarm->super_seeding)
		renew_shown(p, now);
}

/* What it has not got is free for others; it gets back what is still free when its turn comes. */
void swarm_super_choke(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->retires = false;
	if (!p->masked)
		return;
	for (uint32_t i = p->shown_n; i-- > 0;) {
		struct shown *shown = &p->shown[i];
		bool stale = !p->am_choking && !is_fresh(p->swarm, shown->piece);

		/* What has left whole will be its own in a moment. */
		if (bitfield_get(&p->has, shown->piece) ||
			(p->owed == 0 &&
				shown->asked >= layout_piece_size(&p->swarm->layout, shown->piece)))
			continue;
		if (stale) {
			forget_shown(p, i);
			continue;
		}
		shown->asked = 0;
		uncount_shown(p, shown);
		count_shown(p, shown, p->am_choking);
		offer(p->swarm, shown->piece);
	}
	if (p->greeted)
		swarm_super_show(p, now);
}

/* It is to be choked: not before it has what is on the way, lest that goes twice. */
bool swarm_super_retires(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->masked || !p->swarm->super_seeding || p->owed == 0)
		return false;
	if (!p->retires)
		p->retires_at = now;
	p->retires = true;
	return now - p->retires_at < RETIRE_MAX;
}

/* What nobody has is on the way: who gets a slot now would only ask for it, too. */
bool swarm_super_is_full(const struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	uint32_t piece;

	return p->masked && s->super_seeding && s->owed > 0 && !s->slack && !find_fresh(s, &piece);
}

/* Alone it has nobody to wait for: as with any window, twice as many stand after each round trip.
 */
void swarm_super_asked(struct swarm_peer *p, const struct block_req *r, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
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
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->masked || !p->greeted || !p->swarm->super_seeding)
		return;
	if (!p->am_choking && !p->retires && is_starving(p))
		show_fresh(p);
}

void swarm_super_seen(struct swarm *s, uint32_t piece, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (!s->super_seeding || s->times_shown == NULL ||
		s->times_shown[piece] + s->times_bait[piece] == 0)
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		for (uint32_t k = 0; p != NULL && k < p->shown_n; k++) {
			if (p->shown[k].piece != piece)
				continue;
			renew_shown(p, now);
			break;
		}
	}
}

static bool waits_for_more(const struct swarm *s)
{
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && s->peers[i]->shown_n > 0 && is_starving(s->peers[i]))
			return true;
	return false;
}

/*
 * A whole copy has left and somebody waits for more: there is little left to save.  The last of it
 * is on its way for a moment; who never says that he has it is not waited for.
 */
static bool is_over(struct swarm *s, int64_t now)
{
	uint32_t piece;

	if (!s->slack || s->times_shown == NULL || find_fresh(s, &piece) || !waits_for_more(s)) {
		s->idle_since = now;
		return false;
	}
	return now - s->idle_since >= OVER_AFTER;
}

/* The line is idle, or is as soon as what waits has left. */
static bool is_slack(struct swarm *s, int64_t now)
{
	return s->owed <= meter_rate(&s->up, now) / SLACK_PART;
}

/* Most of those who have a slot wait for nothing of ours: what takes long waits for them. */
static bool is_spare(const struct swarm *s)
{
	uint32_t open = 0, hungry = 0;

	for (uint32_t i = 0; i < s->peers_cap; i++) {
		if (s->peers[i] == NULL || s->peers[i]->am_choking)
			continue;
		open++;
		hungry += s->peers[i]->owed > 0;
	}
	return s->owed == 0 || 2 * hungry < open;
}

static void tick_peer(struct swarm_peer *p, int64_t now)
{
	if (!p->swarm->super_seeding) {
		unveil(p);
		return;
	}
	if (p->swarm->spare && !p->am_choking && p->owed == 0 && is_starving(p))
		p->show = (uint32_t)MIN(p->show + 1, ARRAY_LEN(p->shown));
	if (p->retires && p->owed == 0)
		p->swarm->choke_soon = true;
	renew_shown(p, now);
	if (!p->am_choking && !p->retires && p->swarm->slack && is_starving(p))
		show_fresh(p);
}

void swarm_tick_super(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	if (s->super_mode == SUPER_AUTO || s->super_seeding)
		swarm_update_super(s, now);
	s->slack = is_slack(s, now);
	s->spare = is_spare(s);
	if (s->super_mode == SUPER_AUTO && s->super_seeding && is_over(s, now))
		set_super(s, false, now);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p != NULL && p->masked && (p->greeted || now - p->connected_at >= GREET_WAIT))
			tick_peer(p, now);
	}
	swarm_update_upload_only(s);
}
