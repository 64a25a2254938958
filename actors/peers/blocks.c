/* SPDX-License-Identifier: MIT */
/*
 * The data plane, outward: blocks to the workers.
 *
 * Items are collected per worker and leave once a turn or when a batch is full, so that one message
 * and one wake-up carry many blocks.
 */
#include "actors/peers/priv.h"

static void flush(struct shard *s, unsigned worker)
{
	if (s->write[worker] != NULL)
		msg_send(s->actor, ADDR(ROLE_WORKER, worker), s->write[worker]);
}

void blocks_flush(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < s->workers; i++)
		flush(s, i);
}

void blocks_put(struct shard *s, struct tref t, uint32_t piece, uint32_t begin, uint32_t length,
	enum block_kind kind, uint8_t *data)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	unsigned worker = tref_worker(t, piece, s->workers);
	struct m_blocks *b = s->write[worker];

	if (b == NULL)
		b = s->write[worker] = msg_new(s->actor, MSG_BLOCKS_WRITE);
	b->items[b->n++] = (struct block_item){.t = t,
		.piece = piece,
		.begin = begin,
		.length = length,
		.kind = kind,
		.data = data};
	if (b->n == BLOCKS_BATCH)
		flush(s, worker);
}

void blocks_drop_piece(struct peer_torrent *t, uint32_t piece, bool keep)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	blocks_put(t->shard, t->ref, piece, 0, keep, BLOCK_DROP, NULL);
}
