/* SPDX-License-Identifier: MIT */
/*
 * A piece that is there no more (BEP 54).
 *
 * What a peer takes back is not asked of it any longer, and what it was asked for is free for
 * others.  A seed that does so counts piece by piece from then on, which is O(pieces): so often as
 * nobody does who means well it ends the connection.
 *
 * We say it of a piece that we had to refuse although we have told of it; when files are gone for
 * good all connections end, and those that come next hear of what is left.
 */
#include "proto/swarm/priv.h"

#define UNSEEDED_MOST 16u

static void void_piece(struct swarm_peer *p, uint32_t piece)
{
	unsigned n = 0;

	for (uint32_t i = p->asked.n; i-- > 0;) {
		struct block_req r = *req_at(&p->asked, i);

		if (r.piece == piece && swarm_void_one(p, &r))
			n++;
	}
	if (n == 0)
		return;
	swarm_late_excuse(p, n); /* it may have sent them before it said so */
	swarm_wake_idle(p->swarm, n, piece);
}

enum err swarm_on_donthave(struct swarm_peer *p, struct slice payload, int64_t now)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct rd rd = rd_of(payload.p, payload.n);
	uint32_t piece = rd_u32(&rd);

	(void)now;
	if (!p->greeted || piece >= p->has.bits || !bitfield_get(&p->has, piece))
		return E_OK;
	if (p->seed && ++p->unseeded > UNSEEDED_MOST)
		return E_PROTOCOL;
	picker_lost(p->swarm->picker, &p->has, piece);
	bitfield_clear(&p->has, piece);
	p->seed = false;
	if (picker_wants(p->swarm->picker, piece) && p->interesting > 0)
		p->interesting--;
	void_piece(p, piece);
	swarm_update_interest(p);
	return E_OK;
}

void swarm_say_donthave(struct swarm_peer *p, uint32_t piece)
{
	uint8_t bytes[4];
	struct wr w = wr_of(bytes, sizeof bytes);

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->took_back_any && p->took_back == piece)
		return;
	wr_u32(&w, piece);
	if (!swarm_put_extended(p, EXT_DONTHAVE, bytes, sizeof bytes))
		return;
	p->took_back = piece;
	p->took_back_any = true;
}
