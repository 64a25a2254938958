/* SPDX-License-Identifier: MIT */
/*
 * The door: connections are accepted here and handed to microhttpd.
 *
 * Left to listen by itself, it would look again at once when the process has no descriptor left,
 * for as long as somebody waits.  Here the door is shut for a second, and while there are as many
 * clients as microhttpd takes: who waits stays with the kernel.
 */
#include "http/server/priv.h"

#include <sys/socket.h>

#include "actors/kernel/net.h"

#define ACCEPT_BUDGET 64
#define REST          USEC_PER_SEC

static void shut(struct http *h)
{
	h->shut = true;
	loop_fd_events(actor_loop(h->actor), &h->door, 0);
}

static void look_again(struct http *h)
{
	h->shut = false;
	loop_fd_events(actor_loop(h->actor), &h->door, POLL_IN);
}

static void on_rested(struct loop_timer *timer, int64_t now)
{
	(void)now;
	look_again(container_of(timer, struct http, rest));
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
	struct http *h = container_of(io, struct http, door);

	(void)ready;
	for (int i = 0; i < ACCEPT_BUDGET && !h->shut; i++) {
		struct endpoint from;
		enum err err = E_OK;
		int fd;

		if (is_full(h)) {
			shut(h);
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
		shut(h);
		loop_timer_set(actor_loop(h->actor), &h->rest, actor_now(h->actor) + REST);
	}
}

void door_open(struct http *h, int fd)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	h->rest.fn = on_rested;
	h->door.fn = on_door;
	h->door.fd = -1;
	must(loop_fd_add(actor_loop(h->actor), &h->door, fd, POLL_IN) == E_OK);
}

void door_room(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	if (h->shut && h->door.fd >= 0 && !loop_timer_is_set(&h->rest) && !is_full(h))
		look_again(h);
}

void door_close(struct http *h)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	loop_timer_del(actor_loop(h->actor), &h->rest);
	loop_fd_del(actor_loop(h->actor), &h->door);
}
