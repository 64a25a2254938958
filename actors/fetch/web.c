/* SPDX-License-Identifier: MIT */
/*
 * libcurl's multi interface driven by the actor's loop.
 *
 * libcurl may not be re-entered from its callbacks: they only note what it wants.  Finished
 * transfers are collected after each call of curl_multi_socket_action().
 */
#include "actors/fetch/priv.h"

#include "actors/msg/env.h"

void fetch_global_init(void)
{
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

void fetch_global_fini(void)
{
	curl_global_cleanup();
}

/* --- libcurl and the loop --- */

static void collect_finished(struct web *w)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(w->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		struct web_get *g = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&g);
		w->hop_done(g, code);
	}
}

static void run_timer(struct loop_timer *t, int64_t now)
{
	struct web *w = container_of(t, struct web, timer);
	int running;

	(void)now;
	CHECK_OBJ(w, WEB_MAGIC);
	curl_multi_socket_action(w->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect_finished(w);
}

static int set_timer(CURLM *multi, long ms, void *ctx)
{
	struct web *w = ctx;

	(void)multi;
	if (ms < 0 || w->closing)
		loop_timer_del(w->loop, &w->timer);
	else
		loop_timer_set(w->loop, &w->timer, loop_now(w->loop) + ms * USEC_PER_MSEC);
	return 0;
}

static void run_socket(struct watch_set *set, int fd, uint32_t ready)
{
	struct web *w = container_of(set, struct web, sockets);
	int mask = 0, running;

	CHECK_OBJ(w, WEB_MAGIC);
	if (ready & POLL_IN)
		mask |= CURL_CSELECT_IN;
	if (ready & POLL_OUT)
		mask |= CURL_CSELECT_OUT;
	if (ready & POLL_ERR)
		mask |= CURL_CSELECT_ERR;
	curl_multi_socket_action(w->multi, fd, mask, &running);
	collect_finished(w);
}

static int change_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *sock)
{
	struct web *w = ctx;
	struct watch *s = sock;
	uint32_t events = 0;

	(void)easy;
	CHECK_OBJ(w, WEB_MAGIC);
	if (what == CURL_POLL_REMOVE) {
		if (s != NULL)
			watch_end(&s);
		return 0;
	}
	if (s == NULL) {
		s = watch_new(&w->sockets, fd);
		curl_multi_assign(w->multi, fd, s);
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= POLL_IN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= POLL_OUT;
	watch_events(s, events);
	return 0;
}

void web_make_multi(struct web *w)
{
	CHECK_OBJ(w, WEB_MAGIC);
	w->multi = curl_multi_init();
	must(w->multi != NULL);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, change_socket);
	curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
	curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, (long)w->connections);
}

/* --- outside --- */

struct web *web_new(
	struct loop *loop, struct resolver *resolver, unsigned connections, uint16_t api_port)
{
	struct web *w;

	ALLOC_OBJ(w, WEB_MAGIC);
	w->loop = loop;
	w->resolver = resolver;
	w->connections = connections;
	w->api_port = api_port;
	w->timer.fn = run_timer;
	w->use = PROXY_FOR_TRACKERS;
	watch_set_init(&w->sockets, loop, run_socket);
	return w;
}

void web_use(struct web *w, enum proxy_use use)
{
	CHECK_OBJ(w, WEB_MAGIC);
	w->use = use;
}

void web_block(struct web *w, const struct blocklist *list)
{
	const struct blocklist *old;

	CHECK_OBJ(w, WEB_MAGIC);
	old = w->blocked;
	w->blocked = blocklist_ref(list);
	blocklist_unref(&old);
}

void web_free(struct web **pw)
{
	struct web *w;

	TAKE_OBJ(w, pw, WEB_MAGIC);
	must(w->gets_n == 0);
	w->closing = w->sockets.closing = true;
	if (w->multi != NULL)
		curl_multi_cleanup(w->multi);
	loop_timer_del(w->loop, &w->timer);
	blocklist_unref(&w->blocked);
	FREE_OBJ(w);
}
