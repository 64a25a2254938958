/* SPDX-License-Identifier: MIT */
/*
 * Our side of the handshake (BEP 3): its bytes, bare or as the first payload of an encrypted one.
 */
#include "actors/peers/priv.h"

void hello_encode(const struct conn *c, uint8_t out[WIRE_HANDSHAKE])
{
	uint8_t reserved[8];

	CHECK_OBJ(c, CONN_MAGIC);
	memcpy(reserved, c->shard->reserved, sizeof reserved);
	conn_mark_dht(c, reserved);
	wire_handshake_encode(out, reserved, c->torrent->meta->infohash.v1, c->shard->peer_id);
}

void hello_say(struct conn *c)
{
	struct wr w;

	CHECK_OBJ(c, CONN_MAGIC);
	w = outbuf_begin(&c->first, WIRE_HANDSHAKE);
	hello_encode(c, wr_room(&w, WIRE_HANDSHAKE));
	outbuf_commit(&c->first, &w);
}
