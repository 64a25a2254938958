/* SPDX-License-Identifier: MIT */
/*
 * The window: how many requests stand with a peer.
 *
 * It grows by one a block while the rate still
 * grows (slow start), then covers twice the delay at the measured rate, and WINDOW_TIME at least.
 * The delay is that of a request with nothing before it, which has the way and the other side's
 * disk in it and no queue; twice, so that a window that was too small for the way grows.  Too few
 * requests idle a fast link, too many hold what others would have sooner: what the delay does not
 * need is no more than a part of what is left, or near the end all peers ask one seed for the rest
 * and bring each other nothing.
 */
#include "proto/swarm/priv.h"

/* Whole seconds of the measured rate: a lull of the other side idles nothing. */
#define WINDOW_TIME_MS UINT64_C(1000)
/* Of what is left no peer is asked for more than one part of so many, so that sixteen peers of one
 * seed share what it gives, but always for so many blocks: one or two would leave it idle. */
#define WINDOW_PART UINT64_C(16)
#define WINDOW_MANY UINT64_C(64)
/* All peers together: what a few seconds bring, and enough to begin with. */
#define ASKED_LEAST   64u
#define ASKED_SECONDS 4u

static bool may_ask(const struct swarm_peer *p)
{
	if (!p->am_interested || p->swarm->no_download || p->held)
		return false;
	return !p->peer_choking || (p->caps.fast && p->allowed_n > 0);
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
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
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
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return swarm_room(p) > 0;
}

/* Slow start: one more a block until the window holds what a second brings. */
void swarm_grow_window(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	uint32_t cap = MIN(p->swarm->config.max_requests, p->reqq);

	if (p->starting && p->window < cap)
		p->window++;
}

void swarm_size_window(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
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
