/* SPDX-License-Identifier: MIT */
/*
 * Where peers come in.  Shard 0 owns the listeners; a connection whose handshake names a torrent of
 * another shard is handed over with the bytes read so far.
 */
#include "actors/peers_priv.h"

#define ACCEPT_BUDGET 64
#define BACKLOG       256

static void on_listener(struct loop_fd *io, uint32_t ready)
{
	struct listener *l = container_of(io, struct listener, io);
	struct shard *s = l->shard;

	(void)ready;
	for (int i = 0; i < ACCEPT_BUDGET; i++) {
		struct endpoint from;
		enum err err = E_OK;
		int fd = net_accept(io->fd, &from, &err);

		if (fd < 0) {
			if (err != E_AGAIN)
				log_event(LOG_WARNING, "accept_failed", "err=%s", err_name(err));
			return;
		}
		conn_accept(s, fd, &from, NULL, 0);
	}
}

static enum err listen_at(struct shard *s, const char *address)
{
	struct listener *l = &s->listeners[s->listeners_n];
	struct endpoint at;
	enum err err = endpoint_parse_ip(address, strlen(address), &at);
	int fd;

	if (err != E_OK)
		return err;
	at.port = (uint16_t)s->config->peers_port;
	fd = net_listen(&at, BACKLOG, &err);
	if (fd < 0)
		return err;
	l->shard = s;
	l->io = (struct loop_fd){.fd = -1, .fn = on_listener};
	err = loop_fd_add(s->loop, &l->io, fd, POLL_IN);
	if (err != E_OK) {
		net_close(fd);
		return err;
	}
	s->listeners_n++;
	return E_OK;
}

enum err listen_start(struct shard *s)
{
	const struct config_list *bind = &s->config->peers_bind;

	for (size_t i = 0; i < bind->n && s->listeners_n < LISTENERS; i++) {
		enum err err = listen_at(s, bind->v[i]);

		/* A machine without IPv6 is usual; one whose port is taken is not. */
		if (err != E_OK)
			log_event(LOG_WARNING, "listen_failed", "address=%s port=%d err=%s",
				bind->v[i], s->config->peers_port, err_name(err));
		else
			log_event(LOG_INFO, "listening", "address=%s port=%d", bind->v[i],
				s->config->peers_port);
	}
	return s->listeners_n > 0 ? E_OK : E_UNREACHABLE;
}

void listen_stop(struct shard *s)
{
	for (unsigned i = 0; i < s->listeners_n; i++) {
		int fd = s->listeners[i].io.fd;

		loop_fd_del(s->loop, &s->listeners[i].io);
		net_close(fd);
	}
	s->listeners_n = 0;
}

void peers_on_handoff(struct actor *a, struct msg **m)
{
	struct m_peers_handoff *h = (struct m_peers_handoff *)*m;
	int fd = h->fd;

	h->fd = -1;
	conn_accept(shard_of(a), fd, &h->from, h->bytes, h->n);
}
