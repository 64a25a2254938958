/* SPDX-License-Identifier: MIT */
/*
 * What keeps a torrent going: its timer, and what is told of it meanwhile.
 *
 * A torrent without connections and without anybody to dial has no timer: idle torrents cost memory
 * only.  Whoever changes what there is to do calls ptorrent_wake().
 */
#include "actors/peers/priv.h"

#include "proto/meta/wanted.h"

#define TICK USEC_PER_SEC

int64_t ptorrent_wish_at(const struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	return t->wanted_at + (PEERS_WANTED_EVERY << MIN(t->wanted_n, PEERS_WANTED_DOUBLE));
}

static bool moved(const struct peer_torrent *t)
{
	struct swarm_totals n;

	swarm_totals(t->swarm, &n);
	return t->told_down != n.downloaded || t->told_up != n.uploaded ||
	       t->told_wasted != n.wasted || t->told_left != swarm_left(t->swarm);
}

static uint16_t most16(unsigned n)
{
	return (uint16_t)MIN(n, (unsigned)UINT16_MAX);
}

static void count_peers(struct swarm_counts *n, const struct peer_torrent *t)
{
	unsigned peers = 0, seeds = 0, useful = 0, senders = 0;

	for (struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		const struct conn *c = container_of(l, struct conn, in_torrent);
		struct swarm_look look;

		if (c->peer == NULL)
			continue;
		swarm_look(c->peer, &look);
		peers += !c->web;
		seeds += !c->web && swarm_is_seed(c->peer);
		useful += look.interesting > 0;
		senders += look.interesting > 0 && !look.peer_choking;
	}
	n->peers = most16(peers);
	n->seeds = most16(seeds);
	n->useful = most16(useful);
	n->senders = most16(senders);
}

/* Without connections nothing can come or go, and nothing ticks that would make the meters see it.
 */
static struct swarm_counts count_now(struct peer_torrent *t)
{
	struct swarm_counts n = {.known = most16(peerlist_count(swarm_candidates(t->swarm)))};
	uint64_t down, up;

	if (t->conns_n == 0)
		return n;
	swarm_rates(t->swarm, loop_now(t->shard->loop), &down, &up);
	n.down_rate = (uint32_t)MIN(down, UINT32_MAX);
	n.up_rate = (uint32_t)MIN(up, UINT32_MAX);
	count_peers(&n, t);
	return n;
}

/* How many are known is news when it is the first or the last. */
static bool differ(const struct swarm_counts *a, const struct swarm_counts *b)
{
	return a->down_rate != b->down_rate || a->up_rate != b->up_rate || a->peers != b->peers ||
	       a->seeds != b->seeds || a->useful != b->useful || a->senders != b->senders ||
	       (a->known > 0) != (b->known > 0);
}

static void send_totals(const struct peer_torrent *t, uint16_t to)
{
	const struct swarm *w = t->swarm;
	struct m_totals *m = msg_new(t->shard->actor, MSG_PEERS_TOTALS);
	struct swarm_totals n;

	m->t = t->ref;
	swarm_totals(w, &n);
	m->downloaded = n.downloaded;
	m->uploaded = n.uploaded;
	m->wasted = n.wasted;
	m->left = swarm_left(w);
	m->lacks = t->meta->bare ? swarm_left(w) : wanted_left(t->meta, NULL, swarm_have(w));
	m->now = t->told_now;
	msg_send(t->shard->actor, to, m);
}

/* Trackers hear of bytes alone. */
void ptorrent_report_totals(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct swarm_counts now = count_now(t);
	bool bytes = moved(t);
	struct swarm_totals n;

	if (!bytes && !differ(&now, &t->told_now))
		return;
	t->told_now = now;
	swarm_totals(t->swarm, &n);
	t->told_down = n.downloaded;
	t->told_up = n.uploaded;
	t->told_wasted = n.wasted;
	t->told_left = swarm_left(t->swarm);
	t->told_at = loop_now(t->shard->loop);
	send_totals(t, ADDR_SESSION);
	if (bytes)
		send_totals(t, ADDR_TRACKER);
}

void ptorrent_wake(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	int64_t now = loop_now(t->shard->loop), at;

	if (loop_timer_is_set(&t->tick) && t->tick.at <= now + TICK)
		return;
	if (t->conns_n > 0) {
		loop_timer_set(t->shard->loop, &t->tick, now + TICK);
		return;
	}
	ptorrent_report_totals(t);
	if (!t->active || link_linked(&t->in_dial_queue))
		return;
	at = peerlist_deadline(swarm_candidates(t->swarm), now);
	if (at != INT64_MAX)
		loop_timer_set(t->shard->loop, &t->tick, MAX(at, now + TICK / 10));
	else if (!swarm_done(t->swarm))
		loop_timer_set(t->shard->loop, &t->tick, MAX(ptorrent_wish_at(t), now + TICK / 10));
}
