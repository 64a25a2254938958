/* SPDX-License-Identifier: MIT */
/* Messages about one block, interest, extension messages: laid into ->out, in one place each. */
#include "proto/swarm/priv.h"

void swarm_put_request(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct wr w = outbuf_begin(&p->out, 17);

	wire_put_request(&w, r->piece, r->begin, r->length);
	outbuf_commit(&p->out, &w);
}

void swarm_put_cancel(struct swarm_peer *p, const struct block_req *r)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	struct wr w = outbuf_begin(&p->out, 17);

	wire_put_cancel(&w, r->piece, r->begin, r->length);
	outbuf_commit(&p->out, &w);
}

void swarm_put_reject(struct swarm_peer *p, const struct block_req *r)
{
	struct wr w;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (!p->caps.fast)
		return;
	w = outbuf_begin(&p->out, 17);
	wire_put_reject(&w, r->piece, r->begin, r->length);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

void swarm_update_interest(struct swarm_peer *p)
{
	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	bool want = p->interesting > 0 && !p->swarm->no_download;

	if (want == p->am_interested)
		return;
	p->am_interested = want;
	struct wr w = outbuf_begin(&p->out, 5);

	if (want)
		wire_put_interested(&w);
	else
		wire_put_not_interested(&w);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
}

bool swarm_put_extended(struct swarm_peer *p, enum ext_name name, const uint8_t *payload, size_t n)
{
	struct wr w;

	CHECK_OBJ(p, SWARM_PEER_MAGIC);
	if (p->ext_ids[name] == 0)
		return false;
	w = outbuf_begin(&p->out, n + 6);
	wire_put_extended(&w, p->ext_ids[name], payload, n);
	outbuf_commit(&p->out, &w);
	p->swarm->ops->wake(p->conn);
	return true;
}
