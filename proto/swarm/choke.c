/* SPDX-License-Identifier: MIT */
/*
 * Who gets a slot: the table for the choker, and what its decision means (BEP 3, "choking"); and
 * who is given up when somebody better may come.
 *
 * What a peer gave us is averaged over two to three rounds: over one, a peer that sends in bursts
 * or was choked for a moment would lose its slot by bad luck, and over all its life a peer could
 * rest on what it did an hour ago.
 */
#include "proto/swarm/priv.h"

#define GIVEN_MIN   (5 * USEC_PER_SEC) /* a shorter time says too little */
#define TURNOVER_US (30 * USEC_PER_SEC)
#define WORST_GRACE (60 * USEC_PER_SEC) /* so long a peer may take to show what it is */

static void say_choke(struct swarm_peer *p, bool choke, int64_t now)
{
	struct wr w;

	p->am_choking = choke;
	swarm_super_choke(p, now);
	w = outbuf_begin(&p->out, 5);
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
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct swarm *s = p->swarm;
	uint32_t taken = 0;

	if (!p->am_choking || p->upload_only || p->seed || swarm_super_is_full(p))
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && !s->peers[i]->am_choking && s->peers[i]->peer_interested)
			taken++;
	if (taken < s->choker.slots)
		say_choke(p, false, now);
}

/* Bytes a second it gave us over the last two or three rounds. */
static uint64_t given_rate(const struct swarm_peer *p, int64_t now)
{
	const struct given *since = &p->given[ARRAY_LEN(p->given) - 1];
	int64_t us = MAX(now - since->at, GIVEN_MIN);

	return (p->downloaded - since->bytes) * 1000 / (uint64_t)(us / 1000);
}

static void shift_given(struct swarm_peer *p, int64_t now)
{
	if (now - p->given[0].at < CHOKER_ROUND_US)
		return;
	memmove(&p->given[1], &p->given[0], sizeof p->given - sizeof p->given[0]);
	p->given[0] = (struct given){p->downloaded, now};
}

void swarm_run_choker(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
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
			.hungry = p->owed > 0,
			.upload_only = p->upload_only || p->seed,
			.optimistic = p->optimistic,
			.progress = (uint16_t)((uint64_t)p->has.count * 1000 / p->has.bits),
			.rate_in = given_rate(p, now),
			.rate_out = p->masked && s->super_seeding ? swarm_super_merit(p, now)
								  : meter_rate(&p->up, now),
			.unchoked_at = p->unchoked_at,
			.connected_at = p->connected_at};
	}
	choker_run(
		&s->choker, v, n, swarm_done(s), meter_rate(&s->up, now), s->up_limit, now, s->rng);
	for (uint32_t i = 0; i < n; i++) {
		struct swarm_peer *p = s->peers[v[i].id];

		p->optimistic = v[i].optimistic;
		shift_given(p, now);
		if (v[i].want != p->am_choking)
			p->retires = false;
		else if (v[i].want ? !swarm_super_is_full(p) : !swarm_super_retires(p, now))
			say_choke(p, !v[i].want, now);
	}
	xfree(v);
}

void swarm_choke_mode(struct swarm *s, enum choke_seed mode)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	s->choker.mode = mode;
	s->choke_soon = true;
}

/* --- who may go --- */

/* Nobody gives up a peer that gives or takes now, or may soon. */
static bool is_useful(struct swarm_peer *p, int64_t now)
{
	if (now - p->connected_at < WORST_GRACE)
		return true;
	if (meter_rate(&p->down, now) > 0 || meter_rate(&p->up, now) > 0)
		return true;
	if (p->asked.n > 0 && !p->snubbed)
		return true;
	if (p->swarm->bare)
		return p->metadata_size > 0;
	return !p->am_choking && p->peer_interested;
}

/* The greater, the less it is missed. */
static unsigned uselessness(const struct swarm_peer *p)
{
	if (p->snubbed && p->am_interested)
		return 3;
	if (!p->am_interested && !p->peer_interested)
		return p->upload_only || p->seed ? 5 : 4;
	if (p->am_interested && p->peer_choking)
		return p->peer_interested ? 1 : 2;
	return 0;
}

struct swarm_peer *swarm_worst(struct swarm *s, int64_t now)
{
	struct swarm_peer *worst = NULL;
	unsigned most = 0;

	CHECK_OBJ(s, SWARM_MAGIC);
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];
		unsigned u;

		if (p == NULL || is_useful(p, now))
			continue;
		u = uselessness(p);
		if (u == 0 || u < most)
			continue;
		if (u > most || p->downloaded + p->uploaded < worst->downloaded + worst->uploaded)
			worst = p;
		most = u;
	}
	return worst;
}

/* Bytes a second of either way, and of all time for who is silent now. */
static bool gives_less(struct swarm_peer *p, struct swarm_peer *than, int64_t now)
{
	uint64_t a = meter_rate(&p->down, now) + meter_rate(&p->up, now);
	uint64_t b = meter_rate(&than->down, now) + meter_rate(&than->up, now);

	return a != b ? a < b : p->downloaded + p->uploaded < than->downloaded + than->uploaded;
}

struct swarm_peer *swarm_least(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	struct swarm_peer *least = swarm_worst(s, now);

	if (least != NULL)
		return least;
	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p != NULL && (least == NULL || gives_less(p, least, now)))
			least = p;
	}
	return least;
}

struct swarm_peer *swarm_turnover(struct swarm *s, int64_t now)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	struct swarm_peer *worst = now >= s->next_turnover ? swarm_worst(s, now) : NULL;

	if (worst != NULL)
		s->next_turnover = now + TURNOVER_US;
	return worst;
}
