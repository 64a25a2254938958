/* SPDX-License-Identifier: MIT */
/*
 * The life of one connection: dialled or accepted, handshake, open, closed.
 *
 * Events only set flags and post the task; run() does the work.  A closed connection is freed when
 * the turn is over, because the batch of events in hand may still name it.
 */
#include "actors/peers/priv.h"

/* Looked at every quarter of it; others give up a silent connection after 120 s. */
#define KEEPALIVE  (80 * USEC_PER_SEC)
#define OUTPUT_MAX (128u * 1024u) /* small messages; a long pipeline of requests is 8 KiB */

/* --- running --- */

void conn_post(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state != CONN_CLOSED)
		loop_task_post(c->shard->loop, &c->task);
}

static void ask(struct conn *c)
{
	struct shard *s = c->shard;
	unsigned room, n = 0;

	do {
		room = swarm_wants_requests(c->peer) ? MIN(limit_room(c), s->credit) : 0;
		n = room > 0 ? swarm_request(c->peer, room, loop_now(s->loop)) : 0;
		s->credit -= n;
		limit_asked(c);
	} while (n > 0 && n == room);
	if (s->credit == 0 && swarm_wants_requests(c->peer) && !link_linked(&c->hungry))
		link_append(&s->hungry, &c->hungry);
}

static void run(struct loop_task *task)
{
	struct conn *c = container_of(task, struct conn, task);

	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state == CONN_CLOSED || c->state == CONN_CONNECTING)
		return;
	if (c->readable && !conn_rx(c))
		return;
	if (c->state == CONN_OPEN) {
		/* Who is choked now gets none of what was queued for it, but is told so (BEP 6). */
		if (c->peer->am_choking && !c->choking)
			conn_drop_blocks(c, false);
		c->choking = c->peer->am_choking;
		ask(c);
		conn_fill(c);
	}
	if (!conn_tx(c))
		return;
	limit_settle(c);
	rest_settle(c);
	if (!c->stuffed || conn_is_stuffed(c))
		return;
	c->stuffed = false;
	conn_post(c);
}

/* --- events --- */

static void say_hello(struct conn *c)
{
	struct wr w = outbuf_begin(&c->first, WIRE_HANDSHAKE);
	uint8_t *p = wr_room(&w, WIRE_HANDSHAKE);

	wire_handshake_encode(
		p, c->shard->reserved, c->torrent->meta->infohash.v1, c->shard->peer_id);
	outbuf_commit(&c->first, &w);
}

static void set_timer(struct conn *c, int64_t delay)
{
	loop_timer_set(c->shard->loop, &c->timer, loop_now(c->shard->loop) + delay);
}

static void connected(struct conn *c)
{
	enum err err = net_connect_result(c->io.fd);

	if (err != E_OK) {
		conn_close(c, err, "connect");
		return;
	}
	c->state = CONN_HELLO;
	c->shard->half_open--;
	c->torrent->half_open--;
	shard_dial_next(c->shard);
	say_hello(c);
	set_timer(c, c->shard->config->peers_handshake_timeout);
	conn_post(c);
}

static void on_io(struct loop_fd *io, uint32_t ready)
{
	struct conn *c = container_of(io, struct conn, io);

	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state == CONN_CLOSED)
		return;
	if (ready & (POLL_IN | POLL_ERR))
		c->readable = true;
	if (ready & POLL_HUP)
		c->ended = true;
	if (ready & (POLL_OUT | POLL_ERR))
		c->writable = true;
	if (c->state == CONN_CONNECTING) {
		if (ready & (POLL_OUT | POLL_ERR))
			connected(c);
		return;
	}
	conn_post(c);
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct conn *c = container_of(timer, struct conn, timer);
	int64_t idle = c->shard->config->peers_idle_timeout;

	if (c->state == CONN_CONNECTING || c->state == CONN_HELLO) {
		conn_close(c, E_TIMEOUT, c->state == CONN_HELLO ? "handshake" : "connect");
		return;
	}
	/* A peer that we hold back ourselves is not silent. */
	if (now - c->last_in >= idle && !limit_waits(c)) {
		conn_close(c, E_TIMEOUT, "idle");
		return;
	}
	/* Nor does one talk with us that says something and hears nothing. */
	if (!c->writable && conn_has_output(c) && now - MAX(c->last_out, c->blocked_at) >= idle) {
		conn_close(c, E_TIMEOUT, "deaf");
		return;
	}
	if (now - c->last_out >= KEEPALIVE && !conn_has_output(c)) {
		struct wr w = outbuf_begin(&c->peer->out, 4);

		wire_put_keepalive(&w);
		outbuf_commit(&c->peer->out, &w);
		conn_post(c);
	}
	outbuf_trim(&c->peer->out);
	set_timer(c, MIN(KEEPALIVE, idle) / 4);
}

