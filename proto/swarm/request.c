/* SPDX-License-Identifier: MIT */
/*
 * What we ask a peer for, and what becomes of it.
 *
 * The window is how many requests stand with a peer: it grows by one a block while the rate still
 * grows (slow start), then covers twice the delay at the measured rate, and WINDOW_TIME at least.
 * The delay is that of a request with nothing before it, which has the way and the other side's
 * disk in it and no queue; twice, so that a window that was too small for the way grows.  Too few
 * requests idle a fast link, too many hold what others would have sooner: what the delay does not
 * need is no more than a part of what is left, or near the end all peers ask one seed for the rest
 * and bring each other nothing.
 */
#include "proto/swarm/priv.h"

#define WINDOW_TIME_MS UINT64_C(1000)
#define WINDOW_PART    UINT64_C(16) /* of what is left: not more than one part of so many */
#define WINDOW_MANY    UINT64_C(64) /* but always so many */
#define DELAY_MAX      (INT64_C(5) * 1000000)
#define SNUB_AFTER     (INT64_C(20) * 1000000)
#define PACE_MIN       16384u /* B/s: under it nobody is fast */
#define ASKED_LEAST    64u
#define ASKED_SECONDS  4u
#define AGAIN_MIN      1u
#define LATE_AFTER     (INT64_C(2) * 1000000)
#define LATE_REST      (INT64_C(3) * 1000000)
#define LATE_TIMES     4
#define LAG_AFTER      (INT64_C(2) * 1000000)

static void put_request(struct swarm_peer *p, const struct block_req *r)
{
	struct wr w = outbuf_begin(&p->out, 17);

	wire_put_request(&w, r->piece, r->begin, r->length);
	outbuf_commit(&p->out, &w);
}

void swarm_put_cancel(struct swarm_peer *p, const struct block_req *r)
{
	struct wr w = outbuf_begin(&p->out, 17);

	wire_put_cancel(&w, r->piece, r->begin, r->length);
	outbuf_commit(&p->out, &w);
}

static bool may_ask(const struct swarm_peer *p)
{
	if (!p->am_interested || p->swarm->no_download || p->held)
		return false;
	return !p->peer_choking || (p->caps.fast && p->allowed_n > 0);
}

/* us until it would have brought one block more than stand with it; 0: it has not shown its rate */
static int64_t time_to_bring(const struct swarm_peer *p)
{
	uint64_t bytes = (p->asked.n + UINT64_C(1)) * BLOCK_SIZE;

	return p->pace < PACE_MIN ? 0 : p->delay + (int64_t)(bytes * 1000000 / p->pace);
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

/* With all peers together, what some seconds bring: many who give little would else be asked for
 * all there is, long before they can bring it.  What came since the last tick came in a second. */
static uint64_t asked_max(const struct swarm *s)
{
	uint64_t rate = MAX(s->pace, s->downloaded - s->ticked);

	return ASKED_LEAST + rate * ASKED_SECONDS / BLOCK_SIZE;
}

/* It may take less than its rate is good for. */
uint32_t swarm_room(const struct swarm_peer *p)
{
	uint64_t part = swarm_left(p->swarm) / WINDOW_PART / BLOCK_SIZE;
	uint64_t most = MAX(MAX(part, WINDOW_MANY), (uint64_t)p->needed);
	uint32_t cap = MIN(p->window, MIN(p->swarm->config.max_requests, p->reqq));

	cap = (uint32_t)MIN((uint64_t)cap, most);
	if (!may_ask(p) || (p->asked.n >= WINDOW_MIN && p->swarm->asked >= asked_max(p->swarm)))
		return 0;
	return cap > p->asked.n ? cap - p->asked.n : 0;
}

bool swarm_wants_requests(const struct swarm_peer *p)
{
	return swarm_room(p) > 0;
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
	struct swarm *s = p->swarm;
	unsigned room, n, made = 0;
	struct pick picks[64];

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
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
				put_request(p, &r);
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

/* --- requests that become void --- */

bool swarm_void_one(struct swarm_peer *p, const struct block_req *r)
{
	if (!req_remove(&p->asked, r))
		return false;
	p->swarm->asked--;
	picker_cancelled(p->swarm->picker, p->name, r->piece, r->begin);
	p->swarm->ops->credit(p->swarm->owner, 1);
	return true;
}

void swarm_void_asked(struct swarm_peer *p, bool stand)
{
	struct block_req r;
	unsigned n = 0;

	while (req_pop(&p->asked, &r)) {
		picker_cancelled(p->swarm->picker, p->name, r.piece, r.begin);
		if (stand)
			swarm_late_add(p, &r);
		n++;
	}
	req_clear(&p->asked);
	p->swarm->asked -= n;
	p->timing = p->resumed = false;
	if (!stand) {
		swarm_late_excuse(p, n);
		swarm_late_forget(p);
	}
	if (n == 0)
		return;
	p->swarm->ops->credit(p->swarm->owner, n);
	swarm_wake_idle(p->swarm, n, ANY_PIECE);
}

/* --- blocks that come --- */

enum swarm_verdict swarm_piece_begin(
	struct swarm_peer *p, uint32_t piece, uint32_t begin, uint32_t length)
{
	struct block_req r = {piece, begin, length};
	enum swarm_verdict verdict;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	for (uint32_t i = 0; i < p->asked.n; i++) {
		const struct block_req *at = req_at(&p->asked, i);

		if (at->piece == r.piece && at->begin == r.begin && at->length == r.length)
			return SWARM_TAKE;
	}
	verdict = swarm_late_block(p, &r);
	if (verdict != SWARM_TAKE)
		p->swarm->wasted += length;
	return verdict;
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

/* Slow start: one more a block until the window holds what a second brings. */
static void grow_window(struct swarm_peer *p)
{
	uint32_t cap = MIN(p->swarm->config.max_requests, p->reqq);

	if (p->starting && p->window < cap)
		p->window++;
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
	grow_window(p);
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

static void size_window(struct swarm_peer *p)
{
	uint64_t rate = p->pace;
	uint32_t cap = MAX(MIN(p->swarm->config.max_requests, p->reqq), 1u);
	uint64_t needed = rate * (uint64_t)(2 * p->delay / 1000) / 1000 / BLOCK_SIZE + WINDOW_MIN;
	uint64_t want = MAX(needed, rate * WINDOW_TIME_MS / 1000 / BLOCK_SIZE + WINDOW_MIN);

	p->needed = (uint32_t)MIN(needed, (uint64_t)cap);

	if (p->starting) {
		/* It ends when a second brought hardly more than the one before. */
		if (p->last_window_rate > 0 &&
			rate < p->last_window_rate + p->last_window_rate / 10)
			p->starting = false;
		p->last_window_rate = rate;
		if (p->starting)
			return;
	}
	p->window = (uint32_t)MIN((uint64_t)cap, MAX(want, (uint64_t)WINDOW_MIN));
}

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
		size_window(p);
	if (swarm_wants_requests(p))
		p->swarm->ops->wake(p->conn);
}
