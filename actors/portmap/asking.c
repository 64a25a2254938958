/* SPDX-License-Identifier: MIT */
/* The sockets and the timer of a mapper. */
#include "actors/portmap/asking.h"

#include "actors/kernel/net.h"
#include "actors/kernel/random.h"

#define BUDGET 16 /* datagrams before others get their turn */

static void pump(struct asking *a)
{
	int64_t now = loop_now(a->loop), at;
	uint8_t out[PCP_MAP_SIZE];
	struct endpoint to = a->gateway.at;
	size_t n;

	to.port = PCP_PORT;
	/* What the system does not send now is lost like any datagram, and sent again. */
	while ((n = mapper_send(&a->mapper, now, out)) > 0)
		(void)net_udp_send(a->io.fd, &to, out, n);
	at = mapper_deadline(&a->mapper);
	if (at == INT64_MAX)
		loop_timer_del(a->loop, &a->timer);
	else
		loop_timer_set(a->loop, &a->timer, at);
}

static void on_timer(struct loop_timer *t, int64_t now)
{
	struct asking *a = container_of(t, struct asking, timer);

	(void)now;
	pump(a);
	a->changed(a->ctx);
}

/* Only the gateway is listened to; an answer comes from the port that was asked. */
static void receive(struct asking *a, int fd, bool answer)
{
	for (int i = 0; i < BUDGET; i++) {
		uint8_t in[PCP_MAX + 1];
		struct endpoint from;
		enum err err = E_OK;
		ssize_t n = net_udp_recv(fd, &from, in, sizeof in, &err);

		if (n < 0 && err == E_AGAIN)
			return;
		if (n > 0 && endpoint_same_ip(&from, &a->gateway.at) &&
			(!answer || from.port == PCP_PORT))
			mapper_take(&a->mapper, in, (size_t)n, loop_now(a->loop));
	}
}

static void on_answer(struct loop_fd *io, uint32_t ready)
{
	struct asking *a = container_of(io, struct asking, io);

	(void)ready;
	receive(a, io->fd, true);
	pump(a);
	a->changed(a->ctx);
}

static void on_heard(struct loop_fd *io, uint32_t ready)
{
	struct asking *a = container_of(io, struct asking, heard);

	(void)ready;
	receive(a, io->fd, false);
	pump(a);
	a->changed(a->ctx);
}

void asking_init(
	struct asking *a, struct loop *loop, struct rng *rng, void (*changed)(void *), void *ctx)
{
	*a = (struct asking){.loop = loop,
		.rng = rng,
		.changed = changed,
		.ctx = ctx,
		.io = {.fd = -1, .fn = on_answer},
		.heard = {.fd = -1, .fn = on_heard},
		.timer = {.fn = on_timer}};
}

static enum err open_at(
	struct asking *a, struct loop_fd *io, const struct endpoint *at, const char *device)
{
	enum err err = E_OK;
	int fd = net_udp_open(at, device, &err);

	if (fd < 0)
		return err;
	err = loop_fd_add(a->loop, io, fd, POLL_IN);
	if (err != E_OK)
		net_close(fd);
	return err;
}

static void close_at(struct asking *a, struct loop_fd *io)
{
	int fd = io->fd;

	if (fd < 0)
		return;
	loop_fd_del(a->loop, io);
	net_close(fd);
}

enum err asking_start(struct asking *a, const struct gateway *g, const char *device, uint16_t port,
	uint32_t lease)
{
	struct endpoint any = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, PCP_ANNOUNCE};
	struct mapper_conf conf = {.local = g->local, .lease = lease};
	enum err err;

	must(!a->on);
	err = open_at(a, &a->io, &g->local, device);
	if (err != E_OK)
		return err;
	/* Gateways tell all hosts (224.0.0.1), to which every interface listens by itself. */
	(void)open_at(a, &a->heard, &any, device);
	conf.local.port = port;
	random_bytes(conf.nonce, sizeof conf.nonce);
	a->gateway = *g;
	a->on = true;
	mapper_init(&a->mapper, &conf, a->rng, loop_now(a->loop));
	pump(a);
	return E_OK;
}

void asking_wind_down(struct asking *a)
{
	if (!a->on)
		return;
	mapper_stop(&a->mapper);
	pump(a);
}

bool asking_is_quiet(const struct asking *a)
{
	return !a->on || mapper_released(&a->mapper);
}

void asking_end(struct asking *a)
{
	uint8_t out[PCP_MAP_SIZE];
	struct endpoint to = a->gateway.at;

	if (!a->on)
		return;
	to.port = PCP_PORT;
	for (unsigned p = 0; p < PCP_PROTOS; p++) {
		size_t n = mapper_farewell(&a->mapper, (enum pcp_proto)p, out);

		if (n > 0)
			(void)net_udp_send(a->io.fd, &to, out, n);
	}
	loop_timer_del(a->loop, &a->timer);
	close_at(a, &a->io);
	close_at(a, &a->heard);
	a->on = false;
}
