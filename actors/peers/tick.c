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

void ptorrent_report_totals(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct swarm *w = t->swarm;
	uint16_t to[] = {ADDR_SESSION, ADDR_TRACKER};

	if (t->told_down == w->downloaded && t->told_up == w->uploaded &&
		t->told_wasted == w->wasted && t->told_left == swarm_left(w))
		return;
	t->told_down = w->downloaded;
	t->told_up = w->uploaded;
	t->told_wasted = w->wasted;
	t->told_left = swarm_left(w);
	t->told_at = loop_now(t->shard->loop);
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct m_totals *m = msg_new(t->shard->actor, MSG_PEERS_TOTALS);

		m->t = t->ref;
		m->downloaded = w->downloaded;
		m->uploaded = w->uploaded;
		m->wasted = w->wasted;
		m->left = swarm_left(w);
		m->lacks =
			t->meta->bare ? swarm_left(w) : wanted_left(t->meta, NULL, swarm_have(w));
		msg_send(t->shard->actor, to[i], m);
	}
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
	at = peerlist_deadline(t->swarm->candidates, now);
	if (at != INT64_MAX)
		loop_timer_set(t->shard->loop, &t->tick, MAX(at, now + TICK / 10));
	else if (!swarm_done(t->swarm))
		loop_timer_set(t->shard->loop, &t->tick, MAX(ptorrent_wish_at(t), now + TICK / 10));
}