/* --- beginnings --- */

static void link_torrent(struct conn *c, struct ptorrent *t)
{
	c->torrent = t;
	link_append(&t->conns, &c->in_torrent);
	t->conns_n++;
}

static struct conn *conn_new(struct shard *s, int fd, const struct endpoint *at)
{
	struct conn *c;

	ALLOC_OBJ(c, CONN_MAGIC);
	c->shard = s;
	c->at = *at;
	c->io = (struct loop_fd){.fd = -1, .fn = on_io};
	c->task.fn = run;
	c->timer.fn = on_timer;
	c->last_in = c->last_out = loop_now(s->loop);
	c->hello = xcalloc(1, HELLO_SIZE);
	if (loop_fd_add(s->loop, &c->io, fd, POLL_IN | POLL_OUT | POLL_EDGE) != E_OK) {
		net_close(fd);
		xfree(c->hello);
		FREE_OBJ(c);
		return NULL;
	}
	net_set_not_sent_low(fd, 128 * 1024);
	limit_open(c);
	link_append(&s->conns, &c->in_shard);
	s->conns_n++;
	return c;
}

struct conn *conn_accept(
	struct shard *s, int fd, const struct endpoint *at, const uint8_t *bytes, size_t n)
{
	struct conn *c;

	/* Who is let in is decided when the handshake says for which torrent it comes. */
	if (!shard_make_room(s, at)) {
		net_close(fd);
		return NULL;
	}
	c = conn_new(s, fd, at);
	if (c == NULL)
		return NULL;
	c->incoming = true;
	link_append(&s->pending, &c->pending);
	s->strangers++;
	c->state = CONN_HELLO;
	c->readable = c->writable = true;
	must(n <= HELLO_SIZE);
	memcpy(c->hello, bytes != NULL ? bytes : c->hello, n);
	c->hello_n = n;
	set_timer(c, s->config->peers_handshake_timeout);
	if (n == 0 || conn_hello(c))
		conn_post(c);
	return c;
}

enum err conn_dial(struct ptorrent *t, const struct endpoint *at)
{
	enum err err = E_OK;
	int fd = net_connect(at, &err);
	struct conn *c;

	if (fd < 0)
		return err;
	c = conn_new(t->shard, fd, at);
	if (c == NULL)
		return E_NFILES;
	c->state = CONN_CONNECTING;
	link_torrent(c, t);
	t->half_open++;
	t->shard->half_open++;
	set_timer(c, t->shard->config->peers_connect_timeout);
	return E_OK;
}

/* --- the handshake --- */

static bool hand_off(struct conn *c, unsigned shard)
{
	struct m_peers_handoff *h = msg_new(c->shard->actor, MSG_PEERS_HANDOFF);

	h->fd = c->io.fd;
	h->from = c->at;
	h->n = c->hello_n;
	memcpy(h->bytes, c->hello, c->hello_n);
	loop_fd_del(c->shard->loop, &c->io);
	c->io.fd = -1;
	actor_cast(c->shard->actor, ADDR(ROLE_PEERS, shard), (struct msg **)&h);
	conn_close(c, E_OK, "handoff");
	return false;
}

/* An incoming connection has said which torrent it wants. */
static bool find_torrent(struct conn *c, const uint8_t infohash[20])
{
	struct shard *s = c->shard;
	unsigned shard = infohash_shard(infohash, s->shards);
	struct ptorrent *t;

	if (shard != s->index)
		return hand_off(c, shard);
	t = ptorrent_by_hash(s, infohash);
	if (t == NULL || !t->active || peerlist_is_banned(t->swarm->candidates, &c->at)) {
		conn_close(c, E_NOT_FOUND, "infohash");
		return false;
	}
	if (!ptorrent_make_room(t, &c->at)) {
		conn_close(c, E_OVERLOAD, "full");
		return false;
	}
	s->strangers--;
	link_remove(&c->pending);
	link_torrent(c, t);
	say_hello(c);
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
	conn_close(c, E_EXISTS, "self");
	return false;
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
		conn_close(c, E_EXISTS, "duplicate");
		return false;
	}
	if (!c->incoming)
		peerlist_connected(w->candidates, &c->at);
	c->peer = swarm_join(w, c, &c->at, h->peer_id, caps, c->incoming, loop_now(c->shard->loop));
	c->state = CONN_OPEN;
	c->choking = true;
	set_timer(c, KEEPALIVE / 4);
	ptorrent_wake(c->torrent);
	say_open(c);
	return true;
}

