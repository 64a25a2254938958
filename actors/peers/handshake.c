/* SPDX-License-Identifier: MIT */
/*
 * The handshake (BEP 3): which torrent a connection is for, who is at its other end, and whether
 * both are welcome.
 *
 * An incoming one for a torrent of another shard is handed over with the bytes read so far, or with
 * its encrypted handshake as it stands.
 */
#include "actors/peers/priv.h"

static bool hand_off(struct conn *c, unsigned shard)
{
	struct m_peers_handoff *h = msg_new(c->shard->actor, MSG_PEERS_HANDOFF);

	h->mse = c->mse;
	c->mse = NULL;
	h->tried = (uint8_t)(c->tried + 1);

	h->fd = c->io.fd;
	h->from = c->at;
	h->n = c->hello_n;
	memcpy(h->bytes, c->hello, c->hello_n);
	loop_fd_del(c->shard->loop, &c->io);
	c->io.fd = -1;
	msg_send(c->shard->actor, ADDR(ROLE_PEERS, shard), h);
	return conn_end(c, E_OK, "handoff");
}

/* An incoming connection wants that torrent.  false: it ends. */
static bool welcome(struct conn *c, struct peer_torrent *t)
{
	struct shard *s = c->shard;

	if (t == NULL || !t->active || peerlist_is_banned(swarm_candidates(t->swarm), &c->at))
		return conn_end(c, E_NOT_FOUND, "infohash");
	if (!ptorrent_make_room(t, &c->at))
		return conn_end(c, E_OVERLOAD, "full");
	s->pending_n--;
	link_remove(&c->pending);
	conn_link(c, t);
	return true;
}

/* It has said so plainly. */
static bool find_torrent(struct conn *c, const uint8_t infohash[20])
{
	struct shard *s = c->shard;
	unsigned shard = infohash_shard(infohash, s->shards);
	struct peer_torrent *t;

	if (shard != s->index)
		return hand_off(c, shard);
	t = ptorrent_by_hash(s, infohash);
	/* A web seed has no wire outside. */
	if (t != NULL && !c->web && greet_policy(t) == CONFIG_ENCRYPTION_REQUIRED)
		return conn_end(c, E_DENIED, "plain");
	if (!welcome(c, t))
		return false;
	hello_say(c);
	return true;
}

/* Or by a hash, which does not say whose shard it is: one is asked after the other. */
static bool find_named(struct conn *c)
{
	struct shard *s = c->shard;
	struct peer_torrent *t;
	uint8_t name[20];

	mse_name(c->mse, name);
	t = ptorrent_by_name(s, name);
	if (t == NULL && c->tried + 1u < s->shards)
		return hand_off(c, (s->index + 1) % s->shards);
	if (t != NULL && greet_methods(t) == 0)
		return conn_end(c, E_DENIED, "encrypted");
	if (!welcome(c, t))
		return false;
	mse_torrent(c->mse, t->meta->infohash.v1, greet_methods(t), MSE_PLAIN);
	return true;
}

/* The encrypted handshake goes on.  false: it ends. */
static bool go_on_encrypted(struct conn *c)
{
	for (;;)
		switch (greet_step(c)) {
		case MSE_TORRENT:
			if (!find_named(c))
				return false;
			break;
		case MSE_DONE:
			if (c->incoming)
				hello_say(c);
			return true;
		case MSE_REFUSED:
			return conn_end(c, E_PROTOCOL, "encryption");
		case MSE_KEY:
		case MSE_MORE:
			return true;
		}
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
	struct swarm_look look;

	for (l = c->torrent->conns.next; l != &c->torrent->conns; l = next) {
		struct conn *o = container_of(l, struct conn, in_torrent);

		next = l->next;
		if (o == c || o->peer == NULL)
			continue;
		swarm_look(o->peer, &look);
		if (memcmp(look.id, id, 20) != 0)
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
		peerlist_set_own(swarm_candidates(c->torrent->swarm), &c->at);
	}
	return conn_end(c, E_EXISTS, "self");
}

static void say_open(const struct conn *c)
{
	struct swarm_look look;

	if (log_get_level() < LOG_DEBUG)
		return;
	swarm_look(c->peer, &look);
	log_event(LOG_DEBUG, "peer_open", "ih=%s client=\"%s\" incoming=%d encryption=%d",
		ptorrent_name(c->torrent).text, look.client, c->incoming, c->encryption);
}

/* We dialled, and have been understood. */
static void note_connected(struct conn *c)
{
	struct peerlist *list = swarm_candidates(c->torrent->swarm);

	peerlist_connected(list, &c->at);
	if (peerlist_greeting(list, &c->at) != PEER_GREET_UNKNOWN)
		peerlist_set_greeting(
			list, &c->at, c->encrypts ? PEER_GREET_ENCRYPTED : PEER_GREET_PLAIN);
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
		note_connected(c);
	c->peer = swarm_join(w, c, &c->at, h->peer_id, caps, c->incoming, loop_now(c->shard->loop));
	if (wire_reserved_has(h->reserved, WIRE_DHT))
		conn_say_dht(c);
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
	if (c->mse != NULL)
		return go_on_encrypted(c);
	err = wire_handshake_decode(c->hello, c->hello_n, &h);
	/* Who comes and does not begin as everybody does, in 20 bytes, begins encrypted. */
	if (err == E_PROTOCOL && c->torrent == NULL) {
		greet_begin(c);
		return go_on_encrypted(c);
	}
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
