/* SPDX-License-Identifier: MIT */
/*
 * The HTTP actor: libmicrohttpd inside the actor's loop.
 *
 * microhttpd brings its own epoll set, which is one descriptor of ours; it runs when that is ready,
 * when its timeout is due, and at the end of a turn that resumed a request.  Its connection timeout
 * only counts silence, so a client that drips bytes is ended here (sweep).
 */
#include "http/server/priv.h"

#include <stdio.h>
#include <sys/socket.h>

#define SWEEP       (2 * USEC_PER_SEC)
#define HEADER_TIME (2)                  /* times api.timeout, to send a whole request */
#define BODY_TIME   (120 * USEC_PER_SEC) /* besides, for one with a body */
#define RUNS_A_TURN 8
#define MEMORY      (32u * 1024u) /* of one connection: headers and send buffer */

static struct http *http_of(struct actor *a)
{
	struct http *h;

	CAST_OBJ(h, actor_self(a), HTTP_MAGIC);
	return h;
}

/* --- one request --- */

static struct request *request_new(struct http *h, struct MHD_Connection *conn)
{
	struct request *r;

	ALLOC_OBJ(r, REQUEST_MAGIC);
	r->http = h;
	r->conn = conn;
	return r;
}

static struct client *client_of(struct MHD_Connection *conn)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i != NULL ? i->socket_context : NULL;
}

static void on_completed(
	void *ctx, struct MHD_Connection *conn, void **slot, enum MHD_RequestTerminationCode how)
{
	struct http *h = ctx;
	struct request *r;
	struct client *c = client_of(conn);

	(void)how;
	if (c != NULL) {
		c->busy = false;
		c->since = actor_now(h->actor);
	}
	if (*slot == NULL)
		return;
	TAKE_OBJ(r, (struct request **)slot, REQUEST_MAGIC);
	actor_cancel_calls(h->actor, r);
	if (r->suspended)
		h->waiting--;
	xfree(r->body);
	xfree(r->upload);
	FREE_OBJ(r);
}

static void find_route(struct request *r, const char *url, const char *method)
{
	bool head = strcmp(method, "HEAD") == 0;

	r->route = route_find(url);
	if (r->route == NULL) {
		answer_text(r, 404, "no such endpoint: GET / lists them");
		return;
	}
	if (head || strcmp(method, "GET") == 0)
		r->method = METHOD_GET;
	else if (strcmp(method, "POST") == 0)
		r->method = METHOD_POST;
	if ((r->route->methods & r->method) != 0 && !(head && r->route->fn == call_set))
		return;
	r->allow = r->route->methods == METHOD_POST  ? "POST"
		   : r->route->methods == METHOD_GET ? "GET, HEAD"
						     : "GET, POST";
	answer_text(r, 405, "this endpoint takes %s", r->allow);
}

static bool declared_too_large(struct request *r)
{
	const char *v = MHD_lookup_connection_value(r->conn, MHD_HEADER_KIND, "Content-Length");
	uint64_t n = 0;

	for (; v != NULL && *v >= '0' && *v <= '9' && n <= r->http->config->api_body_limit; v++)
		n = n * 10 + (uint64_t)(*v - '0');
	return n > r->http->config->api_body_limit;
}

static void too_large(struct request *r)
{
	if (!r->answered)
		answer_text(r, 413, "the body is larger than api.body_limit (%llu bytes)",
			(unsigned long long)r->http->config->api_body_limit);
}

static void collect(struct request *r, const char *data, size_t n)
{
	if (r->answered)
		return;
	if (n > r->http->config->api_body_limit - r->upload_n) {
		too_large(r);
		return;
	}
	if (r->upload_n + n > r->upload_cap) {
		r->upload_cap = MAX(2 * r->upload_cap, MAX(r->upload_n + n, (size_t)4096));
		r->upload = xrealloc(r->upload, r->upload_cap);
	}
	memcpy(r->upload + r->upload_n, data, n);
	r->upload_n += n;
}

static enum MHD_Result begin(struct http *h, struct MHD_Connection *conn, const char *url,
	const char *method, const char *version, void **slot)
{
	struct request *r = request_new(h, conn);
	struct client *c = client_of(conn);

	*slot = r;
	if (c != NULL && actor_now(h->actor) - c->since > 0)
		c->since = actor_now(h->actor);
	if (guard_request(r, version))
		find_route(r, url, method);
	if (!r->answered && declared_too_large(r))
		too_large(r);
	/* Answered before the body is read: microhttpd then closes the connection. */
	return r->answered ? answer_send(r) : MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *conn, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **slot)
{
	struct http *h = ctx;
	struct request *r = *slot;
	struct client *c;

	if (r == NULL)
		return begin(h, conn, url, method, version, slot);
	CHECK_OBJ(r, REQUEST_MAGIC);
	if (*size > 0) {
		collect(r, data, *size);
		*size = 0;
		return r->answered && r->status == 413 ? MHD_NO : MHD_YES;
	}
	c = client_of(conn);
	if (c != NULL)
		c->busy = true;
	if (!r->answered)
		r->route->fn(r);
	return r->answered ? answer_send(r) : MHD_YES;
}

/* --- connections --- */

