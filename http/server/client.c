/* SPDX-License-Identifier: MIT */
/*
 * Connections, and how long they may take.
 *
 * microhttpd's timeout only counts silence, so a client that drips bytes is ended here.
 */
#include "http/server/priv.h"

#include <sys/socket.h>

#define HEADER_TIME (2)                  /* times api.timeout, to send a whole request */
#define SEND_ROOM   (128 * 1024)         /* bytes that the kernel takes of one answer at once */
#define BODY_TIME   (120 * USEC_PER_SEC) /* besides, for one with a body */

struct client *client_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = i != NULL ? i->socket_context : NULL;

	if (c != NULL)
		CHECK_OBJ(c, CLIENT_MAGIC);
	return c;
}

/* A long answer goes out in parts, and others are served between two of them. */
static void bound_send(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	int room = SEND_ROOM;

	if (i != NULL)
		(void)setsockopt(i->connect_fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
}

void client_event(void *ctx, struct MHD_Connection *conn, void **slot,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *h;
	struct client *c = *slot;

	CAST_OBJ(h, ctx, HTTP_MAGIC);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		ALLOC_OBJ(c, CLIENT_MAGIC);
		c->conn = conn;
		c->since = actor_now(h->actor);
		link_append(&h->clients, &c->link);
		bound_send(conn);
		*slot = c;
		return;
	}
	if (c == NULL)
		return;
	CHECK_OBJ(c, CLIENT_MAGIC);
	link_remove(&c->link);
	*slot = NULL;
	FREE_OBJ(c);
	/* At its limit microhttpd has stopped to listen, and begins again only when it runs. */
	h->again = true;
}

void client_sweep(struct http *h, int64_t now)
{
	int64_t patience;

	CHECK_OBJ(h, HTTP_MAGIC);
	patience = HEADER_TIME * h->config->api_timeout + BODY_TIME;
	for (struct link *l = h->clients.next; l != &h->clients; l = l->next) {
		struct client *c = container_of(l, struct client, link);
		const union MHD_ConnectionInfo *i;

		if (c->busy || now - c->since < patience)
			continue;
		i = MHD_get_connection_info(c->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (i != NULL)
			shutdown(i->connect_fd, SHUT_RDWR);
	}
}
