/* SPDX-License-Identifier: MIT */
/*
 * Dialling, and asking for more addresses.
 *
 * Torrents that want to dial and for which there is no room (room.c) queue up, and are woken one by
 * one as places become free.
 */
#include "actors/peers/priv.h"

#define FEW_PEERS    10u
#define DIALS_A_TURN 16u

static unsigned half_open_max(const struct shard *s)
{
	return MAX((unsigned)s->config->peers_half_open / s->shards, 1u);
}

static bool may_dial(const struct ptorrent *t)
{
	const struct shard *s = t->shard;

	return t->active && !room_torrent_is_full(t) && !room_shard_is_full(s) &&
	       s->half_open < half_open_max(s);
}

/* --- dialling --- */

static void dial_next(struct shard *s)
{
	struct ptorrent *t;

	if (link_empty(&s->line) || room_shard_is_full(s) || s->half_open >= half_open_max(s))
		return;
	t = container_of(s->line.next, struct ptorrent, in_line);
	link_remove(&t->in_line);
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
	struct ptorrent *t = container_of(task, struct ptorrent, dial);

	CHECK_OBJ(t, PTORRENT_MAGIC);
	ptorrent_dial(t);
	dial_next(t->shard);
}

/* Whom the limits of the shard keep from dialling is woken when there is room, one by one. */
static void stand_in_line(struct ptorrent *t, int64_t now)
{
	struct shard *s = t->shard;
	struct endpoint next;

	if (!t->active || room_torrent_is_full(t) || may_dial(t) || link_linked(&t->in_line))
		return;
	if (peerlist_next(t->swarm->candidates, now, &next))
		link_append(&s->line, &t->in_line);
}

void ptorrent_dial(struct ptorrent *t)
{
	struct peerlist *list = t->swarm->candidates;
	int64_t now = loop_now(t->shard->loop);
	struct endpoint at;

	for (unsigned i = 0; i < DIALS_A_TURN && may_dial(t); i++) {
		if (!peerlist_next(list, now, &at))
			break;
		peerlist_dialing(list, &at);
		if (conn_dial(t, &at) != E_OK)
			peerlist_failed(list, &at, now);
	}
	stand_in_line(t, now);
	ptorrent_wake(t);
}

void ptorrent_ask_for_peers(struct ptorrent *t, int64_t now)
{
	struct m_torrent *m;

	if (t->swarm->peers_n >= FEW_PEERS)
		t->wanted_n = 0;
	if (!t->active || swarm_done(t->swarm) || t->conns_n >= FEW_PEERS)
		return;
	if (peerlist_candidates(t->swarm->candidates) > 0 || now < ptorrent_wish_at(t))
		return;
	t->wanted_at = now;
	t->wanted_n++;
	m = msg_new(t->shard->actor, MSG_PEERS_WANTED);
	m->t = t->t;
	msg_send(t->shard->actor, ADDR_TRACKER, m);
}
