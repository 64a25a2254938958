/* SPDX-License-Identifier: MIT */
/* Who is connected: each peer has a place, found again, and a name that is never another's. */
#include "proto/swarm/priv.h"

static uint32_t take_index(struct swarm *s)
{
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] == NULL)
			return i;
	uint32_t cap = s->peers_cap ? 2 * s->peers_cap : 8;

	s->peers = xrealloc(s->peers, cap * sizeof *s->peers);
	memset(s->peers + s->peers_cap, 0, (cap - s->peers_cap) * sizeof *s->peers);
	uint32_t i = s->peers_cap;

	s->peers_cap = cap;
	return i;
}

/*
 * The picker's name of a peer: its place, and the number of its coming, so that who comes next to
 * the place is not taken for it.
 */
static uint32_t make_name(struct swarm *s, uint32_t index)
{
	must(index <= UINT16_MAX);
	if (++s->joins == UINT16_MAX)
		s->joins = 1;
	return s->joins << 16 | index;
}

void swarm_roster_add(struct swarm *s, struct swarm_peer *p)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	p->index = take_index(s);
	p->name = make_name(s, p->index);
	s->peers[p->index] = p;
	s->peers_n++;
}

void swarm_roster_remove(struct swarm *s, struct swarm_peer *p)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	must(s->peers[p->index] == p);
	s->peers[p->index] = NULL;
	s->peers_n--;
}

struct swarm_peer *swarm_peer_named(const struct swarm *s, uint32_t name)
{
	CHECK_OBJ(s, SWARM_MAGIC);
	uint32_t index = name & UINT16_MAX;
	struct swarm_peer *p = index < s->peers_cap ? s->peers[index] : NULL;

	return p != NULL && p->name == name ? p : NULL;
}