static void on_client(void *ctx, struct MHD_Connection *conn, void **slot,
	enum MHD_ConnectionNotificationCode what)
{
	struct http *h = ctx;
	struct client *c = *slot;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		ALLOC_OBJ(c, CLIENT_MAGIC);
		c->conn = conn;
		c->since = actor_now(h->actor);
		c->next = h->clients;
		if (c->next != NULL)
			c->next->prev = c;
		h->clients = c;
		*slot = c;
		return;
	}
	if (c == NULL)
		return;
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		h->clients = c->next;
	*slot = NULL;
	FREE_OBJ(c);
	/* At its limit microhttpd has stopped to listen, and begins again only when it runs. */
	h->again = true;
}

static void on_sweep(struct loop_timer *timer, int64_t now)
{
	struct http *h = container_of(timer, struct http, sweep);
	int64_t patience = HEADER_TIME * h->config->api_timeout + BODY_TIME;

	for (struct client *c = h->clients; c != NULL; c = c->next) {
		const union MHD_ConnectionInfo *i;

		if (c->busy || now - c->since < patience)
			continue;
		i = MHD_get_connection_info(c->conn, MHD_CONNECTION_INFO_CONNECTION_FD);
		if (i != NULL)
			shutdown(i->connect_fd, SHUT_RDWR);
	}
	loop_timer_set(actor_loop(h->actor), &h->sweep, now + SWEEP);
}

/* --- the daemon in the loop --- */

static void run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;
	struct loop *loop = actor_loop(h->actor);

	if (h->daemon == NULL)
		return;
	h->again = false;
	MHD_run(h->daemon);
	if (MHD_get_timeout(h->daemon, &ms) == MHD_YES)
		loop_timer_set(
			loop, &h->timer, loop_now(loop) + (int64_t)MIN(ms, 60000u) * USEC_PER_MSEC);
	else
		loop_timer_del(loop, &h->timer);
}

static void on_ready(struct loop_fd *io, uint32_t ready)
{
	(void)ready;
	run(container_of(io, struct http, io));
}

static void on_timer(struct loop_timer *timer, int64_t now)
{
	(void)now;
	run(container_of(timer, struct http, timer));
}

static void on_log(void *ctx, const char *fmt, va_list ap)
{
	char line[512], safe[512];

	(void)ctx;
	vsnprintf(line, sizeof line, fmt, ap);
	log_event(LOG_DEBUG, "microhttpd", "text=\"%s\"", log_safe(line, safe, sizeof safe));
}

static void start(struct http *h, int fd)
{
	const union MHD_DaemonInfo *info;
	unsigned timeout = (unsigned)MAX(h->config->api_timeout / USEC_PER_SEC, (int64_t)1);

	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, h,
		MHD_OPTION_NOTIFY_CONNECTION, on_client, h, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)h->config->api_connections, MHD_OPTION_CONNECTION_TIMEOUT, timeout,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_END);
	/* main has bound the socket; nothing else can go wrong but memory. */
	must(h->daemon != NULL);
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	must(info != NULL);
	h->io.fn = on_ready;
	h->io.fd = -1;
	must(loop_fd_add(actor_loop(h->actor), &h->io, info->epoll_fd, POLL_IN) == E_OK);
}

static void stop(struct http *h)
{
	struct loop *loop = actor_loop(h->actor);

	if (h->daemon == NULL)
		return;
	loop_fd_del(loop, &h->io);
	loop_timer_del(loop, &h->timer);
	loop_timer_del(loop, &h->sweep);
	MHD_stop_daemon(h->daemon);
	h->daemon = NULL;
}

/* --- the actor --- */

static void *http_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct http *h;

	ALLOC_OBJ(h, HTTP_MAGIC);
	h->actor = a;
	h->config = config_ref(env->config);
	h->timer.fn = on_timer;
	h->sweep.fn = on_sweep;
	start(h, env->api_fd);
	loop_timer_set(actor_loop(a), &h->sweep, actor_now(a) + SWEEP);
	return h;
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct http *h = http_of(a);
	struct m_reload *r = (struct m_reload *)*m;
	const struct config *old = h->config;

	h->config = r->config;
	r->config = old;
}

/* Nothing new is taken; what waits for an answer gets it first. */
static void http_tick_end(struct actor *a)
{
	struct http *h = http_of(a);

	for (int i = 0; i < RUNS_A_TURN && h->again; i++)
		run(h);
	if (!h->stopping || h->waiting > 0 || h->daemon == NULL)
		return;
	stop(h);
	actor_quiesced(a);
}

static void http_quiesce(struct actor *a)
{
	struct http *h = http_of(a);
	int fd = MHD_quiesce_daemon(h->daemon);

	(void)fd; /* main opened it and closes it */
	h->stopping = true;
}

static void http_fini(struct actor *a)
{
	struct http *h = http_of(a);

	stop(h);
	config_unref(&h->config);
	FREE_OBJ(h);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, on_reload},
	{0, NULL},
};

const struct actor_spec http_spec = {
	.role_name = "http",
	.handlers = handlers,
	.init = http_init,
	.quiesce = http_quiesce,
	.tick_end = http_tick_end,
	.fini = http_fini,
};
