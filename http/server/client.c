/* SPDX-License-Identifier: MIT */
/*
 * Connections, and how long they may take.
 *
 * microhttpd's timeout only counts silence, so who drips bytes is ended here: a header, a body and
 * an answer have a time in all.  When every place is taken the newcomer gets that of the slowest,
 * so that nobody shuts others out by being slow.
 */
#include "http/server/priv.h"

#include <sys/socket.h>

#define HEADER_TIME                                                                                \
	(10 * USEC_PER_SEC) /* for a whole header, once a connection is no longer idle */
#define BODY_TIME    (150 * USEC_PER_SEC) /* for a whole body */
#define ANSWER_TIME  (300 * USEC_PER_SEC) /* until an answer is taken */
#define GRACE        (10 * USEC_PER_SEC) /* bodies and answers younger than this keep their place */
#define STREAM_TIME  (60 * USEC_PER_SEC) /* until all of a stream's text is taken */
#define REFUSED_TIME (5 * USEC_PER_SEC)  /* what a refused body goes on for */

/* What the kernel holds of an answer that the client has not taken; a few times this, as it counts.
 * A turn of the loop copies no more for one client, so short answers do not wait for long ones. */
#define SEND_BUFFER (128 * 1024)

static int fd_of(const struct client *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c->conn, MHD_CONNECTION_INFO_CONNECTION_FD);

	return i != NULL ? i->connect_fd : -1;
}

struct client *client_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = i != NULL ? i->socket_context : NULL;

	if (c != NULL)
		CHECK_OBJ(c, CLIENT_MAGIC);
	return c;
}

void client_enter(struct http *h, struct MHD_Connection *conn, enum client_phase phase)
{
	struct client *c = client_of(conn);

	CHECK_OBJ(h, HTTP_MAGIC);
	if (c == NULL)
		return;
	c->phase = phase;
	c->since = actor_now(h->actor);
}

/* microhttpd sees the end of the stream and lets it go. */
static void cut(struct client *c)
{
	c->cut = true;
	shutdown(fd_of(c), SHUT_RDWR);
}

/* The one that has been at it for longest, but for the newcomer and who waits for us. */
static struct client *find_slowest(struct http *h, const struct client *newcomer, int64_t now)
{
	struct client *slowest = NULL;

	for (struct link *l = h->clients.next; l != &h->clients; l = l->next) {
		struct client *c = container_of(l, struct client, link);
		bool young = c->phase > CLIENT_HEADER && now - c->since < GRACE;

		if (c != newcomer && !c->cut && !young && c->phase != CLIENT_WAITS &&
			c->phase != CLIENT_STREAM && (slowest == NULL || c->since < slowest->since))
			slowest = c;
	}
	return slowest;
}

static void client_new(struct http *h, struct MHD_Connection *conn, void **slot)
{
	int64_t now = actor_now(h->actor);
	struct client *c, *slowest;
	int size = SEND_BUFFER;

	ALLOC_OBJ(c, CLIENT_MAGIC);
	c->conn = conn;
	c->since = now;
	link_append(&h->clients, &c->link);
	*slot = c;
	setsockopt(fd_of(c), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	if (++h->clients_n <= (unsigned)h->config->api_connections)
		return;
	slowest = find_slowest(h, c, now);
	cut(slowest != NULL ? slowest : c);
}

void client_event(void *ctx, struct MHD_Connection *conn, void **slot,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *h;
	struct client *c = *slot;

	CAST_OBJ(h, ctx, HTTP_MAGIC);
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		client_new(h, conn, slot);
		return;
	}
	if (c == NULL)
		return;
	CHECK_OBJ(c, CLIENT_MAGIC);
	link_remove(&c->link);
	h->clients_n--;
	*slot = NULL;
	FREE_OBJ(c);
	door_room(h);
}

static int64_t patience(const struct http *h, const struct client *c)
{
	switch (c->phase) {
	case CLIENT_NEW:
		return HEADER_TIME;
	case CLIENT_HEADER:
		return h->config->api_timeout + HEADER_TIME;
	case CLIENT_BODY:
		return BODY_TIME;
	case CLIENT_REFUSED:
		return REFUSED_TIME;
	case CLIENT_WAITS:
		return INT64_MAX;
	case CLIENT_ANSWER:
		return ANSWER_TIME;
	case CLIENT_STREAM:
		return STREAM_TIME;
	}
	return HEADER_TIME;
}

void client_sweep(struct http *h, int64_t now)
{
	CHECK_OBJ(h, HTTP_MAGIC);
	for (struct link *l = h->clients.next; l != &h->clients; l = l->next) {
		struct client *c = container_of(l, struct client, link);

		if (!c->cut && now - c->since >= patience(h, c))
			cut(c);
	}
}
