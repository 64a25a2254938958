/* SPDX-License-Identifier: MIT */
/*
 * What we ask a peer for, the blocks that come, and what is done about silence.
 *
 * Who was asked first has the block to bring; others are asked for it, too, only when that one is
 * late by what it has shown, or is so much slower that it will be.
 */
#include "proto/swarm/priv.h"

/* A disk that spins up takes so long; a longer delay is no property of the way. */
#define DELAY_MAX (5 * USEC_PER_SEC)
/* Promised and silent for so long: its blocks go to others.  Longer than a lost packet and its
 * repetitions take, and than most disks sleep; libtorrent waits as long. */
#define SNUB_AFTER (20 * USEC_PER_SEC)
#define PACE_MIN   16384u /* B/s, a block a second: under it nobody is fast */
#define AGAIN_MIN  1u /* block that others were asked for stands with any peer: it may be faster */
/* In the end game: who was silent for LATE_AFTER (and twice its delay), or had that long and needs
 * LATE_REST more, does not keep the others waiting. */
#define LATE_AFTER (2 * USEC_PER_SEC)
#define LATE_REST  (3 * USEC_PER_SEC)
#define LATE_TIMES 4 /* or takes so many times as long as the one that looks for work would */
#define LAG_AFTER  (2 * USEC_PER_SEC) /* until then a rate says nothing about who was asked */

/* us until it would have brought one block more than stand with it; 0: it has not shown its rate */
static int64_t time_to_bring(const struct swarm_peer *p)
{
	uint64_t bytes = (p->asked.n + UINT64_C(1)) * BLOCK_SIZE;

	return p->pace < PACE_MIN ? 0
				  : p->delay + (int64_t)(bytes * (uint64_t)USEC_PER_SEC / p->pace);
}

/* It was silent for `patience`; or had that long and will not be done within `rest`.  us */
static bool lingers(const struct swarm_peer *o, int64_t now, int64_t patience, int64_t rest)
{
	uint64_t bytes = (uint64_t)o->asked.n * BLOCK_SIZE;

	if (now - MAX(o->last_block_at, o->asked_at) > patience)
		return true;
	return now - o->asked_at > patience && bytes * 1000 > o->pace * (uint64_t)(rest / 1000);
}

/* What it was asked for will take it long, or longer by far than this one; or it has stopped. */
static bool is_late(void *ctx, uint32_t name)
{
	const struct swarm_peer *p = ctx, *o = swarm_peer_named(p->swarm, name);
	int64_t mine = LATE_TIMES * time_to_bring(p);

	if (o == NULL || lingers(o, p->tried_at, LATE_AFTER + 2 * o->delay, LATE_REST))
		return true;
	return mine > 0 && lingers(o, p->tried_at, mine, mine);
}

/* How many times slower the other is; who was asked only just now may yet show what it can. */
static uint32_t lag_of(void *ctx, uint32_t name)
{
	const struct swarm_peer *p = ctx, *o = swarm_peer_named(p->swarm, name);

	if (o == NULL || p->pace < PACE_MIN || p->tried_at - o->asked_at < LAG_AFTER)
		return 0;
	return (uint32_t)MIN(p->pace / MAX(o->pace, (uint64_t)1), (uint64_t)UINT32_MAX);
}

/*
 * How many blocks that others were asked for may stand with it: what it brings while a cancel is on
 * the way.  More would be thrown away, and take the place of what nobody else brings.
 */
static uint32_t again_max(const struct swarm_peer *p)
{
	uint64_t bytes = p->pace * (uint64_t)(p->delay / 1000) / 1000;

	return AGAIN_MIN + (uint32_t)MIN(bytes / BLOCK_SIZE, (uint64_t)p->window);
}

unsigned swarm_request(struct swarm_peer *p, unsigned credit, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	unsigned room, n, made = 0;
	struct pick picks[64];

	if (!swarm_wants_requests(p))
		return 0;
	swarm_idle(p, false);
	swarm_prune_suggestions(p);
	uint32_t again = again_max(p);
	struct pick_opts opts = {.fast_peer = p->window > 64,
		.snubbed = p->snubbed,
		.choked = p->peer_choking,
		.parole = p->parole,
		.allowed_fast = p->allowed,
		.lag = lag_of,
		.late = is_late,
		.lag_ctx = p,
		.now = now,
		.allowed_n = p->allowed_n,
		.suggested = p->suggested,
		.suggested_n = p->suggested_n,
		.max_partial = 16 + s->peers_n * 4,
		.once = p->asked.n >= again,
		.again_max = p->asked.n < again ? again - p->asked.n : 0};

	p->tried_at = now;
	room = MIN(swarm_room(p), credit);
	if (p->asked.n == 0) {
		p->asked_at = p->last_block_at = now;
		p->timing = true;
	}
	while (made < room) {
		n = picker_pick(s->picker, p->name, &p->has, &opts, picks,
			(unsigned)MIN(room - made, ARRAY_LEN(picks)));
		for (unsigned i = 0; i < n; i++) {
			struct block_req r = {picks[i].piece, picks[i].begin, picks[i].length};

			req_push(&p->asked, r);
			if (!swarm_late_resume(p, &r))
				swarm_put_request(p, &r);
		}
		made += n;
		s->asked += n;
		if (n == 0) {
			swarm_idle(p, true);
			break;
		}
	}
	return made;
}

