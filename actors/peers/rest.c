/* SPDX-License-Identifier: MIT */
/*
 * Rests between looks at connections that run steadily.
 *
 * At the rates that lines have, packets come every few hundred microseconds, and a thread that is
 * woken for each pays more for waking than for the bytes.  So while a shard moves data it rests
 * until a run of bytes is worth a look: RUN at the rate it has, REST_MAX at the most.  Then it
 * looks at all connections at once, reads each once, and hands everything on in one batch for each
 * worker.  A run is small enough that the kernel holds it, and none but calm connections wait.
 *
 * A connection is calm when nothing is lost by a rest: what it was asked for, or what the kernel
 * has to send to it, lasts longer, in slow start at the rate of the whole shard.  Handshakes, the
 * last blocks, a peer whose requests run dry, and a shard that moves little never wait; nor does
 * any message of another actor.
 */
#include "actors/peers/priv.h"

#include "actors/kernel/net.h"

#define RUN          (UINT64_C(512) * 1024) /* bytes */
#define REST_MAX     (16 * USEC_PER_MSEC)   /* a peer's message is answered within it */
#define REST_MIN     USEC_PER_MSEC          /* a shorter one saves nothing */
#define FLOW_LEAST   (UINT64_C(1) << 20)    /* B/s: with less, each packet is looked at */
#define FLOW_SPAN    (100 * USEC_PER_MSEC)  /* the rate is of about so long */
#define ROOM_FROM    (UINT64_C(512) * 1024) /* B/s of a peer: for less the kernel's own room does */
#define CIPHER_RESTS (UINT64_C(32) << 20)   /* B/s: with more, one that is encrypted is not calm */
/* Rests that what stands must last, to stay calm and to become it. */
#define LASTS        2
#define LASTS_LONGER 3

/* The most that may come between two looks: what rests are made of, with room to spare. */
#define ROOM (2 * RUN)

void rest_note(struct shard *s, size_t n)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	s->flow.bytes += n;
}

/* B/s of the time since the last look, weighed by how long that was. */
static void measure(struct flow *f, int64_t now)
{
	int64_t span = MIN(now - f->at, FLOW_SPAN);
	uint64_t seen;

	if (span <= 0)
		return;
	seen = f->bytes * USEC_PER_SEC / (uint64_t)(now - f->at);
	f->rate = (f->rate * (uint64_t)(FLOW_SPAN - span) + seen * (uint64_t)span) / FLOW_SPAN;
	f->at = now;
	f->bytes = 0;
}

static int64_t length_of(uint64_t rate)
{
	int64_t us = REST_MAX;

	if (rate < FLOW_LEAST)
		return 0;
	if (rate > RUN * USEC_PER_SEC / REST_MAX)
		us = (int64_t)(RUN * USEC_PER_SEC / rate);
	return us < REST_MIN ? 0 : us;
}

void rest_begin(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	int64_t now = loop_now(s->loop);
	bool moved = s->flow.bytes > 0;

	if (loop_rests(s->loop))
		return;
	measure(&s->flow, now);
	s->rest = moved ? length_of(s->flow.rate) : 0;
	loop_rest(s->loop, s->rest > 0 ? now + s->rest : 0);
}

/* Whether bytes that stand at that rate last for some rests. */
static bool lasts(uint64_t bytes, uint64_t rate, int64_t us)
{
	return bytes > rate * (uint64_t)us / USEC_PER_SEC;
}

static bool is_calm(const struct conn *c)
{
	return c->io.events & POLL_CALM;
}

/* What the peer may bring: one that still gets faster, all that comes. */
static uint64_t in_rate(const struct conn *c)
{
	bool starting;
	uint64_t pace = swarm_pace(c->peer, &starting);

	return starting ? MAX(pace, c->shard->flow.rate) : pace;
}

static bool may_wait(const struct conn *c)
{
	uint64_t asked;
	int64_t need = MAX(c->shard->rest, REST_MIN) * (is_calm(c) ? LASTS : LASTS_LONGER);

	if (c->state != CONN_OPEN || c->send_blocked)
		return false;
	/* Of what takes that long to encrypt no more comes in a rest than there was before it. */
	if (c->cipher != NULL && c->shard->flow.rate > CIPHER_RESTS)
		return false;
	asked = swarm_asked(c->peer);
	if (asked > 0 && !lasts(asked * BLOCK_SIZE, in_rate(c), need))
		return false;
	/* A peer that is served, and asks for its next block when it has the last one. */
	if (c->blocks_n == 0)
		return loop_now(c->shard->loop) - c->served_at > USEC_PER_SEC;
	return lasts(c->not_sent_low, c->out_rate, need);
}

void rest_settle(struct conn *c)
{
	bool calm, starting;

	CHECK_OBJ(c, CONN_MAGIC);
	calm = may_wait(c);
	if (calm == is_calm(c))
		return;
	if (calm && !c->roomy && swarm_pace(c->peer, &starting) > ROOM_FROM) {
		c->roomy = true;
		net_make_room(c->io.fd, ROOM);
	}
	loop_fd_calm(c->shard->loop, &c->io, calm);
}
