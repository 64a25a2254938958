/* SPDX-License-Identifier: MIT */
/*
 * The choker: slots, ranks and luck.
 *
 * Every peer that may have a slot gets a rank of two numbers, made so that greater is better in
 * every mode; then the choice is one sort.  Who holds a slot ranks before an equal who does not, so
 * that equal peers do not take turns for nothing (BEP 3 calls it fibrillation).
 */
#include "proto/swarm/choker.h"

#include <stdlib.h>

#define NEW_PEER_WEIGHT 3u
#define OPTIMISTIC_PART 5u
/* Without a limit the link is taken for full when slots carry less than this; bytes a second. */
#define SLOT_DECENT  UINT64_C(8192)
#define SLOT_PLENTY  UINT64_C(65536)
#define SLOT_STARVED UINT64_C(2048)
#define SLOT_THIN    UINT64_C(6144) /* who waits at less than this is better served alone */

struct rank {
	uint64_t first, second, lot; /* compared in this order, greater is better */
	uint32_t index;
};

void choker_init(struct choker *c, uint32_t slots_min, uint32_t slots_max, enum choke_seed mode)
{
	memset(c, 0, sizeof *c);
	c->slots_min = slots_min;
	c->slots_max = slots_max;
	c->mode = mode;
	c->round_at = c->rotated_at = INT64_MIN;
}

static bool may_have_slot(const struct choke_peer *peer)
{
	return peer->interested && !peer->upload_only;
}

static bool is_past(int64_t since, int64_t length, int64_t now_us)
{
	return since == INT64_MIN || now_us - since >= length;
}

static void bound_slots(struct choker *c)
{
	uint32_t min = MAX(c->slots_min, 2u);

	c->slots = MAX(c->slots, min);
	if (c->slots_max != 0)
		c->slots = MIN(c->slots, MAX(c->slots_max, min));
}

/*
 * More slots only while all are in use and somebody waits.  Fewer when the line is full of blocks
 * that take long: a piece is passed on only when it is whole, so that few who get theirs soon do
 * more for the swarm than many who wait.
 */
static void adapt_slots(struct choker *c, const struct choke_peer *peers, size_t n,
	uint64_t upload_rate, uint64_t upload_limit)
{
	uint64_t held = 0, waiting = 0, hungry = 0, mean = upload_rate / c->slots;

	for (size_t i = 0; i < n; i++) {
		held += may_have_slot(&peers[i]) && peers[i].unchoked;
		hungry += may_have_slot(&peers[i]) && peers[i].unchoked && peers[i].hungry;
		waiting += may_have_slot(&peers[i]) && !peers[i].unchoked;
	}
	if (upload_rate > 0 && mean < SLOT_THIN && hungry > c->slots / 2) {
		c->slots -= MAX(c->slots / 4, 1u);
		return;
	}
	if (held < c->slots || (waiting == 0 && mean >= SLOT_STARVED))
		return;
	if (upload_limit != 0 && upload_rate >= upload_limit / 10 * 9) {
		if (mean < SLOT_STARVED)
			c->slots--;
		return;
	}
	if (mean >= SLOT_PLENTY && upload_limit == 0)
		c->slots = (uint32_t)MIN(2 * (uint64_t)c->slots, (uint64_t)c->slots + waiting);
	else if (waiting > 0 && (mean >= SLOT_DECENT || upload_limit != 0))
		c->slots++;
	else if (mean < SLOT_STARVED)
		c->slots--;
}

static uint64_t edge_score(uint16_t progress)
{
	uint64_t p = MIN(progress, 1000u);

	return p > 500 ? p - 500 : 500 - p;
}

/* Greater is longer ago; never is longest. */
static uint64_t age_of(int64_t at, int64_t now_us)
{
	if (at == INT64_MIN)
		return UINT64_MAX;
	return at < now_us ? (uint64_t)now_us - (uint64_t)at : 0;
}

static void rank_for_seed(
	struct rank *r, const struct choke_peer *peer, enum choke_seed mode, int64_t now_us)
{
	switch (mode) {
	case CHOKE_ROUND_ROBIN:
		r->first = peer->unchoked && !is_past(peer->unchoked_at, CHOKER_TURN_US, now_us);
		r->second = age_of(peer->unchoked_at, now_us);
		break;
	case CHOKE_ANTI_LEECH:
		r->first = edge_score(peer->progress);
		r->second = peer->unchoked;
		break;
	case CHOKE_FASTEST_UPLOAD:
		r->first = peer->rate_out;
		r->second = peer->unchoked;
		break;
	}
}

static int compare_ranks(const void *va, const void *vb)
{
	const struct rank *a = va, *b = vb;

	if (a->first != b->first)
		return a->first > b->first ? -1 : 1;
	if (a->second != b->second)
		return a->second > b->second ? -1 : 1;
	if (a->lot != b->lot)
		return a->lot > b->lot ? -1 : 1;
	return 0;
}

/* One call of choker_run(). */
struct run {
	struct choker *c;
	struct choke_peer *peers;
	size_t n;
	bool seeding, round, rotate;
	int64_t now_us;
	struct rng *rng;
	struct rank *ranks; /* best first */
	size_t ranked;
	bool *lucky;   /* who has an optimistic slot after this call */
	uint32_t used; /* slots given so far */
};

