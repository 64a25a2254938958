/* SPDX-License-Identifier: MIT */
/*
 * Dialling, and asking for more addresses.
 *
 * Torrents that want to dial and for which there is no room (room.c) queue up, and are woken one by
 * one as places become free.
 */
#include "actors/peers/priv.h"

#define FEW_PEERS     10u
#define DIALS_A_TURN  16u
#define FORGET_A_TURN 1024u

static unsigned half_open_max(const struct shard *s)
{
	return MAX((unsigned)s->config->peers_half_open / s->shards, 1u);
}

static bool may_dial(const struct peer_torrent *t)
{
	const struct shard *s = t->shard;

	return t->active && !s->away && via_is_open(s) && !room_torrent_is_full(t) &&
	       !room_shard_is_full(s) && s->half_open < half_open_max(s);
}

/* --- dialling --- */

static void dial_next(struct shard *s)
{
	struct peer_torrent *t;

	if (link_empty(&s->dial_queue) || s->away || !via_is_open(s) || room_shard_is_full(s) ||
		s->half_open >= half_open_max(s))
		return;
	t = container_of(s->dial_queue.next, struct peer_torrent, in_dial_queue);
	link_remove(&t->in_dial_queue);
	loop_task_post(s->loop, &t->dial);
}

void dial_on_task(struct loop_task *task)
{
	struct shard *s = container_of(task, struct shard, dial_task);

	CHECK_OBJ(s, SHARD_MAGIC);
	dial_next(s);
}

void ptorrent_on_dial(struct loop_task *task)
{
	struct peer_torrent *t = container_of(task, struct peer_torrent, dial);

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	ptorrent_dial(t);
	dial_next(t->shard);
}

/* Whom the limits of the shard keep from dialling is woken when there is room, one by one. */
static void queue_up(struct peer_torrent *t, int64_t now)
{
	struct shard *s = t->shard;
	struct endpoint next;

	if (!t->active || room_torrent_is_full(t) || may_dial(t) || link_linked(&t->in_dial_queue))
		return;
	if (peerlist_next(swarm_candidates(t->swarm), now, &next))
		link_append(&s->dial_queue, &t->in_dial_queue);
}

/* The best address, less those that are blocked, of which a turn forgets so many. */
static bool next_address(struct peer_torrent *t, int64_t now, struct endpoint *at)
{
	struct peerlist *list = swarm_candidates(t->swarm);

	for (unsigned i = 0; i < FORGET_A_TURN && peerlist_next(list, now, at); i++) {
		if (!blocklist_refuses(t->shard->blocked, at))
			return true;
		peerlist_forget(list, at);
	}
	return false;
}

void ptorrent_dial(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct peerlist *list = swarm_candidates(t->swarm);
	int64_t now = loop_now(t->shard->loop);
	struct endpoint at;

	for (unsigned i = 0; i < DIALS_A_TURN && may_dial(t); i++) {
		if (!next_address(t, now, &at))
			break;
		peerlist_dialing(list, &at);
		switch (conn_dial(t, &at)) {
		case E_OK:
			break;
		case E_CANCELLED:
			peerlist_released(list, &at);
			break;
		default:
			peerlist_failed(list, &at, now);
		}
	}
	queue_up(t, now);
	ptorrent_wake(t);
}

static void say_wanted(const struct peer_torrent *t, uint16_t to)
{
	struct m_peers_wanted *m = msg_new(t->shard->actor, MSG_PEERS_WANTED);

	m->t = t->ref;
	memcpy(m->infohash, t->meta->infohash.v1, sizeof m->infohash);
	msg_send(t->shard->actor, to, m);
}

void ptorrent_ask_for_peers(struct peer_torrent *t, int64_t now)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	if (swarm_peers(t->swarm) >= FEW_PEERS)
		t->wanted_n = 0;
	if (!t->active || swarm_done(t->swarm) || t->conns_n >= FEW_PEERS)
		return;
	if (peerlist_candidates(swarm_candidates(t->swarm)) > 0 || now < ptorrent_wish_at(t))
		return;
	t->wanted_at = now;
	t->wanted_n++;
	say_wanted(t, ADDR_TRACKER);
	if (t->shard->has_dht && (t->forbidden & 1u << PEER_DHT) == 0)
		say_wanted(t, ADDR_DHT);
}
