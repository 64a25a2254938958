/* SPDX-License-Identifier: MIT */
/*
 * The HTTP actor: libmicrohttpd inside the actor's loop.
 *
 * microhttpd brings its own epoll set, which is one descriptor of ours; it runs when that is ready,
 * when its timeout is due, and at the end of a turn that resumed a request.  Its connection timeout
 * only counts silence, so a client that drips bytes is ended here (sweep).
 */
#include "http/server/priv.h"

#include <malloc.h>
#include <stdio.h>

#define SWEEP       (1 * USEC_PER_SEC)
#define RUNS_A_TURN 8
#define MEMORY      (32u * 1024u) /* of one connection: headers and send buffer */

static struct http *http_of(struct actor *a)
{
	struct http *h;

	CAST_OBJ(h, actor_self(a), HTTP_MAGIC);
	return h;
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

/*
 * After large bodies or answers: the allocator keeps what was freed in the midst of its heaps, and
 * would for good.
 */
static void give_back(struct http *h)
{
	if (!h->burst || h->uploads > 0 || h->bodies > BURST)
		return;
	h->burst = false;
	malloc_trim(0);
}

static void on_sweep(struct loop_timer *timer, int64_t now)
{
	struct http *h = container_of(timer, struct http, sweep);

	client_sweep(h, now);
	shared_sweep(h);
	give_back(h);
	loop_timer_set(actor_loop(h->actor), &h->sweep, now + SWEEP);
}

static void on_log(void *ctx, const char *fmt, va_list ap)
{
	char line[512];

	(void)ctx;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_event(LOG_DEBUG, "microhttpd", "text=\"%s\"", line);
}

static void start(struct http *h, const struct actor_env *env)
{
	const union MHD_DaemonInfo *info;
	unsigned timeout = (unsigned)MAX(h->config->api_timeout / USEC_PER_SEC, (int64_t)1);

	h->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
					     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		0, NULL, NULL, request_step, h, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, request_line, h, MHD_OPTION_NOTIFY_COMPLETED,
		request_over, h, MHD_OPTION_NOTIFY_CONNECTION, client_event, h,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)h->config->api_connections + CLIENTS_SPARE +
			API_STREAMS(h->config->api_connections),
		MHD_OPTION_CONNECTION_TIMEOUT, timeout, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	/* It opens nothing but its set of descriptors, which main has counted with. */
	must(h->daemon != NULL);
	info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	must(info != NULL);
	h->io.fn = on_ready;
	h->io.fd = -1;
	must(loop_fd_add(actor_loop(h->actor), &h->io, info->epoll_fd, POLL_IN) == E_OK);
	door_open(h, env->api_fds, env->api_fds_n);
}

static void stop(struct http *h)
{
	struct loop *loop = actor_loop(h->actor);

	if (h->daemon == NULL)
		return;
	door_close(h);
	streaming_end(h); /* microhttpd must not end while one is suspended */
	pours_end(h);
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
	h->resources = env->resources;
	h->workers = env->workers;
	h->tokens = tokens_new(env->tokens, env->tokens_n);
	h->pairings = pairings_new();
	h->tries = tries_new();
	h->basic = basic_new();
	h->logins = logins_new();
	h->repeats = repeats_new();
	if (env->pairing.expires != 0)
		pairings_add_link(h->pairings, &env->pairing);
	link_init(&h->clients);
	link_init(&h->streams);
	link_init(&h->pours);
	shared_init(h);
	tables_open(h);
	h->timer.fn = on_timer;
	h->sweep.fn = on_sweep;
	start(h, env);
	loop_timer_set(actor_loop(a), &h->sweep, actor_now(a) + SWEEP);
	return h;
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct http *h = http_of(a);
	struct m_reload *r = MSG_AS(RELOAD, *m);
	const struct config *old = h->config;

	h->config = r->config;
	r->config = old;
	if (strcmp(old->api_user, h->config->api_user) != 0 ||
		strcmp(old->api_password, h->config->api_password) != 0 ||
		strcmp(old->api_token, h->config->api_token) != 0)
		logins_end(h->logins);
}

/* Nothing new is taken; what waits for an answer gets it first. */
static void http_tick_end(struct actor *a)
{
	struct http *h = http_of(a);

	for (int i = 0; i < RUNS_A_TURN && (h->again || (h->stopping && h->streams_n > 0)); i++)
		run(h);
	if (!h->stopping || h->waiting > 0 || h->daemon == NULL)
		return;
	stop(h);
	actor_quiesced(a);
}

static void http_quiesce(struct actor *a)
{
	struct http *h = http_of(a);

	door_close(h);
	h->stopping = true;
	streaming_end(h);
	pours_end(h);
}

static void http_fini(struct actor *a)
{
	struct http *h = http_of(a);

	stop(h);
	shared_fini(h);
	tables_close(h);
	tokens_free(&h->tokens);
	pairings_free(&h->pairings);
	tries_free(&h->tries);
	basic_free(&h->basic);
	logins_free(&h->logins);
	repeats_free(&h->repeats);
	config_unref(&h->config);
	xfree(h->doors);
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
