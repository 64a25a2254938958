/* SPDX-License-Identifier: MIT */
/*
 * The life of one connection: dialled or accepted, and closed.
 *
 * Events only set flags and post the task, which is conn_run() (run.c); that does the work.  A
 * closed connection is freed when the turn is over, because the batch of events in hand may still
 * name it.
 */
#include "actors/peers/priv.h"

/* --- events --- */

void conn_set_timer(struct conn *c, int64_t delay)
{
	CHECK_OBJ(c, CONN_MAGIC);
	loop_timer_set(c->shard->loop, &c->timer, loop_now(c->shard->loop) + delay);
}

static void connected(struct conn *c)
{
	enum err err = net_connect_result(c->io.fd);

	if (err != E_OK) {
		conn_close(c, via_failed(c, err, "connect"), "connect");
		return;
	}
	if (c->via != NULL) {
		switch (via_run(c)) {
		case VIA_WAIT:
			return;
		case VIA_END:
			conn_close(c, c->end.err, c->end.what);
			return;
		case VIA_THROUGH:
			break;
		}
	}
	c->state = CONN_HELLO;
	c->shard->half_open--;
	c->torrent->half_open--;
	loop_task_post(c->shard->loop, &c->shard->dial_task);
	c->encrypts = greet_encrypts(c->torrent, &c->at);
	if (c->encrypts)
		greet_begin(c);
	else
		hello_say(c);
	conn_set_timer(c, c->shard->config->peers_handshake_timeout);
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
		if (c->writable)
			connected(c);
		return;
	}
	conn_post(c);
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct conn *c = container_of(timer, struct conn, timer);
	int64_t idle = c->shard->config->peers_idle_timeout;

	if (c->state == CONN_CONNECTING) {
		conn_close(c, via_failed(c, E_TIMEOUT, "connect"), "connect");
		return;
	}
	if (c->state == CONN_HELLO) {
		conn_close(c, E_TIMEOUT, "handshake");
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
	if (now - c->last_out >= CONN_KEEPALIVE && !conn_has_output(c)) {
		struct wr w = outbuf_begin(swarm_out(c->peer), 4);

		wire_put_keepalive(&w);
		outbuf_commit(swarm_out(c->peer), &w);
		conn_post(c);
	}
	outbuf_trim(swarm_out(c->peer));
	conn_set_timer(c, MIN(CONN_KEEPALIVE, idle) / 4);
}

/* --- beginnings --- */

void conn_link(struct conn *c, struct peer_torrent *t)
{
	CHECK_OBJ(c, CONN_MAGIC);
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
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
	c->task.fn = s->run;
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

	CHECK_OBJ(s, SHARD_MAGIC);
	c = conn_new(s, fd, at);
	if (c == NULL)
		return NULL;
	c->incoming = true;
	link_append(&s->pending, &c->pending);
	s->pending_n++;
	c->state = CONN_HELLO;
	c->readable = c->writable = true;
	must(n <= HELLO_SIZE);
	memcpy(c->hello, bytes != NULL ? bytes : c->hello, n);
	c->hello_n = n;
	conn_set_timer(c, s->config->peers_handshake_timeout);
	c->handed = n > 0;
	conn_post(c);
	return c;
}

void conn_accept_web(struct shard *s, int fd, const struct endpoint *at)
{
	struct conn *c = conn_accept(s, fd, at, NULL, 0);

	if (c != NULL)
		c->web = true;
}

enum err conn_dial(struct peer_torrent *t, const struct endpoint *at)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	enum err err = E_OK;
	int fd = via_connect(t->shard, at, &err);
	struct conn *c;

	if (fd < 0)
		return err;
	c = conn_new(t->shard, fd, at);
	if (c == NULL)
		return E_NFILES;
	c->state = CONN_CONNECTING;
	conn_link(c, t);
	via_begin(c);
	t->half_open++;
	t->shard->half_open++;
	conn_set_timer(c, t->shard->config->peers_connect_timeout);
	return E_OK;
}

/* --- the end --- */

static void reap(struct loop_reap *r)
{
	struct conn *c = container_of(r, struct conn, reap);

	xfree(c->hello);
	xfree(c->via);
	xfree(c->blocks);
	outbuf_fini(&c->first);
	stream_end(c);
	FREE_OBJ(c);
}

/* What the list of candidates learns from the end of a connection. */
static void tell_candidates(struct conn *c, enum err why)
{
	struct peerlist *list = swarm_candidates(c->torrent->swarm);
	int64_t now = loop_now(c->shard->loop);
	struct swarm_look look;

	if (greet_otherwise(c, why)) {
		loop_task_post(c->shard->loop, &c->torrent->dial);
		return;
	}
	/* Perhaps an encrypted handshake is wanted there that may not be had here. */
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
	swarm_look(c->peer, &look);
	peerlist_mark_seed(list, &c->at, swarm_is_seed(c->peer));
	peerlist_closed(
		list, &c->at, why != E_PROTOCOL && look.downloaded + look.uploaded > 0, now);
}

static void unlink_all(struct conn *c)
{
	limit_forget(c);
	pace_forget(c);
	link_remove(&c->in_shard);
	link_remove(&c->in_torrent);
	link_remove(&c->pending);
	link_remove(&c->hungry);
	link_remove(&c->wants_run);
	link_remove(&c->wants_key);
	c->shard->conns_n--;
	if (c->state == CONN_CONNECTING) {
		c->shard->half_open--;
		c->torrent->half_open--;
	}
	if (c->torrent == NULL)
		c->shard->pending_n--;
	else if (--c->torrent->conns_n == 0)
		map_rest(c->shard);
}

void conn_close(struct conn *c, enum err why, const char *what)
{
	CHECK_OBJ(c, CONN_MAGIC);
	struct shard *s = c->shard;
	struct peer_torrent *t = c->torrent;

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
	loop_task_post(s->loop, &s->dial_task);
	ptorrent_wake(t);
}
