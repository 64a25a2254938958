/* SPDX-License-Identifier: MIT */
/*
 * The doors: at each listener connections are accepted here and handed to microhttpd.
 *
 * Left to listen by itself, it would look again at once when the process has no descriptor left,
 * for as long as somebody waits.  Here a door is shut for a second, and while there are as many
 * clients as microhttpd takes: who waits stays with the kernel.
 */
#include "http/server/priv.h"

#include <sys/socket.h>

#include "actors/kernel/net.h"

#define ACCEPT_BUDGET 64
#define REST          USEC_PER_SEC

static void shut(struct door *d)
{
	d->shut = true;
	loop_fd_events(actor_loop(d->http->actor), &d->io, 0);
}

static void look_again(struct door *d)
{
	d->shut = false;
	loop_fd_events(actor_loop(d->http->actor), &d->io, POLL_IN);
}

static void on_rested(struct loop_timer *timer, int64_t now)
{
	(void)now;
	look_again(container_of(timer, struct door, rest));
}

static bool is_full(const struct http *h)
{
	return h->clients_n >= (unsigned)h->config->api_connections + CLIENTS_SPARE;
}

/* microhttpd closes the descriptor when it does not take it. */
static void let_in(struct http *h, int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof from;

	if (getpeername(fd, (struct sockaddr *)&from, &size) < 0) {
		net_close(fd); /* it has gone already */
		return;
	}
	(void)MHD_add_connection(h->daemon, fd, (struct sockaddr *)&from, size);
	h->again = true;
}

static void on_door(struct loop_fd *io, uint32_t ready)
{
	struct door *d = container_of(io, struct door, io);
	struct http *h = d->http;

	(void)ready;
	for (int i = 0; i < ACCEPT_BUDGET && !d->shut; i++) {
		struct endpoint from;
		enum err err = E_OK;
		int fd;

		if (is_full(h)) {
			shut(d);
			return;
		}
		fd = net_accept(io->fd, &from, &err);
		if (fd >= 0) {
			let_in(h, fd);
			continue;
		}
		if (err == E_AGAIN)
			return;
		log_event(LOG_WARNING, "accept_failed", "err=%s", err_name(err));
		if (err != E_NFILES && err != E_NOMEM)
			return;
		shut(d);
		loop_timer_set(actor_loop(h->actor), &d->rest, actor_now(h->actor) + REST);
	}
}

/* Whether others than this machine may come by it.  A path is not known to the network. */
static bool is_exposed(int fd)
{
	struct endpoint at;

	return net_local(fd, &at) == E_OK && at.port != 0 && !endpoint_is_loopback(&at);
}

void door_open(struct http *h, const int *fds, unsigned n)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	h->doors = xcalloc(MAX(n, 1u), sizeof *h->doors);
	for (h->doors_n = 0; h->doors_n < n; h->doors_n++) {
		struct door *d = &h->doors[h->doors_n];

		d->http = h;
		d->rest.fn = on_rested;
		d->io.fn = on_door;
		d->io.fd = -1;
		must(loop_fd_add(actor_loop(h->actor), &d->io, fds[h->doors_n], POLL_IN) == E_OK);
		h->exposed |= is_exposed(fds[h->doors_n]);
	}
}

void door_room(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	for (unsigned i = 0; i < h->doors_n; i++) {
		struct door *d = &h->doors[i];

		if (d->shut && d->io.fd >= 0 && !loop_timer_is_set(&d->rest) && !is_full(h))
			look_again(d);
	}
}

void door_close(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	for (unsigned i = 0; i < h->doors_n; i++) {
		loop_timer_del(actor_loop(h->actor), &h->doors[i].rest);
		loop_fd_del(actor_loop(h->actor), &h->doors[i].io);
	}
}
