/* SPDX-License-Identifier: MIT */
/*
 * The handshake (BEP 3): which torrent a connection is for, who is at its other end, and whether
 * both are welcome.
 *
 * An incoming one for a torrent of another shard is handed over with the bytes read so far.
 */
#include "actors/peers/priv.h"

static bool hand_off(struct conn *c, unsigned shard)
{
	struct m_peers_handoff *h = msg_new(c->shard->actor, MSG_PEERS_HANDOFF);

	h->fd = c->io.fd;
	h->from = c->at;
	h->n = c->hello_n;
	memcpy(h->bytes, c->hello, c->hello_n);
	loop_fd_del(c->shard->loop, &c->io);
	c->io.fd = -1;
	msg_send(c->shard->actor, ADDR(ROLE_PEERS, shard), h);
	return conn_end(c, E_OK, "handoff");
}

/* An incoming connection has said which torrent it wants. */
static bool find_torrent(struct conn *c, const uint8_t infohash[20])
{
	struct shard *s = c->shard;
	unsigned shard = infohash_shard(infohash, s->shards);
	struct peer_torrent *t;

	if (shard != s->index)
		return hand_off(c, shard);
	t = ptorrent_by_hash(s, infohash);
	if (t == NULL || !t->active || peerlist_is_banned(t->swarm->candidates, &c->at)) {
		return conn_end(c, E_NOT_FOUND, "infohash");
	}
	if (!ptorrent_make_room(t, &c->at)) {
		return conn_end(c, E_OVERLOAD, "full");
	}
	s->pending_n--;
	link_remove(&c->pending);
	conn_link(c, t);
	conn_say_hello(c);
	return true;
}

/*
 * One connection per peer id.  When both sides dialled at once, both must drop the same one: the
 * one that was made by the smaller id.  An id is known to everybody, so a newcomer takes the place
 * of another only from the same address.
 */
static bool is_duplicate(struct conn *c, const uint8_t id[20])
{
	bool we_win = memcmp(c->shard->peer_id, id, 20) > 0;
	struct link *l, *next;

	for (l = c->torrent->conns.next; l != &c->torrent->conns; l = next) {
		struct conn *o = container_of(l, struct conn, in_torrent);

		next = l->next;
		if (o == c || o->peer == NULL || memcmp(o->peer->id, id, 20) != 0)
			continue;
		if (o->incoming == c->incoming || c->incoming == we_win ||
			!endpoint_same_ip(&o->at, &c->at))
			return true;
		conn_close(o, E_EXISTS, "duplicate");
	}
	return false;
}

/*
 * A connection that came in with our own peer id.  Anybody knows that id and could claim it, here
 * or where we dial; only a dial that has come from the very socket we dialled with was ours.
 */
static void note_self(struct conn *c)
{
	for (struct link *l = c->torrent->conns.next; l != &c->torrent->conns; l = l->next) {
		struct conn *o = container_of(l, struct conn, in_torrent);
		struct endpoint local;

		if (!o->incoming && o->state == CONN_HELLO && net_local(o->io.fd, &local) == E_OK &&
			endpoint_equal(&local, &c->at))
			o->met_self = true;
	}
}

static bool met_self(struct conn *c)
{
	if (c->incoming) {
		note_self(c);
		/* The end that dialled has to learn it, by our answer. */
		if (!conn_tx(c))
			return false;
	} else if (c->met_self) {
		peerlist_set_own(c->torrent->swarm->candidates, &c->at);
	}
	return conn_end(c, E_EXISTS, "self");
}

static void say_open(const struct conn *c)
{
	char client[96];

	if (log_get_level() >= LOG_DEBUG)
		log_event(LOG_DEBUG, "peer_open", "ih=%s client=\"%s\" incoming=%d",
			ptorrent_name(c->torrent).text,
			log_safe(c->peer->client, client, sizeof client), c->incoming);
}

static bool open_conn(struct conn *c, const struct wire_handshake *h)
{
	struct swarm *w = c->torrent->swarm;
	struct swarm_caps caps = {.fast = wire_reserved_has(h->reserved, WIRE_FAST),
		.extended = wire_reserved_has(h->reserved, WIRE_EXTENSION)};

	if (memcmp(h->peer_id, c->shard->peer_id, 20) == 0)
		return met_self(c);
	if (is_duplicate(c, h->peer_id)) {
		return conn_end(c, E_EXISTS, "duplicate");
	}
	if (!c->incoming)
		peerlist_connected(w->candidates, &c->at);
	c->peer = swarm_join(w, c, &c->at, h->peer_id, caps, c->incoming, loop_now(c->shard->loop));
	c->state = CONN_OPEN;
	c->choking = true;
	conn_set_timer(c, CONN_LOOK);
	ptorrent_wake(c->torrent);
	say_open(c);
	return true;
}

bool conn_hello(struct conn *c)
{
	struct wire_handshake h;
	enum err err;

	CHECK_OBJ(c, CONN_MAGIC);
	err = wire_handshake_decode(c->hello, c->hello_n, &h);
	if (err != E_OK && err != E_AGAIN) {
		return conn_end(c, err, "handshake");
	}
	if (c->torrent == NULL && h.has_infohash && !find_torrent(c, h.infohash))
		return false;
	if (c->torrent != NULL && h.has_infohash &&
		memcmp(h.infohash, c->torrent->meta->infohash.v1, 20) != 0) {
		return conn_end(c, E_PROTOCOL, "infohash");
	}
	if (err == E_AGAIN)
		return true;
	return open_conn(c, &h);
}