/* Who can earn a slot, best first. */
static void rank_peers(struct run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct choke_peer *peer = &r->peers[i];
		struct rank *rank = &r->ranks[r->ranked];

		if (!may_have_slot(peer) || (!r->seeding && peer->snubbed))
			continue;
		rank->first = peer->rate_in;
		rank->second = peer->unchoked && !peer->optimistic;
		if (r->seeding)
			rank_for_seed(rank, peer, r->c->mode, r->now_us);
		rank->lot = rng_u64(r->rng);
		rank->index = (uint32_t)i;
		r->ranked++;
	}
	qsort(r->ranks, r->ranked, sizeof *r->ranks, compare_ranks);
}

/* Whoever has such a slot and may keep it does, up to the number of slots. */
static void keep_slots(struct run *r, bool optimistic)
{
	for (size_t i = 0; i < r->n && r->used < r->c->slots; i++) {
		struct choke_peer *peer = &r->peers[i];

		if (!may_have_slot(peer) || !peer->unchoked || peer->want)
			continue;
		if (peer->optimistic != optimistic)
			continue;
		peer->want = true;
		r->lucky[i] = optimistic;
		r->used++;
	}
}

static void give_earned(struct run *r, uint32_t slots)
{
	for (size_t i = 0; i < r->ranked && r->used < slots; i++) {
		struct choke_peer *peer = &r->peers[r->ranks[i].index];

		if (peer->want)
			continue;
		peer->want = true;
		r->used++;
	}
}

/* Last time's winners draw again only when `again`. */
static uint32_t lot_weight(const struct run *r, size_t i, bool again)
{
	const struct choke_peer *peer = &r->peers[i];

	if (!may_have_slot(peer) || peer->want || (peer->optimistic && !again))
		return 0;
	return is_past(peer->connected_at, CHOKER_NEW_US, r->now_us) ? 1 : NEW_PEER_WEIGHT;
}

/* Draws one peer by weight; n when there is none. */
static size_t draw_lot(const struct run *r, bool again)
{
	uint32_t sum = 0, lot;

	for (size_t i = 0; i < r->n; i++)
		sum += lot_weight(r, i, again);
	lot = rng_below(r->rng, sum);
	for (size_t i = 0; i < r->n && sum > 0; i++) {
		uint32_t weight = lot_weight(r, i, again);

		if (lot < weight)
			return i;
		lot -= weight;
	}
	return r->n;
}

static void give_optimistic(struct run *r)
{
	while (r->used < r->c->slots) {
		size_t i = draw_lot(r, false);

		if (i == r->n)
			i = draw_lot(r, true);
		if (i == r->n)
			return;
		r->peers[i].want = r->lucky[i] = true;
		r->used++;
	}
}

static uint32_t optimistic_slots(const struct run *r)
{
	if (r->seeding && r->c->mode == CHOKE_ROUND_ROBIN)
		return 0;
	return MAX(r->c->slots / OPTIMISTIC_PART, 1u);
}

/*
 * In a round slots are earned anew and luck lasts until the rotation; between rounds all is kept
 * and what is free goes first to who earns it, but never the share of luck.
 */
static void give_slots(struct run *r)
{
	uint32_t earned = r->c->slots - optimistic_slots(r), luck;

	if (!r->round) {
		keep_slots(r, true);
		luck = r->used;
		keep_slots(r, false);
		give_earned(r, MIN(earned + luck, r->c->slots));
	} else {
		give_earned(r, earned);
		if (!r->rotate)
			keep_slots(r, true);
	}
	give_optimistic(r);
}

void choker_run(struct choker *c, struct choke_peer *peers, size_t n, bool seeding,
	uint64_t upload_rate, uint64_t upload_limit, int64_t now_us, struct rng *rng)
{
	struct run r = {
		.c = c, .peers = peers, .n = n, .seeding = seeding, .now_us = now_us, .rng = rng};

	must(n <= UINT32_MAX / NEW_PEER_WEIGHT);
	r.round = is_past(c->round_at, CHOKER_ROUND_US, now_us);
	/* Rotations fall on rounds; a round that is a little early for one still is it. */
	r.rotate = r.round && is_past(c->rotated_at, CHOKER_OPT_US - CHOKER_ROUND_US / 2, now_us);
	bound_slots(c);
	if (r.round) {
		c->round_at = now_us;
		adapt_slots(c, peers, n, upload_rate, upload_limit);
		bound_slots(c);
	}
	if (r.rotate)
		c->rotated_at = now_us;
	for (size_t i = 0; i < n; i++)
		peers[i].want = false;
	r.ranks = xcalloc(n, sizeof *r.ranks);
	r.lucky = xcalloc(n, sizeof *r.lucky);
	rank_peers(&r);
	give_slots(&r);
	for (size_t i = 0; i < n; i++)
		peers[i].optimistic = r.lucky[i];
	xfree(r.lucky);
	xfree(r.ranks);
}
