/* SPDX-License-Identifier: MIT */
/*
 * What a peer asks us for, until it is served (BEP 3 "request", "cancel"; BEP 6 "reject").
 *
 * A peer may have as many requests with us as we announce (BEP 10 "reqq"): a fast one needs some
 * thousands on a long line.  They are twelve bytes each, but a peer costs nothing to make, so all
 * that the owner's peers have beyond SERVED_OWN is bounded together, by the budget in the
 * configuration.  What is refused for that is no offence: it asked for no more than it may.
 */
#include "proto/swarm/priv.h"

#define SERVING_KEPT 512u /* requests: the room of an empty queue, 6 KiB */
#define SERVED_OWN                                                                                 \
	250u /* requests that any peer may have: what a client keeps that says nothing             \
	      */
#define BAD_REQUESTS_MAX 300u

/* Enters or takes n requests of the peer, which has `before`, in the common account. */
static void count_served(struct swarm_peer *p, uint32_t before, uint32_t after)
{
	struct serve_budget *b = p->swarm->config.budget;
	uint32_t had = before > SERVED_OWN ? before - SERVED_OWN : 0;
	uint32_t has = after > SERVED_OWN ? after - SERVED_OWN : 0;

	if (b != NULL)
		b->used = b->used + has - had;
}

static bool has_place(const struct swarm_peer *p)
{
	const struct serve_budget *b = p->swarm->config.budget;

	return p->serving.n < SERVED_OWN || b == NULL || b->used < b->max;
}

static void add_served(struct swarm_peer *p, struct block_req r)
{
	req_push(&p->serving, r);
	count_served(p, p->serving.n - 1, p->serving.n);
}

static void owe_less(struct swarm_peer *p, uint32_t bytes)
{
	uint64_t n = MIN(p->owed, (uint64_t)bytes);

	p->owed -= n;
	p->swarm->owed -= n;
}

static enum err refuse(struct swarm_peer *p, const struct block_req *r)
{
	swarm_put_reject(p, r);
	return ++p->bad_requests > BAD_REQUESTS_MAX ? E_PROTOCOL : E_OK;
}

enum err swarm_on_request(struct swarm_peer *p, const struct block_req *r, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!layout_request_ok(&p->swarm->layout, r->piece, r->begin, r->length, WIRE_MAX_BLOCK))
		return E_PROTOCOL;
	if (!bitfield_get(p->masked ? &p->told : swarm_have(p->swarm), r->piece))
		return refuse(p, r);
	if (p->serving.n >= p->swarm->config.max_served)
		return refuse(p, r);
	/* It may have sent this before our choke reached it, and does not know of the budget: no
	 * offence, no answer but BEP 6's. */
	if (!has_place(p) || (p->am_choking && !swarm_use_grant(p, r))) {
		swarm_put_reject(p, r);
		return E_OK;
	}
	swarm_note_known(p, r->piece);
	add_served(p, *r);
	p->owed += r->length;
	p->swarm->owed += r->length;
	swarm_super_asked(p, r, now);
	p->swarm->ops->wake(p->conn);
	return E_OK;
}

void swarm_on_cancel(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!req_remove(&p->serving, r))
		return;
	count_served(p, p->serving.n + 1, p->serving.n);
	owe_less(p, r->length);
	swarm_put_reject(p, r);
}

void swarm_serve_lost(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	swarm_serve_failed(p, r);
	swarm_say_donthave(p, r->piece);
}

bool swarm_serve_next(struct swarm_peer *p, struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!req_pop(&p->serving, r))
		return false;
	count_served(p, p->serving.n + 1, p->serving.n);
	/* Bursts of a few hundred come again and again; a choke frees the rest. */
	if (p->serving.n == 0 && p->serving.cap > SERVING_KEPT)
		req_clear(&p->serving);
	return true;
}

void swarm_served(struct swarm_peer *p, uint32_t bytes)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->uploaded += bytes;
	p->swarm->uploaded += bytes;
	meter_add(&p->up, bytes);
	meter_add(&p->swarm->up, bytes);
	owe_less(p, bytes);
	if (p->owed == 0 && (p->swarm->slack || p->swarm->owed == 0))
		swarm_super_idle(p);
}

void swarm_serve_failed(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	owe_less(p, r->length);
	swarm_put_reject(p, r);
}

void swarm_drop_serving(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct req_queue keep = {0};
	uint32_t before = p->serving.n;
	struct block_req r;

	while (req_pop(&p->serving, &r)) {
		if (swarm_use_grant(p, &r))
			req_push(&keep, r);
		else
			swarm_serve_failed(p, &r);
	}
	req_clear(&p->serving);
	p->serving = keep;
	count_served(p, before, keep.n);
}

void swarm_forget_serving(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	count_served(p, p->serving.n, 0);
	req_clear(&p->serving);
}
