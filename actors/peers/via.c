/* SPDX-License-Identifier: MIT */
/*
 * The way to peers by a proxy (proxy.url): every connection that we make is one to the proxy,
 * which is then asked to connect to the peer, before a word of the peer wire is said.
 *
 * There is no other way: while the proxy's address is not known, it does not answer, or it turns us
 * away, nobody is dialled, and peers are not blamed for that.  After a pause, which grows, it is
 * tried again.
 */
#include "actors/peers/priv.h"

#define PAUSE_MIN (2 * USEC_PER_SEC)
#define PAUSE_MAX (60 * USEC_PER_SEC)

/* --- whether there is a proxy --- */

static void lost(struct shard *s, enum err err, const char *what)
{
	struct via *v = &s->via;

	if (loop_timer_is_set(&v->again))
		return;
	if (!v->away)
		log_event(LOG_WARNING, "proxy_away", "proxy=\"%s:%u\" err=%s what=%s", v->url.host,
			(unsigned)v->url.port, err_name(err), what);
	v->away = true;
	v->ready = false;
	loop_timer_set(s->loop, &v->again, loop_now(s->loop) + v->pause);
	v->pause = MIN(v->pause * 2, PAUSE_MAX);
}

static void found(struct shard *s)
{
	struct via *v = &s->via;

	v->pause = PAUSE_MIN;
	if (!v->away)
		return;
	v->away = false;
	log_event(LOG_INFO, "proxy_back", "proxy=\"%s:%u\"", v->url.host, (unsigned)v->url.port);
}

/* One of its addresses after the other is tried. */
static void on_name(struct resolver_wait *w)
{
	struct via *v = container_of(w, struct via, wait);
	struct shard *s = container_of(v, struct shard, via);

	CHECK_OBJ(s, SHARD_MAGIC);
	if (w->err != E_OK) {
		lost(s, w->err, "name");
		return;
	}
	v->at = w->at[v->tries++ % w->n];
	v->at.port = v->url.port;
	v->ready = true;
	loop_task_post(s->loop, &s->dial_task); /* who could not dial meanwhile has queued up */
}

static void on_again(struct loop_timer *t, int64_t now)
{
	struct via *v = container_of(t, struct via, again);

	(void)now;
	resolver_ask(v->resolver, &v->wait, v->url.host);
}

void via_start(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct via *v = &s->via;
	const char *why;

	if (!config_proxied(s->config, PROXY_FOR_PEERS))
		return;
	must(config_proxy_parse(s->config->proxy_url, &v->url, &why) ==
		E_OK); /* check.c has seen it */
	v->on = true;
	v->pause = PAUSE_MIN;
	v->again.fn = on_again;
	v->wait.fn = on_name;
	v->resolver = resolver_new(s->loop, random_u64(), s->config);
	resolver_ask(v->resolver, &v->wait, v->url.host);
}

void via_stop(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct via *v = &s->via;

	if (!v->on)
		return;
	resolver_cancel(&v->wait);
	loop_timer_del(s->loop, &v->again);
	resolver_free(&v->resolver);
	v->on = v->ready = false;
}

bool via_is_open(const struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	return !s->via.on || s->via.ready;
}

/* --- one connection --- */

int via_connect(struct shard *s, const struct endpoint *to, enum err *err)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct via *v = &s->via;
	int fd = net_connect(v->on ? &v->at : to, s->config->network_interface, err);

	if (fd < 0 && v->on) {
		lost(s, *err, "connect");
		*err = E_CANCELLED;
	}
	return fd;
}

void via_begin(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	const struct via *v = &c->shard->via;

	if (!v->on)
		return;
	c->via = xcalloc(1, sizeof *c->via);
	proxy_dial_begin(c->via, v->url.http ? PROXY_HTTP : PROXY_SOCKS5, v->url.user,
		v->url.password, &c->at);
}

enum err via_failed(struct conn *c, enum err err, const char *what)
{
	CHECK_OBJ(c, CONN_MAGIC);
	if (c->via == NULL || c->via_heard)
		return err;
	lost(c->shard, err, what);
	return E_CANCELLED;
}

static enum via_step end(struct conn *c, enum err err)
{
	conn_end(c, via_failed(c, err, "closed"), "proxy");
	return VIA_END;
}

static enum via_step refused(struct conn *c)
{
	if (c->via->broken) {
		lost(c->shard, c->via->err, "refused");
		conn_end(c, E_CANCELLED, "proxy");
	} else {
		conn_end(c, c->via->err, "proxy_refused");
	}
	return VIA_END;
}

static enum err say(struct conn *c)
{
	struct proxy_dial *d = c->via;
	enum err err = E_OK;

	while (d->out_n > 0) {
		struct iovec v = {d->out, d->out_n};
		ssize_t n = net_writev(c->io.fd, &v, 1, false, &err);

		if (n < 0)
			return err == E_AGAIN ? E_OK : err;
		proxy_dial_sent(d, (size_t)n);
	}
	return E_OK;
}

enum via_step via_run(struct conn *c)
{
	CHECK_OBJ(c, CONN_MAGIC);
	for (;;) {
		uint8_t in[512];
		struct iovec v = {in, MIN(sizeof in, proxy_dial_room(c->via))};
		enum err err = say(c);
		ssize_t n = err == E_OK ? net_readv(c->io.fd, &v, 1, &err) : -1;

		if (n < 0 && err == E_AGAIN)
			return VIA_WAIT;
		if (n <= 0)
			return end(c, n == 0 ? E_CLOSED : err);
		c->via_heard = true;
		switch (proxy_dial_input(c->via, in, (size_t)n)) {
		case PROXY_MORE:
			break;
		case PROXY_REFUSED:
			return refused(c);
		case PROXY_OPEN:
			found(c->shard);
			xfree(c->via);
			c->via = NULL;
			return VIA_THROUGH;
		}
	}
}
