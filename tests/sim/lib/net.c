/* SPDX-License-Identifier: MIT */
/*
 * Sockets between simulated hosts: the calls of net.h over the streams of link.c.
 *
 * A connection needs one round trip; nobody listening refuses it, a host without power never
 * answers. A socket that is closed with unread bytes resets the stream, as does a byte for one that
 * is closed.
 */
#include "actors/kernel/net.h"
#include "tests/sim/lib/priv.h"

struct host *host_at(struct sim *s, const struct endpoint *at)
{
	unsigned i = (unsigned)at->ip[14] << 8 | at->ip[15];

	return i < s->hosts_n && endpoint_same_ip(&s->host[i]->at, at) ? s->host[i] : NULL;
}

static struct sock *sock_of(int fd)
{
	struct sock *k;

	CAST_OBJ(k, fd_find(fd), SOCK_MAGIC);
	k->owner->net++;
	return k;
}

static struct sock *sock_new(struct host *h, struct daemon *owner, enum sock_state state)
{
	struct sock *k;

	ALLOC_OBJ(k, SOCK_MAGIC);
	k->host = h;
	k->owner = owner;
	k->state = state;
	k->local = h->at;
	k->fd = fd_give(h->s, k);
	STAILQ_INSERT_TAIL(&h->s->socks, k, link);
	return k;
}

uint32_t sock_ready(const struct sock *k)
{
	uint32_t r = 0;

	if (k->state == SOCK_LISTEN)
		return k->pending_n > 0 ? POLL_IN : 0;
	if (k->err != E_OK)
		return POLL_ERR | POLL_IN | POLL_OUT;
	if (k->state != SOCK_OPEN)
		return 0;
	if (k->in->readable > 0 || k->in->fin_arrived)
		r |= POLL_IN;
	if (pipe_room(k->out) > 0 && !k->nospace)
		r |= POLL_OUT;
	return r;
}

/* --- beginnings --- */

int net_listen(const struct endpoint *at, const char *device, int backlog, enum err *err)
{
	(void)device;
	struct sim *s = sim_world();
	struct host *h = s->current->host;
	struct sock *k;

	s->current->net++;
	if (h->listener != NULL) {
		*err = E_EXISTS;
		return -1;
	}
	k = sock_new(h, s->current, SOCK_LISTEN);
	k->local = *at;
	k->backlog = (unsigned)MAX(backlog, 1);
	k->pending = xcalloc(k->backlog, sizeof(struct sock *));
	h->listener = k;
	return k->fd;
}

static void join_pipes(struct sock *a, struct sock *b)
{
	a->out = b->in = pipe_new(a->host->s, a, b->host);
	b->out = a->in = pipe_new(a->host->s, b, a->host);
	a->out->rx = b;
	b->out->rx = a;
	a->out->back = b->out;
	b->out->back = a->out;
}

static void on_refused(struct sim *s, void *p, uint64_t err)
{
	struct sock *k = p;

	(void)s;
	if (k->state != SOCK_CONNECTING)
		return;
	k->err = (enum err)err;
	sock_wake(k);
}

static void on_established(struct sim *s, void *p, uint64_t arg)
{
	struct sock *k = p;

	(void)s;
	(void)arg;
	if (k->state != SOCK_CONNECTING)
		return;
	k->state = SOCK_OPEN;
	sock_wake(k);
}

/* The first word has come: the listener's system answers. */
static void on_syn(struct sim *s, void *p, uint64_t arg)
{
	struct sock *k = p, *b;
	struct host *to = host_at(s, &k->remote);
	struct sock *listener = to->listener;

	(void)arg;
	if (k->state != SOCK_CONNECTING || to->dark)
		return;
	if (listener == NULL || listener->local.port != k->remote.port) {
		event_at(s, s->now + way(k->host, to), on_refused, k, E_REFUSED);
		return;
	}
	if (listener->pending_n >= listener->backlog)
		return; /* dropped; not tried again here */
	b = sock_new(to, listener->owner, SOCK_OPEN);
	b->remote = k->local;
	b->local = k->remote;
	join_pipes(k, b);
	s->links++;
	listener->pending[listener->pending_n++] = b;
	sock_wake(listener);
	event_at(s, s->now + way(k->host, to), on_established, k, 0);
}

int net_connect(const struct endpoint *to, const char *device, enum err *err)
{
	(void)device;
	struct sim *s = sim_world();
	struct host *h = s->current->host, *other = host_at(s, to);
	struct sock *k;

	s->current->net++;
	if (other == NULL) {
		*err = E_UNREACHABLE;
		return -1;
	}
	k = sock_new(h, s->current, SOCK_CONNECTING);
	k->remote = *to;
	k->local.port = h->next_port++;
	sim_trace_mix(s, (uint64_t)h->index << 32 | other->index);
	event_at(s, s->now + way(h, other), on_syn, k, 0);
	return k->fd;
}

