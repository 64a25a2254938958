/* SPDX-License-Identifier: MIT */
/*
 * The line of peers that have room for requests and found nothing to ask for.
 *
 * When blocks become free again, because somebody refused them, fell silent or left, these are the
 * ones to ask, longest waiting first, as many as there are blocks.  With nobody in the line that
 * costs nothing, however many peers there are.  What makes a peer able to ask again (an unchoke, a
 * HAVE) wakes it by itself, and the tick finds whoever was forgotten, so the line need not be
 * complete, but whoever is in it was told that there is nothing.
 */
#include "proto/swarm/priv.h"

void swarm_idle(struct swarm_peer *p, bool idle)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	link_remove(&p->idle);
	if (idle)
		link_append(&p->swarm->idle, &p->idle);
}

/* Such a peer may not find what others would: it takes nobody's turn. */
static bool is_choosy(const struct swarm_peer *p)
{
	return p->snubbed || p->parole || p->peer_choking;
}

void swarm_wake_idle(struct swarm *s, uint32_t blocks, uint32_t piece)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	struct link *l = s->idle.next, *next;

	for (; l != &s->idle && blocks > 0; l = next) {
		struct swarm_peer *p = container_of(l, struct swarm_peer, idle);
		uint32_t room = swarm_room(p);

		next = l->next;
		if (piece != ANY_PIECE && !bitfield_get(&p->has, piece))
			continue;
		link_remove(l);
		if (room == 0)
			continue;
		if (!is_choosy(p))
			blocks -= MIN(blocks, room);
		s->ops->wake(p->conn);
	}
}
