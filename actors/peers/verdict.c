/* SPDX-License-Identifier: MIT */
/*
 * The data plane, inward: buffers that come back from the workers, and what they say of pieces.
 *
 * Whoever sent a bad piece is banned and goes, and so does what it gave that is not judged yet.
 */
#include "actors/peers/priv.h"

static void tell_banned(struct peer_torrent *t, const struct endpoint *at)
{
	struct m_webseed_banned *m = msg_new(t->shard->actor, MSG_WEBSEED_BANNED);

	m->t = t->ref;
	m->at = *at;
	msg_send(t->shard->actor, ADDR_WEBSEED, m);
}

/* Out with them, and with what they gave that is not judged yet. */
static void close_guilty(struct peer_torrent *t, struct swarm_peer **bad, unsigned n)
{
	uint32_t pieces[256];

	for (unsigned i = 0; i < n; i++) {
		struct conn *c = bad[i]->conn;
		unsigned tainted = swarm_taint(bad[i], pieces, ARRAY_LEN(pieces));

		for (unsigned k = 0; k < tainted; k++)
			blocks_drop_piece(t, pieces[k], false);
		peerlist_ban(t->swarm->candidates, &c->at);
		if (c->web)
			tell_banned(t, &c->at);
		conn_close(c, E_BADHASH, "bad_piece");
	}
}

static void piece_bad(struct peer_torrent *t, uint32_t piece)
{
	struct swarm_peer *bad[16];
	unsigned n = swarm_piece_bad(t->swarm, piece, bad, ARRAY_LEN(bad));

	log_event(LOG_WARNING, "piece_bad", "ih=%s piece=%u banned=%u", ptorrent_name(t).text,
		piece, n);
	close_guilty(t, bad, n);
}

static void piece_ok(struct peer_torrent *t, uint32_t piece)
{
	struct swarm_peer *bad[16];

	swarm_piece_ok(t->swarm, piece, loop_now(t->shard->loop));
	close_guilty(t, bad, swarm_guilty(t->swarm, bad, ARRAY_LEN(bad)));
	ptorrent_check_done(t);
}

static void verdict(struct shard *s, const struct block_item *b)
{
	struct peer_torrent *t = ptorrent_by_ref(s, b->t);

	if (t == NULL)
		return;
	switch (b->kind) {
	case BLOCK_PIECE_OK:
		piece_ok(t, b->piece);
		break;
	case BLOCK_DIGEST:
		swarm_block_digest(t->swarm, b->piece, b->begin, b->digest);
		break;
	case BLOCK_PIECE_BAD:
		piece_bad(t, b->piece);
		break;
	default:
		/* The session hears of it from the store, and says what is to happen. */
		swarm_piece_failed(t->swarm, b->piece);
		t->swarm->no_download = true;
		break;
	}
}

void peers_on_blocks_done(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_blocks *b = MSG_AS(BLOCKS_DONE, *m);
	unsigned back = 0;

	for (unsigned i = 0; i < b->n; i++) {
		if (b->items[i].kind == BLOCK_BACK) {
			pool_put(s->blocks, b->items[i].data);
			back++;
		} else {
			verdict(s, &b->items[i]);
		}
	}
	if (back > 0)
		shard_credit_back(s, back);
}
