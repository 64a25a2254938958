/* SPDX-License-Identifier: MIT */
/* The end of connections whose other side is known to have lied. */
#include "actors/peers/priv.h"

static void tell_banned(struct peer_torrent *t, const struct endpoint *at)
{
	struct m_webseed_banned *m = msg_new(t->shard->actor, MSG_WEBSEED_BANNED);

	m->t = t->ref;
	m->at = *at;
	msg_send(t->shard->actor, ADDR_WEBSEED, m);
}

/* Out with them, and with what they gave that is not judged yet. */
void ptorrent_close_bad(struct peer_torrent *t, struct swarm_peer **bad, unsigned n)
{
	uint32_t pieces[256];

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	for (unsigned i = 0; i < n; i++) {
		struct conn *c = swarm_conn(bad[i]);
		unsigned tainted = swarm_taint(bad[i], pieces, ARRAY_LEN(pieces));

		for (unsigned k = 0; k < tainted; k++)
			blocks_drop_piece(t, pieces[k], false);
		peerlist_ban(swarm_candidates(t->swarm), &c->at);
		if (c->web)
			tell_banned(t, &c->at);
		conn_close(c, E_BADHASH, "bad_piece");
	}
}

void ptorrent_close_guilty(struct peer_torrent *t)
{
	struct swarm_peer *bad[16];

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	ptorrent_close_bad(t, bad, swarm_guilty(t->swarm, bad, ARRAY_LEN(bad)));
}

void ptorrent_close_unfit(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct link *l = t->conns.next, *next;

	for (; l != &t->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		next = l->next;
		if (c->peer != NULL && swarm_peer_unfit(c->peer))
			conn_close(c, E_PROTOCOL, "pieces");
	}
}
