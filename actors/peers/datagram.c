/* SPDX-License-Identifier: MIT */
/*
 * Datagrams at the peer port: a uTP SYN is answered by a RESET, and nothing else by anything.
 *
 * Without an answer clients that try uTP first wait for seconds before they dial by TCP.  Nothing
 * is kept of whoever asks.  The address of a datagram may be forged: the answer is no longer than
 * the question, and there are few of them a second, so that nobody is reached through us whom the
 * forger could not reach as well.
 */
#include "actors/peers/priv.h"
#include "proto/utp/utp.h"

#define BUDGET  64   /* datagrams before others get their turn */
#define ANSWERS 1000 /* a second */

static void answer(struct shard *s, int fd, const struct endpoint *to, const struct utp_syn *syn)
{
	int64_t now = loop_now(s->loop);
	uint8_t out[UTP_HEADER];

	if (to->port == 0 || endpoint_is_multicast(to) ||
		bucket_allow(&s->datagrams.answers, now) == 0)
		return;
	bucket_spend(&s->datagrams.answers, 1);
	utp_reset_encode(out, syn, (uint16_t)rng_below(&s->rng, 65536), now);
	/* The kernel may have no room for it: then it is lost like any datagram. */
	(void)net_udp_send(fd, to, out, sizeof out);
}

static void on_datagram(struct loop_fd *io, uint32_t ready)
{
	struct datagram_socket *d = container_of(io, struct datagram_socket, io);

	(void)ready;
	for (int i = 0; i < BUDGET; i++) {
		uint8_t in[UTP_SYN_MAX + 1]; /* a longer one is cut, and too long */
		struct endpoint from;
		struct utp_syn syn;
		enum err err = E_OK;
		ssize_t n = net_udp_recv(io->fd, &from, in, sizeof in, &err);

		/* Errors are those of answers that did not arrive. */
		if (n < 0 && err == E_AGAIN)
			return;
		if (n >= 0 && utp_syn_decode(in, (size_t)n, &syn) &&
			!blocklist_refuses(d->shard->blocked, &from))
			answer(d->shard, io->fd, &from, &syn);
	}
}

void datagram_start(struct shard *s, const int *fds, unsigned n)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	bucket_init(&s->datagrams.answers, ANSWERS, loop_now(s->loop));
	for (unsigned i = 0; i < n && i < LISTENERS; i++) {
		struct datagram_socket *d = &s->datagrams.socket[s->datagrams.n++];

		d->shard = s;
		d->io = (struct loop_fd){.fd = -1, .fn = on_datagram};
		must(loop_fd_add(s->loop, &d->io, fds[i], POLL_IN) == E_OK);
	}
}

void datagram_stop(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	for (unsigned i = 0; i < s->datagrams.n; i++) {
		struct datagram_socket *d = &s->datagrams.socket[i];
		int fd = d->io.fd;

		loop_fd_del(s->loop, &d->io);
		net_close(fd);
	}
	s->datagrams.n = 0;
}