enum err net_connect_result(int fd)
{
	struct sock *k = sock_of(fd);
	enum err err = k->err;

	k->err = E_OK;
	if (err != E_OK)
		return err;
	return k->state == SOCK_CONNECTING ? E_AGAIN : E_OK;
}

int net_accept(int fd, struct endpoint *peer, enum err *err)
{
	struct sock *l = sock_of(fd), *k;

	must(l->state == SOCK_LISTEN);
	if (l->pending_n == 0) {
		*err = E_AGAIN;
		return -1;
	}
	k = l->pending[0];
	l->pending_n--;
	memmove(l->pending, l->pending + 1, l->pending_n * sizeof(struct sock *));
	*peer = k->remote;
	return k->fd;
}

/* --- transfer --- */

ssize_t net_readv(int fd, const struct iovec *iov, int iovcnt, enum err *err)
{
	struct sock *k = sock_of(fd);
	size_t n = 0, room = 0;

	must(k->state == SOCK_OPEN || k->state == SOCK_CONNECTING);
	for (int i = 0; i < iovcnt && k->in != NULL; i++) {
		n += pipe_read(k->in, iov[i].iov_base, iov[i].iov_len);
		room += iov[i].iov_len;
	}
	k->host->read += n;
	if (n > 0 || (room == 0 && k->err == E_OK))
		return (ssize_t)n;
	*err = k->err != E_OK ? k->err : E_AGAIN;
	if (k->err == E_OK && k->in != NULL && k->in->fin_arrived)
		return 0;
	return -1;
}

ssize_t net_writev(int fd, const struct iovec *iov, int iovcnt, bool more, enum err *err)
{
	struct sock *k = sock_of(fd);
	size_t n = 0, want = 0;

	(void)more;
	if (k->err != E_OK) {
		*err = k->err;
		return -1;
	}
	if (k->state != SOCK_OPEN) {
		*err = E_AGAIN;
		return -1;
	}
	for (int i = 0; i < iovcnt; i++) {
		want += iov[i].iov_len;
		n += n + iov[i].iov_len == want
			     ? pipe_write(k->out, iov[i].iov_base, iov[i].iov_len)
			     : 0;
	}
	if (n < want)
		k->nospace = true;
	if (n > 0)
		return (ssize_t)n;
	*err = E_AGAIN;
	return -1;
}

enum err net_local(int fd, struct endpoint *out)
{
	*out = sock_of(fd)->local;
	return E_OK;
}

void net_make_room(int fd, unsigned bytes)
{
	(void)fd;
	(void)bytes;
}

void net_set_not_sent_low(int fd, unsigned bytes)
{
	sock_of(fd)->low = bytes;
}

/* --- ends --- */

static void end_listener(struct sock *k)
{
	if (k->host->listener == k)
		k->host->listener = NULL;
}

static void sock_end(struct sock *k)
{
	must(k->watch.poller == NULL);
	end_listener(k);
	fd_drop(k->fd);
	for (unsigned i = 0; i < k->pending_n; i++)
		sock_end(k->pending[i]);
	k->state = SOCK_CLOSED;
	if (k->in != NULL)
		pipe_end_read(k->in);
	if (k->out != NULL && !k->out->dead)
		pipe_end_write(k->out);
	if (k->out != NULL)
		k->out->tx = NULL;
}

void net_close(int fd)
{
	sock_end(sock_of(fd));
}

static void sock_vanish(struct sock *k)
{
	end_listener(k);
	fd_drop(k->fd);
	k->state = SOCK_CLOSED;
	if (k->in != NULL)
		k->in->rx = NULL;
	if (k->out != NULL)
		k->out->tx = NULL;
}

void sock_close_all(struct daemon *d, bool silently)
{
	struct sock *k;

	STAILQ_FOREACH(k, &d->s->socks, link)
	{
		if (k->owner != d || k->state == SOCK_CLOSED)
			continue;
		k->watch = (struct watch){0};
		if (silently)
			sock_vanish(k);
		else
			sock_end(k);
	}
}

/* --- datagrams: nobody sends any --- */

int net_udp_open(const struct endpoint *at, const char *device, enum err *err)
{
	(void)device;
	(void)at;
	*err = E_UNSUPPORTED;
	return -1;
}

enum err net_udp_send(int fd, const struct endpoint *to, const void *p, size_t n)
{
	(void)fd;
	(void)to;
	(void)p;
	(void)n;
	return E_UNSUPPORTED;
}

ssize_t net_udp_recv(int fd, struct endpoint *from, void *p, size_t n, enum err *err)
{
	(void)fd;
	(void)from;
	(void)p;
	(void)n;
	*err = E_UNSUPPORTED;
	return -1;
}

unsigned net_device_index(const char *name)
{
	(void)name;
	return 0;
}

enum err net_device_bind(int fd, const char *device)
{
	(void)fd;
	return device[0] == '\0' ? E_OK : E_UNREACHABLE;
}
