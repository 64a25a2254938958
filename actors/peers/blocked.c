/* SPDX-License-Identifier: MIT */
/*
 * A blocklist comes, and whoever is in it goes.
 *
 * Who connects is refused where it is accepted (listen.c), and addresses that were found are looked
 * at when they are noted (sources.c) and again before they are dialled (dial.c), since they may
 * have been noted under another list, or come from a peer.
 */
#include "actors/peers/priv.h"

static void close_blocked(struct shard *s)
{
	struct link *l = s->conns.next, *next;

	for (; l != &s->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_shard);

		next = l->next;
		/* The address of a web seed's connection is nobody's. */
		if (!c->web && blocklist_refuses(s->blocked, &c->at))
			conn_close(c, E_DENIED, "blocklist");
	}
}

void peers_on_blocklist(struct actor *a, struct msg **m)
{
	struct m_blocklist *b = MSG_AS(BLOCKLIST_SET, *m);
	struct shard *s = shard_of(a);
	const struct blocklist *old = s->blocked;

	s->blocked = b->list;
	b->list = old;
	close_blocked(s);
}
