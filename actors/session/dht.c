/* SPDX-License-Identifier: MIT */
/*
 * A torrent and the DHT: what differs from what the DHT was told of the torrent is told.
 *
 * A torrent is looked for and announced while it works, when source_allowed() lets it; one of which
 * only the link is known is looked for at once, and announced when its metainfo has come and says
 * that it is not private.
 */
#include "actors/msg/rules.h"
#include "actors/session/priv.h"

enum { DHT_WANTED = 1, DHT_ANNOUNCE = 2, DHT_SEED = 4 };

static uint8_t wish_of(const struct torrent *t, bool active)
{
	const struct config *c = t->session->config;
	struct source_rules rules = rules_of(t->meta, &t->wishes, c);

	if (!active || !c->dht_enabled || !source_allowed(PEER_DHT, &rules))
		return 0;
	if (t->meta->bare)
		return DHT_WANTED;
	return t->lacks == 0 ? DHT_WANTED | DHT_ANNOUNCE | DHT_SEED : DHT_WANTED | DHT_ANNOUNCE;
}

void torrent_update_dht(struct torrent *t, bool active)
{
	uint8_t wish;
	struct m_dht_torrent *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	wish = wish_of(t, active);
	if (wish == t->told_dht)
		return;
	m = msg_new(t->session->actor, MSG_DHT_TORRENT);
	m->t = t->ref;
	memcpy(m->infohash, t->meta->infohash.v1, sizeof m->infohash);
	m->wanted = (wish & DHT_WANTED) != 0;
	m->announce = (wish & DHT_ANNOUNCE) != 0;
	m->seed = (wish & DHT_SEED) != 0;
	m->urgent = m->wanted && t->meta->bare && t->told_dht == 0;
	t->told_dht = wish;
	msg_send(t->session->actor, ADDR_DHT, m);
}
