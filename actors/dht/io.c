/* SPDX-License-Identifier: MIT */
/*
 * The sockets of the DHT: at the peer port, and the kernel gives them what begins with a 'd'.
 *
 * An answer leaves by the socket that the question came to.  Questions leave by the first socket of
 * their family: tokens of others may be good for that one alone.
 */
#include "actors/dht/priv.h"

#include <limits.h>

#include "actors/kernel/net.h"

#define BUDGET 64 /* datagrams before others get their turn */

static void on_datagram(struct loop_fd *io, uint32_t ready)
{
	struct dht_socket *s = container_of(io, struct dht_socket, io);
	struct dht *d = s->dht;
	int64_t now = loop_now(d->loop);
	int via = (int)(s - d->sockets);

	(void)ready;
	for (int i = 0; i < BUDGET; i++) {
		uint8_t in[2048]; /* a longer one is cut, and too long */
		struct endpoint from;
		enum err err = E_OK;
		ssize_t n = net_udp_recv(io->fd, &from, in, sizeof in, &err);

		/* Errors are those of datagrams that did not arrive. */
		if (n < 0 && err == E_AGAIN)
			break;
		if (n > 0 && !blocklist_refuses(d->blocked, &from))
			kad_input(d->kad, via, &from, in, (size_t)n, now);
	}
	dht_rearm(d);
}

void dht_io_start(struct dht *d, const int *fds, unsigned n)
{
	CHECK_OBJ(d, DHT_MAGIC);
	for (unsigned i = 0; i < n && i < DHT_SOCKETS; i++) {
		struct dht_socket *s = &d->sockets[d->sockets_n];
		struct endpoint at;
		unsigned family;

		if (net_local(fds[i], &at) != E_OK) {
			net_close(fds[i]);
			continue;
		}
		s->dht = d;
		s->v6 = !endpoint_is_v4(&at);
		s->io = (struct loop_fd){.fd = -1, .fn = on_datagram};
		must(loop_fd_add(d->loop, &s->io, fds[i], POLL_IN) == E_OK);
		family = s->v6 ? KAD_V6 : KAD_V4;
		if (d->first[family] == UINT_MAX)
			d->first[family] = d->sockets_n;
		d->sockets_n++;
	}
}

void dht_io_stop(struct dht *d)
{
	CHECK_OBJ(d, DHT_MAGIC);
	for (unsigned i = 0; i < d->sockets_n; i++) {
		struct dht_socket *s = &d->sockets[i];
		int fd = s->io.fd;

		loop_fd_del(d->loop, &s->io);
		net_close(fd);
	}
	d->sockets_n = 0;
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		d->first[f] = UINT_MAX;
}

void dht_io_send(struct dht *d, int via, const struct endpoint *to, const uint8_t *p, size_t n)
{
	unsigned i;

	CHECK_OBJ(d, DHT_MAGIC);
	i = via == KAD_VIA_ANY ? d->first[endpoint_is_v4(to) ? KAD_V4 : KAD_V6] : (unsigned)via;
	/* The kernel may have no room for it: then it is lost like any datagram.  So are questions
	 * to a node that was known before it was blocked, until it counts as gone. */
	if (i < d->sockets_n && !blocklist_has(d->blocked, to))
		(void)net_udp_send(d->sockets[i].io.fd, to, p, n);
}
