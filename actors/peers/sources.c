/* SPDX-License-Identifier: MIT */
/*
 * Where a torrent's peers come from: what others have found for it, and what it may hear and say
 * itself.
 *
 * Every question is put to source_allowed(), and what is not allowed any more is undone: who was
 * named by such a source alone is forgotten, and a torrent that turns out to be private keeps
 * nobody whom its trackers or a person have not named (BEP 27).
 */
#include "actors/msg/rules.h"
#include "actors/peers/priv.h"

static bool allows(const struct peer_torrent *t, enum peer_source source)
{
	struct source_rules rules = rules_of(t->meta, &t->wishes, t->shard->config);

	return source_allowed(source, &rules);
}

/* Bits of 1 << enum peer_source. */
static unsigned forbidden(const struct peer_torrent *t)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < PEER_SOURCES; i++)
		bits |= (unsigned)!allows(t, (enum peer_source)i) << i;
	return bits;
}

/* --- what is undone --- */

/* Who named it: bits.  Of one that called from we know not where that is all we know. */
static unsigned sources_of(const struct conn *c)
{
	const struct peerlist *list = swarm_candidates(c->torrent->swarm);
	struct peerlist_info info;
	struct swarm_look look;

	if (!c->incoming)
		return peerlist_lookup(list, &c->at, &info) ? info.sources : 0;
	if (c->peer == NULL)
		return 1u << PEER_INCOMING;
	swarm_look(c->peer, &look);
	if (look.reach.port != 0 && peerlist_lookup(list, &look.reach, &info))
		return info.sources | 1u << PEER_INCOMING;
	return 1u << PEER_INCOMING;
}

/* While it was not known that strangers must not hear of the torrent, they may have, and called. */
static void close_strangers(struct peer_torrent *t)
{
	struct link *l = t->conns.next, *next;

	for (; l != &t->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		next = l->next;
		if ((sources_of(c) & (1u << PEER_TRACKER | 1u << PEER_MANUAL)) == 0)
			conn_close(c, E_CANCELLED, "private");
	}
}

/* Only while it takes connections is there anything to be announced. */
static void tell_lsd(struct peer_torrent *t, bool on)
{
	struct m_lsd_set *m;

	if (t->announced == on || actor_stopping(t->shard->actor))
		return;
	t->announced = on;
	m = msg_new(t->shard->actor, MSG_LSD_SET);
	m->t = t->ref;
	memcpy(m->infohash, t->meta->infohash.v1, sizeof m->infohash);
	m->on = on;
	msg_send(t->shard->actor, ADDR_LSD, m);
}

void ptorrent_obey_rules(struct peer_torrent *t)
{
	unsigned bits;

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	bits = forbidden(t);
	swarm_set_private(t->swarm, t->meta->is_private);
	swarm_gossip(t->swarm, (bits & 1u << PEER_PEX) == 0);
	if ((bits & ~t->forbidden) != 0) {
		if (t->meta->is_private)
			close_strangers(t);
		peerlist_forget_sources(swarm_candidates(t->swarm), bits);
	}
	t->forbidden = bits;
	tell_lsd(t, t->active && (bits & 1u << PEER_LSD) == 0);
}

/* --- what is found --- */

/* Neighbours are at addresses that no stranger may send us to. */
static bool may_be_dialled(const struct shard *s, const struct endpoint *e, enum peer_source source)
{
	if (e->port == 0 || endpoint_is_multicast(e) || endpoint_is_unspecified(e))
		return false;
	if (s->config->peers_allow_local)
		return true;
	return !endpoint_is_privileged(e) &&
	       (endpoint_is_global(e) || (source == PEER_LSD && endpoint_is_private_lan(e)));
}

static void take_found(struct peer_torrent *t, const struct m_peers_found *f)
{
	struct shard *s = t->shard;
	int64_t now = loop_now(s->loop);

	if (!allows(t, f->source))
		return;
	if (f->seeds >= 0)
		swarm_note_seeds(t->swarm, (uint32_t)MIN(f->seeds, UINT32_MAX), now);
	for (uint32_t i = 0; i < f->n; i++)
		if (may_be_dialled(s, &f->peers[i], f->source) &&
			!blocklist_refuses(s->blocked, &f->peers[i]))
			peerlist_add(swarm_candidates(t->swarm), &f->peers[i], f->source, now);
	ptorrent_dial(t);
}

void peers_on_found(struct actor *a, struct msg **m)
{
	const struct m_peers_found *f = MSG_AS(PEERS_FOUND, *m);
	struct shard *s = shard_of(a);
	struct peer_torrent *t = ptorrent_by_ref(s, f->t);

	if (t != NULL)
		take_found(t, f);
	else
		early_keep(s, m);
}

void ptorrent_take_early(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct shard *s = t->shard;
	struct msg *m;

	while ((m = early_take(s, t->ref)) != NULL) {
		take_found(t, MSG_AS(PEERS_FOUND, m));
		msg_free(s->actor, &m);
	}
}
