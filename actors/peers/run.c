/* SPDX-License-Identifier: MIT */
/*
 * A connection runs: it has work and permission.
 *
 * What it reads, says and asks for is done by others, who return why it has to end, if it has to;
 * here alone is a connection closed for what its peer or its socket did.
 */
#include "actors/peers/priv.h"

static void ask(struct conn *c)
{
	struct shard *s = c->shard;
	unsigned room, n = 0;

	do {
		room = swarm_wants_requests(c->peer) ? MIN(pace_room(c), s->credit) : 0;
		n = room > 0 ? swarm_request(c->peer, room, loop_now(s->loop)) : 0;
		s->credit -= n;
		pace_asked(c);
	} while (n > 0 && n == room);
	if (s->credit == 0 && swarm_wants_requests(c->peer) && !link_linked(&c->hungry))
		link_append(&s->hungry, &c->hungry);
}

/* Reads what there is and what may be read.  false: it ends. */
static bool receive(struct conn *c)
{
	if (c->handed) {
		c->handed = false;
		if (!conn_hello(c))
			return false;
	}
	while (c->readable) {
		switch (conn_rx(c)) {
		case RX_DONE:
			return true;
		case RX_HELLO:
			if (!conn_hello(c))
				return false;
			break;
		case RX_END:
			return false;
		}
	}
	return true;
}

/* What the peer may have and what is wanted of it. */
static void converse(struct conn *c)
{
	/* Who is choked now gets none of what was queued for it, but is told so (BEP 6). */
	if (swarm_chokes(c->peer) && !c->choking)
		conn_drop_blocks(c, false);
	c->choking = swarm_chokes(c->peer);
	ask(c);
	conn_fill(c);
}

void conn_run(struct loop_task *task)
{
	struct conn *c = container_of(task, struct conn, task);
	bool goes_on;

	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state == CONN_CLOSED || c->state == CONN_CONNECTING)
		return;
	goes_on = receive(c);
	if (goes_on && c->state == CONN_OPEN)
		converse(c);
	if (!goes_on || !conn_tx(c)) {
		conn_close(c, c->end.err, c->end.what);
		return;
	}
	limit_settle(c);
	rest_settle(c);
	if (!c->send_blocked || conn_is_send_blocked(c))
		return;
	c->send_blocked = false;
	conn_post(c);
}