/* --- blocks that come --- */

enum block_fate swarm_piece_begin(
	struct swarm_peer *p, uint32_t piece, uint32_t begin, uint32_t length)
{
	struct block_req r = {piece, begin, length};
	enum block_fate fate;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	for (uint32_t i = 0; i < p->asked.n; i++) {
		const struct block_req *at = req_at(&p->asked, i);

		if (at->piece == r.piece && at->begin == r.begin && at->length == r.length)
			return SWARM_TAKE;
	}
	fate = swarm_late_block(p, &r);
	if (fate != SWARM_TAKE)
		p->swarm->wasted += length;
	return fate;
}

/* The other peers that were asked for a block that is here. */
static void cancel_others(
	struct swarm *s, const uint32_t *others, unsigned n, const struct block_req *r)
{
	for (unsigned i = 0; i < n; i++) {
		struct swarm_peer *o = swarm_peer_named(s, others[i]);

		if (o == NULL || !req_remove(&o->asked, r))
			continue;
		s->asked--;
		s->ops->credit(s->owner, 1);
		swarm_late_excuse(o, 1);
		swarm_put_cancel(o, r);
		s->ops->wake(o->conn);
	}
}

static void note_delay(struct swarm_peer *p, int64_t now)
{
	int64_t us = MIN(now - p->asked_at, DELAY_MAX);

	if (p->timing)
		p->delay = p->delay > 0 ? (3 * p->delay + us) / 4 : us;
	p->timing = false;
}

bool swarm_block(struct swarm_peer *p, uint32_t piece, uint32_t begin, uint32_t length, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct block_req r = {piece, begin, length};
	struct swarm *s = p->swarm;
	uint32_t others[PICKER_REQUESTERS_MAX];
	unsigned others_n = 0;
	enum picker_got got;

	if (!req_remove(&p->asked, &r) &&
		!(swarm_late_reclaim(p, &r) && req_remove(&p->asked, &r))) {
		/* Voided while its payload was on the way in; its unit is back already. */
		s->wasted += length;
		return false;
	}
	s->asked--;
	note_delay(p, now);
	p->last_block_at = now;
	p->snubbed = p->resumed = false;
	p->rejects = 0;
	p->downloaded += length;
	s->downloaded += length;
	meter_add(&p->down, length);
	meter_add(&s->down, length);
	swarm_grow_window(p);
	got = picker_received(s->picker, p->name, piece, begin, others, &others_n);
	if (got != GOT_NEW) {
		s->wasted += length;
		s->ops->credit(s->owner, 1);
		return false;
	}
	cancel_others(s, others, others_n, &r);
	return true;
}

/* --- once a second --- */

/* Its promises go to others; what still comes may be late and is welcome. */
static void snub(struct swarm_peer *p)
{
	p->snubbed = true;
	p->window = 1;
	p->starting = false;
	p->swarm->choke_soon = true;
	swarm_void_asked(p, true);
}

/* Asked again without a word, it was silent as before: it has forgotten, and is to be told. */
static bool gave_up(const struct swarm_peer *p, int64_t silent)
{
	return silent >= p->swarm->config.request_timeout ||
	       (p->snubbed && p->resumed && silent >= SNUB_AFTER);
}

void swarm_tick_requests(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	swarm_late_tick(p);
	if (p->held && now >= p->hold_until)
		p->held = false;
	p->pace = meter_rate(&p->down, now);
	if (p->asked.n == 0) {
		if (swarm_wants_requests(p))
			p->swarm->ops->wake(p->conn);
		return;
	}
	if (gave_up(p, now - p->last_block_at)) {
		p->late_lost = p->late_lost || p->resumed;
		swarm_void_asked(p, true);
		p->last_block_at = now;
		return;
	}
	if (now - p->last_block_at >= SNUB_AFTER && !p->snubbed) {
		snub(p);
		return;
	}
	if (!p->snubbed)
		swarm_size_window(p);
	if (swarm_wants_requests(p))
		p->swarm->ops->wake(p->conn);
}
