/* SPDX-License-Identifier: MIT */
/*
 * Who may be connected: room, turnover, dialling, and asking for more addresses.
 *
 * All limits are a shard's equal part of the daemon's.  Torrents that want to dial and may not
 * stand in a line, and are woken one by one as places become free.
 */
#include "actors/peers/crowd.h"
#include "actors/peers/priv.h"

#define FEW_PEERS    10u
#define DIALS_A_TURN 16u

/* --- room --- */

unsigned shard_conns_max(const struct shard *s)
{
	return MAX((unsigned)s->config->peers_max / s->shards, 1u);
}

static unsigned half_open_max(const struct shard *s)
{
	return MAX((unsigned)s->config->peers_half_open / s->shards, 1u);
}

static bool shard_is_full(const struct shard *s)
{
	return s->conns_n - s->strangers >= shard_conns_max(s);
}

static bool torrent_is_full(const struct ptorrent *t)
{
	return t->conns_n >= (unsigned)t->shard->config->peers_max_per_torrent;
}

static bool may_dial(const struct ptorrent *t)
{
	const struct shard *s = t->shard;

	return t->active && !torrent_is_full(t) && !shard_is_full(s) &&
	       s->half_open < half_open_max(s);
}

/* The one least missed goes, if there is one and nobody went only just now. */
static bool drop_worst(struct ptorrent *t)
{
	struct swarm_peer *worst = swarm_turnover(t->swarm, loop_now(t->shard->loop));

	if (worst == NULL)
		return false;
	conn_close(worst->conn, E_OVERLOAD, "turnover");
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
	uint64_t x, y;

	if (a->peer == NULL || b->peer == NULL)
		return a->peer == NULL && b->peer != NULL;
	x = a->peer->downloaded + a->peer->uploaded;
	y = b->peer->downloaded + b->peer->uploaded;
	return x != y ? x < y : a->peer->connected_at > b->peer->connected_at;
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

static bool thin_out_torrent(struct ptorrent *t, const struct endpoint *newcomer)
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

bool ptorrent_make_room(struct ptorrent *t, const struct endpoint *newcomer)
{
	if (!torrent_is_full(t) && !shard_is_full(t->shard))
		return true;
	if (drop_worst(t))
		return true;
	return torrent_is_full(t) ? thin_out_torrent(t, newcomer)
				  : thin_out_shard(t->shard, newcomer);
}

/* One address gets an eighth of the places of those who have not said what they want. */
bool shard_make_room(struct shard *s, const struct endpoint *newcomer)
{
	unsigned max = PEERS_STRANGERS(shard_conns_max(s)), same = 0;
	struct places p;

	places_init(&p, s->strangers);
	for (struct link *l = s->pending.next; l != &s->pending; l = l->next) {
		struct conn *c = container_of(l, struct conn, pending);

		places_add(&p, c);
		same += crowd_same_host(&c->at, newcomer);
	}
	if (same >= MAX(max / 8, 4u) || s->strangers < max) {
		places_fini(&p);
		return same < MAX(max / 8, 4u);
	}
	return thin_out(&p, newcomer);
}

bool ptorrent_turn_over(struct ptorrent *t, int64_t now)
{
	struct shard *s = t->shard;
	bool others = shard_is_full(s) && !link_empty(&s->line) && s->line.next != &t->in_line;
	struct endpoint next;

	if (!others && (!t->active || (!torrent_is_full(t) && !shard_is_full(s)) ||
			       !peerlist_next(t->swarm->candidates, now, &next)))
		return false;
	return drop_worst(t) && others;
}

/* --- limits that were lowered --- */

static struct conn *least_missed(struct ptorrent *t)
{
	for (struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		if (c->peer == NULL)
			return c;
	}
	return swarm_least(t->swarm, loop_now(t->shard->loop))->conn;
}

void ptorrent_keep_limit(struct ptorrent *t)
{
	while (t->conns_n > (unsigned)t->shard->config->peers_max_per_torrent)
		conn_close(least_missed(t), E_OVERLOAD, "lowered");
}

/* The torrent with the most connections gives one up each time. */
void shard_keep_limit(struct shard *s)
{
	while (s->conns_n - s->strangers > shard_conns_max(s)) {
		struct ptorrent *most = NULL;

		for (uint32_t i = 0; i < s->slots_n; i++)
			if (s->slots[i] != NULL &&
				(most == NULL || s->slots[i]->conns_n > most->conns_n))
				most = s->slots[i];
		conn_close(least_missed(most), E_OVERLOAD, "lowered");
	}
}

/* --- dialling --- */

void shard_dial_next(struct shard *s)
{
	struct ptorrent *t;

	if (link_empty(&s->line) || shard_is_full(s) || s->half_open >= half_open_max(s))
		return;
	t = container_of(s->line.next, struct ptorrent, in_line);
	link_remove(&t->in_line);
	loop_task_post(s->loop, &t->dial);
}

void ptorrent_on_dial(struct loop_task *task)
{
	struct ptorrent *t = container_of(task, struct ptorrent, dial);

	CHECK_OBJ(t, PTORRENT_MAGIC);
	ptorrent_dial(t);
	shard_dial_next(t->shard);
}

/* Whom the limits of the shard keep from dialling is woken when there is room, one by one. */
static void stand_in_line(struct ptorrent *t, int64_t now)
{
	struct shard *s = t->shard;
	struct endpoint next;

	if (!t->active || torrent_is_full(t) || may_dial(t) || link_linked(&t->in_line))
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

/* A swarm that is small stays small: each wish that brings too few doubles the wait for the next.
 */
int64_t ptorrent_wish_at(const struct ptorrent *t)
{
	return t->wanted_at + (PEERS_WANTED_EVERY << MIN(t->wanted_n, PEERS_WANTED_DOUBLE));
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
	actor_cast(t->shard->actor, ADDR_TRACKER, (struct msg **)&m);
}
