/* SPDX-License-Identifier: MIT */
/* What the shard tells people: copies of numbers, made when somebody asks. */
#include "actors/peers/priv.h"

#include "actors/kernel/clock.h"

/* The best of the sources that have named it. */
static enum peer_source source_of(const struct conn *c)
{
	struct peerlist_info info;
	unsigned source = PEER_MANUAL;

	if (c->incoming)
		return PEER_INCOMING;
	if (!peerlist_lookup(swarm_candidates(c->torrent->swarm), &c->at, &info) ||
		info.sources == 0)
		return PEER_MANUAL;
	while ((info.sources >> source & 1) == 0)
		source++;
	return (enum peer_source)source;
}

/* What the choker, the picker and the clock know of it. */
static void snapshot_standing(struct peer_view *v, const struct swarm_look *look, int64_t now)
{
	v->seed = look->seed;
	v->snubbed = look->snubbed;
	v->optimistic = look->optimistic;
	v->upload_only = look->upload_only;
	v->have = look->has->count;
	v->since = clock_wall_s() - (now - look->connected_at) / USEC_PER_SEC;
	v->delay = look->delay;
}

static void snapshot_peer(struct peer_view *v, const struct conn *c, bool bitfield, int64_t now)
{
	struct swarm_peer *p = c->peer;
	struct swarm_look look;

	CHECK_OBJ(c, CONN_MAGIC);
	v->at = c->at;
	v->incoming = c->incoming;
	v->encryption = c->encryption;
	v->source = source_of(c);
	v->web = c->web;
	if (p == NULL) {
		v->bits = c->torrent->meta->pieces;
		return;
	}
	v->connected = true;
	swarm_look(p, &look);
	memcpy(v->id, look.id, sizeof v->id);
	v->unchoked_us = !look.peer_choking;
	v->interested_us = look.peer_interested;
	v->unchoked = !look.am_choking;
	v->interested = look.am_interested;
	v->bits = c->torrent->meta->pieces;
	if (bitfield && v->bits > 0)
		v->bitfield = xmemdup(look.has->bytes, bitfield_bytes(look.has->bits));
	swarm_peer_rates(p, now, &v->down_rate, &v->up_rate);
	v->downloaded = look.downloaded;
	v->uploaded = look.uploaded;
	v->relevance = swarm_relevance(p);
	(void)snprintf(v->client, sizeof v->client, "%s", look.client);
	snapshot_standing(v, &look, now);
}

static void snapshot_metadata(struct metadata_view *v, const struct peer_torrent *t)
{
	struct metadata_progress p;

	if (!t->meta->bare)
		return;
	swarm_metadata_progress(t->swarm, &p);
	*v = (struct metadata_view){.bare = true,
		.size = p.size,
		.pieces = p.pieces,
		.have = p.have,
		.peers = swarm_peers(t->swarm),
		.offering = p.offering,
		.asked = p.asked,
		.rejects = p.rejects,
		.timeouts = p.timeouts,
		.failures = p.failures,
		.error = p.error};
}

static void snapshot_torrent(
	struct torrent_peers *v, struct peer_torrent *t, unsigned parts, int64_t now)
{
	const struct bitfield *have = swarm_have(t->swarm);
	struct swarm_totals n;
	struct link *l;

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	v->t = t->ref;
	v->bits = t->meta->pieces;
	v->have = have->count;
	snapshot_metadata(&v->metadata, t);
	if ((parts & (VIEW_BITFIELDS | VIEW_FILES)) != 0 && v->bits > 0)
		v->bitfield = xmemdup(have->bytes, bitfield_bytes(have->bits));
	if ((parts & VIEW_PIECES) != 0 && v->bits > 0)
		ptorrent_pieces(t, &v->piece_states, &v->piece_copies);
	v->left = swarm_left(t->swarm);
	swarm_totals(t->swarm, &n);
	v->downloaded = n.downloaded;
	v->uploaded = n.uploaded;
	v->wasted = n.wasted;
	v->failed_pieces = n.failed_pieces;
	v->mute_dials = t->mute_dials;
	/* Nothing can come or go, and nothing ticks that would make the meters see it. */
	if (t->conns_n > 0)
		swarm_rates(t->swarm, now, &v->down_rate, &v->up_rate);
	if ((parts & VIEW_PEERS) == 0 || t->conns_n == 0)
		return;
	v->peers = xcalloc(t->conns_n, sizeof *v->peers);
	for (l = t->conns.next; l != &t->conns && v->peers_n < t->conns_n; l = l->next)
		snapshot_peer(&v->peers[v->peers_n++], container_of(l, struct conn, in_torrent),
			(parts & VIEW_BITFIELDS) != 0, now);
}

void peers_on_view(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_peers_view *v = MSG_AS(PEERS_VIEW, *m);
	struct peer_torrent *one = v->all ? NULL : ptorrent_by_ref(s, v->t);
	int64_t now = actor_now(a);

	v->torrents = xcalloc(v->all ? s->torrents.used : 1, sizeof *v->torrents);
	if (one != NULL)
		snapshot_torrent(&v->torrents[v->torrents_n++], one, v->parts, now);
	for (uint32_t i = 0; v->all && i < s->torrents.n; i++)
		if (ptorrent_at(s, i) != NULL)
			snapshot_torrent(
				&v->torrents[v->torrents_n++], ptorrent_at(s, i), v->parts, now);
	actor_reply(a, m, !v->all && one == NULL ? E_NOT_FOUND : E_OK);
}
