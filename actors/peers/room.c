/* SPDX-License-Identifier: MIT */
/*
 * Who may be connected: room, turnover, limits that were lowered.
 *
 * All limits are a shard's equal part of the daemon's.
 */
#include "actors/peers/crowd.h"
#include "actors/peers/priv.h"

/* --- room --- */

unsigned shard_conns_max(const struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	return MAX((unsigned)s->config->peers_max / s->shards, 1u);
}

bool room_shard_is_full(const struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	return s->conns_n - s->pending_n >= shard_conns_max(s);
}

bool room_torrent_is_full(const struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	return t->conns_n >= (unsigned)t->shard->config->peers_max_per_torrent;
}

/* The one least missed goes, if there is one and nobody went only just now. */
static bool drop_worst(struct peer_torrent *t)
{
	struct swarm_peer *worst = swarm_turnover(t->swarm, loop_now(t->shard->loop));

	if (worst == NULL)
		return false;
	conn_close(swarm_conn(worst), E_OVERLOAD, "turnover");
	return true;
}

/* --- too many from one address --- */

/* Connections that share places, and what crowd_find() is to know of them. */
struct places {
	struct conn **conn;  /* owned */
	struct endpoint *at; /* owned */
	bool *crowd;         /* owned */
	unsigned n;
};

static void places_init(struct places *p, unsigned room)
{
	p->conn = xcalloc(room + 1, sizeof(struct conn *));
	p->at = xcalloc(room + 1, sizeof *p->at);
	p->crowd = xcalloc(room + 1, sizeof *p->crowd);
	p->n = 0;
}

static void places_add(struct places *p, struct conn *c)
{
	p->conn[p->n] = c;
	p->at[p->n++] = c->at;
}

static void places_fini(struct places *p)
{
	xfree(p->conn);
	xfree(p->at);
	xfree(p->crowd);
}

/* Whether a is less missed than b: not yet open, then by what it moved, then by its age. */
static bool is_less(const struct conn *a, const struct conn *b)
{
	struct swarm_look x, y;

	if (a->peer == NULL || b->peer == NULL)
		return a->peer == NULL && b->peer != NULL;
	swarm_look(a->peer, &x);
	swarm_look(b->peer, &y);
	if (x.downloaded + x.uploaded != y.downloaded + y.uploaded)
		return x.downloaded + x.uploaded < y.downloaded + y.uploaded;
	return x.connected_at > y.connected_at;
}

/* Of the address that has most places the connection least missed goes. */
static bool thin_out(struct places *p, const struct endpoint *newcomer)
{
	struct conn *least = NULL;

	if (crowd_find(p->at, p->n, newcomer, p->crowd))
		for (unsigned i = 0; i < p->n; i++)
			if (p->crowd[i] && (least == NULL || is_less(p->conn[i], least)))
				least = p->conn[i];
	places_fini(p);
	if (least == NULL)
		return false;
	conn_close(least, E_OVERLOAD, "crowd");
	return true;
}

static bool thin_out_torrent(struct peer_torrent *t, const struct endpoint *newcomer)
{
	struct places p;

	places_init(&p, t->conns_n);
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next)
		places_add(&p, container_of(l, struct conn, in_torrent));
	return thin_out(&p, newcomer);
}

static bool thin_out_shard(struct shard *s, const struct endpoint *newcomer)
{
	struct places p;

	places_init(&p, s->conns_n);
	for (struct link *l = s->conns.next; l != &s->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_shard);

		if (c->torrent != NULL)
			places_add(&p, c);
	}
	return thin_out(&p, newcomer);
}

bool ptorrent_make_room(struct peer_torrent *t, const struct endpoint *newcomer)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	if (!room_torrent_is_full(t) && !room_shard_is_full(t->shard))
		return true;
	if (drop_worst(t))
		return true;
	return room_torrent_is_full(t) ? thin_out_torrent(t, newcomer)
				       : thin_out_shard(t->shard, newcomer);
}

/* One address gets an eighth of the places of those who have not said what they want. */
bool room_for_pending(struct shard *s, const struct endpoint *newcomer)
{
	unsigned max = PEERS_STRANGERS(shard_conns_max(s)), same = 0;
	struct places p;

	CHECK_OBJ(s, SHARD_MAGIC);
	places_init(&p, s->pending_n);
	for (struct link *l = s->pending.next; l != &s->pending; l = l->next) {
		struct conn *c = container_of(l, struct conn, pending);

		places_add(&p, c);
		same += crowd_same_host(&c->at, newcomer);
	}
	if (same >= MAX(max / 8, 4u) || s->pending_n < max) {
		places_fini(&p);
		return same < MAX(max / 8, 4u);
	}
	return thin_out(&p, newcomer);
}

bool ptorrent_turn_over(struct peer_torrent *t, int64_t now)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct shard *s = t->shard;
	bool others = room_shard_is_full(s) && !link_empty(&s->dial_queue) &&
		      s->dial_queue.next != &t->in_dial_queue;
	struct endpoint next;

	if (!others && (!t->active || (!room_torrent_is_full(t) && !room_shard_is_full(s)) ||
			       !peerlist_next(swarm_candidates(t->swarm), now, &next)))
		return false;
	return drop_worst(t) && others;
}

/* --- limits that were lowered --- */

static struct conn *least_missed(struct peer_torrent *t)
{
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		if (c->peer == NULL)
			return c;
	}
	return swarm_conn(swarm_least(t->swarm, loop_now(t->shard->loop)));
}

void ptorrent_keep_limit(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	while (t->conns_n > (unsigned)t->shard->config->peers_max_per_torrent)
		conn_close(least_missed(t), E_OVERLOAD, "lowered");
}

/* The torrent with the most connections gives one up each time. */
void shard_keep_limit(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	while (s->conns_n - s->pending_n > shard_conns_max(s)) {
		struct peer_torrent *most = NULL;

		for (uint32_t i = 0; i < s->torrents.n; i++) {
			struct peer_torrent *t = ptorrent_at(s, i);

			if (t != NULL && (most == NULL || t->conns_n > most->conns_n))
				most = t;
		}
		conn_close(least_missed(most), E_OVERLOAD, "lowered");
	}
}
