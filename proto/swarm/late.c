/* SPDX-License-Identifier: MIT */
/*
 * Requests that were given up without a word to the peer, and what still comes of them.
 *
 * A peer that was silent for too long loses its requests to others, but it never heard of that: on
 * its side they stand, and it answers them when it can.  Such a block is as good as any while
 * nobody else has brought it.  So what was given up is remembered, at most as much as may be asked
 * of one peer: a block of it that comes is taken if it is wanted and there is credit for it; to ask
 * that peer again takes no message, unless it stays silent; and what others brought meanwhile is
 * cancelled, a few a second.
 *
 * What was cancelled, choked away or pushed out of here is a mere count, `voided`: so many blocks
 * are no offence when they come, and wasted.
 */
#include "proto/swarm/priv.h"

#define VOIDED_MAX  4096u
#define PRUNE_BURST 32u /* requests looked at in one tick */

void swarm_late_excuse(struct swarm_peer *p, uint32_t n)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->voided = MIN(p->voided + n, VOIDED_MAX);
}

void swarm_late_add(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct block_req oldest;

	if (p->late.n >= p->swarm->config.max_requests && req_pop(&p->late, &oldest))
		swarm_late_excuse(p, 1);
	req_push(&p->late, *r);
}

void swarm_late_forget(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	swarm_late_excuse(p, p->late.n);
	req_clear(&p->late);
	p->late_lost = p->resumed = false;
}

bool swarm_late_drop(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return p->late.n > 0 && req_remove(&p->late, r);
}

bool swarm_late_resume(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->late_lost || !swarm_late_drop(p, r))
		return false;
	p->resumed = true;
	p->timing = false;
	return true;
}

/* As if it had been asked for just now; without that, a suspect's block would mix with others'. */
static bool reclaim(struct swarm_peer *p, const struct block_req *r)
{
	struct swarm *s = p->swarm;

	if (s->no_download || p->parole || !picker_asked(s->picker, p->name, r->piece, r->begin))
		return false;
	if (!s->ops->claim(s->owner)) {
		picker_cancelled(s->picker, p->name, r->piece, r->begin);
		return false;
	}
	req_push(&p->asked, *r);
	s->asked++;
	return true;
}

bool swarm_late_reclaim(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	return swarm_late_drop(p, r) && reclaim(p, r);
}

enum block_fate swarm_late_block(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (swarm_late_drop(p, r)) {
		p->late_lost = false;
		return reclaim(p, r) ? SWARM_TAKE : SWARM_SKIP;
	}
	if (p->voided == 0)
		return SWARM_CLOSE; /* nobody asked for it, ever */
	p->voided--;
	return SWARM_SKIP;
}

void swarm_late_tick(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	uint32_t n = MIN(p->late.n, PRUNE_BURST);
	bool said = false;
	struct block_req r;

	if (n == 0)
		return;
	while (n-- > 0 && req_pop(&p->late, &r)) {
		if (picker_lacks(p->swarm->picker, r.piece, r.begin)) {
			req_push(&p->late, r);
			continue;
		}
		swarm_put_cancel(p, &r);
		swarm_late_excuse(p, 1);
		said = true;
	}
	if (p->late.n == 0)
		swarm_late_forget(p);
	if (said)
		p->swarm->ops->wake(p->conn);
}
