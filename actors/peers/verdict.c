/* SPDX-License-Identifier: MIT */
/*
 * The data plane, inward: buffers that come back from the workers, and what they say of pieces.
 *
 * Whoever sent a bad piece is banned and goes, and so does what it gave that is not judged yet.
 */
#include "actors/peers/priv.h"

static void piece_bad(struct peer_torrent *t, uint32_t piece)
{
	struct swarm_peer *bad[16];
	unsigned n = swarm_piece_bad(t->swarm, piece, bad, ARRAY_LEN(bad));

	log_event(LOG_WARNING, "piece_bad", "ih=%s piece=%u banned=%u", ptorrent_name(t).text,
		piece, n);
	ptorrent_close_bad(t, bad, n);
}

static void piece_ok(struct peer_torrent *t, uint32_t piece)
{
	swarm_piece_ok(t->swarm, piece, loop_now(t->shard->loop));
	ptorrent_close_guilty(t);
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
		(void)swarm_stop_download(t->swarm, true);
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
