/* SPDX-License-Identifier: MIT */
/*
 * Where peers come in.  main has bound the listeners, shard 0 owns them; a connection whose
 * handshake names a torrent of another shard is handed over with the bytes read so far.
 */
#include "actors/peers/priv.h"

#define ACCEPT_BUDGET 64
#define REST          USEC_PER_SEC

/* Out of descriptors the socket stays readable: looking again at once would only burn the
 * processor. */
static void take_rest(struct listener *l)
{
	loop_fd_events(l->shard->loop, &l->io, 0);
	loop_timer_set(l->shard->loop, &l->rest, loop_now(l->shard->loop) + REST);
}

static void on_rested(struct loop_timer *timer, int64_t now)
{
	struct listener *l = container_of(timer, struct listener, rest);

	(void)now;
	loop_fd_events(l->shard->loop, &l->io, POLL_IN);
}

/* Not at an address that is blocked.  Who stays is decided when the handshake says for which
 * torrent it comes. */
static struct conn *let_in(
	struct shard *s, int fd, const struct endpoint *from, const uint8_t *bytes, size_t n)
{
	if (!blocklist_refuses(s->blocked, from) && room_for_pending(s, from))
		return conn_accept(s, fd, from, bytes, n);
	net_close(fd);
	return NULL;
}

static void on_listener(struct loop_fd *io, uint32_t ready)
{
	struct listener *l = container_of(io, struct listener, io);
	struct shard *s = l->shard;

	(void)ready;
	for (int i = 0; i < ACCEPT_BUDGET; i++) {
		struct endpoint from;
		enum err err = E_OK;
		int fd = net_accept(io->fd, &from, &err);

		if (fd < 0 && err == E_AGAIN)
			return;
		if (fd < 0) {
			log_event(LOG_WARNING, "accept_failed", "err=%s", err_name(err));
			if (err == E_NFILES || err == E_NOMEM)
				take_rest(l);
			return;
		}
		(void)let_in(s, fd, &from, NULL, 0);
	}
}

void listener_start(struct shard *s, const int *fds, unsigned n)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < n && i < LISTENERS; i++) {
		struct listener *l = &s->listeners[s->listeners_n];

		l->shard = s;
		l->rest.fn = on_rested;
		l->io = (struct loop_fd){.fd = -1, .fn = on_listener};
		must(loop_fd_add(s->loop, &l->io, fds[i], POLL_IN) == E_OK);
		s->listeners_n++;
	}
}

void listener_stop(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < s->listeners_n; i++) {
		int fd = s->listeners[i].io.fd;

		loop_timer_del(s->loop, &s->listeners[i].rest);
		loop_fd_del(s->loop, &s->listeners[i].io);
		net_close(fd);
	}
	s->listeners_n = 0;
}

/* Who connects to the old port meanwhile is in its queue, and is let in first. */
void peers_on_listen(struct actor *a, struct msg **m)
{
	struct m_peers_listen *l = MSG_AS(PEERS_LISTEN, *m);
	struct shard *s = shard_of(a);

	if (actor_stopping(a))
		return; /* and they are closed with the message */
	for (unsigned i = 0; i < s->listeners_n; i++)
		on_listener(&s->listeners[i].io, POLL_IN);
	listener_stop(s);
	datagram_stop(s);
	listener_start(s, l->sockets.tcp, l->sockets.tcp_n);
	datagram_start(s, l->sockets.udp, l->sockets.udp_n);
	l->sockets.tcp_n = l->sockets.udp_n = 0;
}

void peers_on_handoff(struct actor *a, struct msg **m)
{
	struct m_peers_handoff *h = MSG_AS(PEERS_HANDOFF, *m);
	struct conn *c;
	int fd = h->fd;

	if (actor_stopping(a))
		return; /* and it is closed with the message */
	h->fd = -1;
	if (h->web) {
		conn_accept_web(shard_of(a), fd, &h->from);
		return;
	}
	c = let_in(shard_of(a), fd, &h->from, h->bytes, h->n);
	if (c == NULL || h->mse == NULL)
		return;
	c->mse = h->mse;
	h->mse = NULL;
	c->tried = h->tried;
	c->handed = true;
}
