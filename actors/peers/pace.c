/* SPDX-License-Identifier: MIT */
/*
 * How much is asked for under a limit on what comes in.
 *
 * A reader that waits leaves its bytes in the kernel, which slows the sender.  But what was asked
 * for a long time before it may be read delays everything, so no more is asked for than AHEAD
 * seconds bring, and one block so that the line does not idle between two.  Who finds no room
 * queues up and is called in turn, so that a small limit does not go to whoever was there first.
 *
 * Invariant: limiter->asked is the sum over the connections that are subject to it.
 */
#include "actors/peers/priv.h"

#define AHEAD 2

static unsigned room_in(const struct limiter *l)
{
	uint64_t most = 1 + (AHEAD * l->bucket.rate + BLOCK_SIZE - 1) / BLOCK_SIZE;

	return most > l->asked ? (unsigned)MIN(most - l->asked, (uint64_t)UINT32_MAX) : 0;
}

/* The next who waits for room gets its turn. */
void pace_call_next(struct limiter *l)
{
	struct conn *c;

	if (link_empty(&l->asking) || room_in(l) <= l->called)
		return;
	c = container_of(l->asking.next, struct conn, limit.asking);
	link_remove(&c->limit.asking);
	c->limit.ask_turn = l;
	l->called++;
	conn_post(c);
}

static void end_turn(struct conn *c)
{
	if (c->limit.ask_turn != NULL)
		c->limit.ask_turn->called--;
	c->limit.ask_turn = NULL;
}

unsigned pace_room(struct conn *c)
{
	struct limit_subject u = limit_subject(c, LIMIT_IN);
	unsigned room = UINT32_MAX;

	CHECK_OBJ(c, CONN_MAGIC);
	if (link_linked(&c->limit.asking))
		return 0;
	for (unsigned i = 0; i < u.n; i++) {
		struct limiter *l = u.to[i];
		bool others = !link_empty(&l->asking) || l->called > 0;

		if (room_in(l) == 0 || (others && c->limit.ask_turn == NULL)) {
			link_append(&l->asking, &c->limit.asking);
			return 0;
		}
		/* While others wait one block makes a turn. */
		room = others ? 1 : MIN(room, room_in(l));
	}
	return room;
}

void pace_asked(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	unsigned n = c->peer != NULL ? swarm_asked(c->peer) : 0;
	bool call = c->limit.ask_turn != NULL || n < c->limit.asked;
	struct limit_subject u;

	if (n == c->limit.asked && !call)
		return;
	end_turn(c);
	u = limit_subject(c, LIMIT_IN);
	for (unsigned i = 0; i < u.n; i++) {
		u.to[i]->asked += n - c->limit.asked;
		if (call)
			pace_call_next(u.to[i]);
	}
	c->limit.asked = n;
}

void pace_tick(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next)
		pace_asked(container_of(l, struct conn, in_torrent));
}

void pace_forget(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct limit_subject in = limit_subject(c, LIMIT_IN);
	bool call = c->limit.ask_turn != NULL || c->limit.asked > 0;

	end_turn(c);
	link_remove(&c->limit.asking);
	for (unsigned i = 0; i < in.n; i++) {
		in.to[i]->asked -= c->limit.asked;
		if (call)
			pace_call_next(in.to[i]);
	}
	c->limit.asked = 0;
}