bool conn_is_stuffed(const struct conn *c)
{
	return c->peer != NULL && outbuf_len(&c->peer->out) > OUTPUT_MAX;
}

bool conn_hello(struct conn *c)
{
	struct wire_handshake h;
	enum err err = wire_handshake_decode(c->hello, c->hello_n, &h);

	if (err != E_OK && err != E_AGAIN) {
		conn_close(c, err, "handshake");
		return false;
	}
	if (c->torrent == NULL && h.has_infohash && !find_torrent(c, h.infohash))
		return false;
	if (c->torrent != NULL && h.has_infohash &&
		memcmp(h.infohash, c->torrent->meta->infohash.v1, 20) != 0) {
		conn_close(c, E_PROTOCOL, "infohash");
		return false;
	}
	if (err == E_AGAIN)
		return true;
	return open_conn(c, &h);
}

/* --- the end --- */

static void reap(struct loop_reap *r)
{
	struct conn *c = container_of(r, struct conn, reap);

	xfree(c->hello);
	xfree(c->blocks);
	outbuf_fini(&c->first);
	FREE_OBJ(c);
}

/* What the list of candidates learns from the end of a connection. */
static void tell_candidates(struct conn *c, enum err why)
{
	struct peerlist *list = c->torrent->swarm->candidates;
	int64_t now = loop_now(c->shard->loop);

	/* An encrypted handshake is wanted there, or we are: it says nothing either way. */
	if (!c->incoming && c->state == CONN_HELLO && c->hello_n == 0 && why == E_CLOSED)
		c->torrent->mute_dials++;
	if (c->incoming)
		return;
	if (why == E_CANCELLED) {
		peerlist_released(list, &c->at);
		return;
	}
	if (c->peer == NULL) {
		peerlist_failed(list, &c->at, now);
		return;
	}
	peerlist_mark_seed(list, &c->at, c->peer->seed);
	peerlist_closed(list, &c->at,
		why != E_PROTOCOL && c->peer->downloaded + c->peer->uploaded > 0, now);
}

static void unlink_all(struct conn *c)
{
	limit_forget(c);
	link_remove(&c->in_shard);
	link_remove(&c->in_torrent);
	link_remove(&c->pending);
	link_remove(&c->hungry);
	link_remove(&c->wants_extent);
	c->shard->conns_n--;
	if (c->state == CONN_CONNECTING) {
		c->shard->half_open--;
		c->torrent->half_open--;
	}
	if (c->torrent == NULL)
		c->shard->strangers--;
	else if (--c->torrent->conns_n == 0)
		map_rest(c->shard);
}

void conn_close(struct conn *c, enum err why, const char *what)
{
	struct shard *s = c->shard;
	struct ptorrent *t = c->torrent;

	CHECK_OBJ(c, CONN_MAGIC);
	if (c->state == CONN_CLOSED)
		return;
	if (log_get_level() >= LOG_DEBUG) {
		char at[ENDPOINT_TEXT];

		endpoint_format(&c->at, at, sizeof at);
		log_event(LOG_DEBUG, "peer_closed", "peer=%s err=%s what=%s", at, err_name(why),
			what);
	}
	if (t != NULL)
		tell_candidates(c, why);
	unlink_all(c);
	c->state = CONN_CLOSED;
	loop_timer_del(s->loop, &c->timer);
	if (c->io.fd >= 0) {
		int fd = c->io.fd;

		loop_fd_del(s->loop, &c->io);
		net_close(fd);
	}
	conn_drop_blocks(c, true);
	if (c->block != NULL)
		pool_put(s->blocks, c->block);
	c->block = NULL;
	if (c->peer != NULL)
		swarm_leave(&c->peer, loop_now(s->loop));
	if (c->task.queued)
		loop_task_del(s->loop, &c->task);
	c->reap.fn = reap;
	loop_reap_later(s->loop, &c->reap);
	if (t == NULL)
		return;
	shard_dial_next(s);
	ptorrent_wake(t);
}
