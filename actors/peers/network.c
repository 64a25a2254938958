/* SPDX-License-Identifier: MIT */
/*
 * The device that peers are talked to by goes, and comes back.
 *
 * The sockets that were bound to it stay with it, so no connection outlives it.  Nobody is dialled
 * while it is away: to have failed then says nothing of a peer.
 */
#include "actors/peers/priv.h"

/* They may be dialled at once when there is a way to them. */
static void close_all(struct shard *s)
{
	struct link *l = s->conns.next, *next;

	for (; l != &s->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_shard);

		next = l->next;
		if (!c->web) /* its way is within this machine */
			conn_close(c, E_CANCELLED, "interface");
	}
}

void peers_on_network(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);

	s->away = !MSG_AS(PEERS_NETWORK, *m)->there;
	close_all(s);
	for (uint32_t i = 0; !s->away && !actor_stopping(a) && i < s->torrents.n; i++)
		if (ptorrent_at(s, i) != NULL)
			ptorrent_dial(ptorrent_at(s, i));
}
