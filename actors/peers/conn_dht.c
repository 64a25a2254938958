/* SPDX-License-Identifier: MIT */
/*
 * What peers tell each other of the DHT (BEP 5): a bit of the handshake, and the PORT of their
 * nodes.
 *
 * Of a torrent that may not be known there nothing is said, and what its peers say is not heard:
 * even that they have nodes at all is no business of others.
 */
#include "actors/peers/priv.h"

#define HEARD_MAX 5u /* nodes a second that are passed on */

static bool may_speak(const struct conn *c)
{
	return c->shard->has_dht && (c->torrent->forbidden & 1u << PEER_DHT) == 0;
}

void conn_mark_dht(const struct conn *c, uint8_t reserved[8])
{
	CHECK_OBJ(c, CONN_MAGIC);
	if (may_speak(c))
		wire_reserved_set(reserved, WIRE_DHT);
}

void conn_say_dht(struct conn *c)
{
	struct wr w;

	CHECK_OBJ(c, CONN_MAGIC);
	if (!may_speak(c))
		return;
	w = outbuf_begin(swarm_out(c->peer), 7);
	wire_put_port(&w, c->shard->dht_port);
	outbuf_commit(swarm_out(c->peer), &w);
}

void conn_heard_dht(struct conn *c, uint32_t port)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct shard *s = c->shard;
	int64_t now = loop_now(s->loop);
	struct m_dht_node *m;

	if (port == 0 || port > UINT16_MAX || !may_speak(c))
		return;
	if (now - s->heard_at >= USEC_PER_SEC) {
		s->heard_at = now;
		s->heard_n = 0;
	}
	if (s->heard_n++ >= HEARD_MAX)
		return;
	m = msg_new(s->actor, MSG_DHT_NODE);
	m->at = c->at;
	m->at.port = (uint16_t)port;
	msg_send(s->actor, ADDR_DHT, m);
}
