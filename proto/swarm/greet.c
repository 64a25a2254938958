/* SPDX-License-Identifier: MIT */
/* The moment a peer's pieces are known: it counts from now on. */
#include "proto/swarm/priv.h"

void swarm_note_seed(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->seed = bitfield_full(&p->has);
	if (p->seed)
		swarm_super_met_seed(p->swarm, now);
}

/* The first thing a peer may say about its pieces; without it, it has none. */
void swarm_greet(struct swarm_peer *p, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->greeted)
		return;
	p->greeted = true;
	picker_join(p->swarm->picker, &p->has);
	swarm_note_seed(p, now);
	p->interesting = picker_count_wanted_that(p->swarm->picker, &p->has);
	swarm_update_interest(p);
	swarm_grant_fast(p);
	swarm_super_show(p, now);
}
