/* SPDX-License-Identifier: MIT */
/*
 * Requests of ours that end without their block: refused, choked away, given up, or with the peer.
 *
 * Each gives its unit of credit back, and its block is free for others.
 */
#include "proto/swarm/priv.h"

bool swarm_void_one(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!req_remove(&p->asked, r))
		return false;
	p->swarm->asked--;
	picker_cancelled(p->swarm->picker, p->name, r->piece, r->begin);
	p->swarm->ops->credit(p->swarm->owner, 1);
	return true;
}

void swarm_void_asked(struct swarm_peer *p, bool stand)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
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
