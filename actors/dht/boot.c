/* SPDX-License-Identifier: MIT */
/*
 * The first nodes: those of an earlier run, from the database, and routers of the configuration,
 * whose names are only looked up when the others do not help.  What works is saved every few
 * minutes and at the end.
 */
#include "actors/dht/priv.h"

#include <stdlib.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

#define BOOT_FIRST  (5 * USEC_PER_SEC)
#define BOOT_MAX    (600 * USEC_PER_SEC)
#define SAVE_FIRST  (60 * USEC_PER_SEC)
#define SAVE_EVERY  (600 * USEC_PER_SEC)
#define SAVED_NODES 300u

/* --- names --- */

static bool is_ready(const struct dht *d)
{
	struct kad_view v;

	kad_view(d->kad, &v, loop_now(d->loop));
	return v.family[KAD_V4].ready || v.family[KAD_V6].ready;
}

static void on_name(struct resolver_wait *w)
{
	struct dht_router *r = container_of(w, struct dht_router, wait);
	struct dht *d = r->dht;

	CHECK_OBJ(d, DHT_MAGIC);
	if (w->err != E_OK) {
		d->names_bad++;
		log_event(LOG_DEBUG, "dht_router", "name=%s err=%s", r->name, err_name(w->err));
		return;
	}
	for (unsigned i = 0; i < w->n; i++) {
		struct endpoint at = w->at[i];

		at.port = r->port;
		kad_meet(d->kad, NULL, &at, KAD_ROUTER, loop_now(d->loop));
	}
	dht_rearm(d);
}

static void look_up_all(struct dht *d)
{
	d->names_bad = 0;
	for (unsigned i = 0; i < d->routers_n; i++) {
		struct dht_router *r = &d->routers[i];

		if (r->wait.resolver == NULL)
			resolver_ask(d->resolver, &r->wait, r->name);
	}
}

/* Again and again while it does not work, the longer the more seldom. */
static void on_boot(struct loop_timer *t, int64_t now)
{
	struct dht *d = container_of(t, struct dht, boot_timer);

	CHECK_OBJ(d, DHT_MAGIC);
	if (!is_ready(d)) {
		look_up_all(d);
		d->boot_wait = MIN(d->boot_wait * 2, BOOT_MAX);
	} else {
		d->boot_wait = BOOT_FIRST;
	}
	loop_timer_set(d->loop, t, now + MAX(d->boot_wait, 60 * USEC_PER_SEC));
}

static void forget_routers(struct dht *d)
{
	for (unsigned i = 0; i < d->routers_n; i++) {
		resolver_cancel(&d->routers[i].wait);
		xfree(d->routers[i].name);
	}
	d->routers_n = 0;
}

/* "name:port"; config/check.c has looked at it. */
static void note_routers(struct dht *d)
{
	const struct config_list *list = &d->config->dht_bootstrap;

	for (size_t i = 0; i < list->n && d->routers_n < DHT_ROUTERS; i++) {
		const char *colon = strrchr(list->v[i], ':');
		struct dht_router *r = &d->routers[d->routers_n];
		size_t n;

		if (colon == NULL)
			continue;
		n = (size_t)(colon - list->v[i]);
		*r = (struct dht_router){.dht = d, .port = (uint16_t)strtoul(colon + 1, NULL, 10)};
		r->wait.fn = on_name;
		r->name = xstrdup(list->v[i]);
		r->name[n] = '\0';
		/* An IPv6 address has brackets around it. */
		if (n > 2 && r->name[0] == '[' && r->name[n - 1] == ']') {
			memmove(r->name, r->name + 1, n - 2);
			r->name[n - 2] = '\0';
		}
		d->routers_n++;
	}
}

/* --- the database --- */

static void take_saved(struct dht *d, unsigned family, const struct dht_saved *s)
{
	struct slice list = {s->nodes, s->nodes_n};
	struct krpc_node node;
	int64_t now = loop_now(d->loop);
	unsigned n = 0;

	while (n++ < SAVED_NODES && krpc_node_next(&list, family == KAD_V6, &node))
		kad_meet(d->kad, &node.id, &node.at, KAD_SAVED, now);
}

static void open_family(struct dht *d, unsigned family, const struct dht_saved *s)
{
	struct kad_id id;

	if (d->first[family] >= d->sockets_n)
		return;
	if (s != NULL && s->has_id)
		id = kad_id_of(s->id);
	else
		random_bytes(id.b, sizeof id.b);
	kad_open(d->kad, family, &id, loop_now(d->loop));
}

static void on_loaded(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct dht *d = dht_of(a);
	const struct m_state_dht *got = err == E_OK ? MSG_AS(STATE_DHT_LOAD, *m) : NULL;

	(void)ctx;
	if (actor_stopping(a) || d->kad == NULL)
		return;
	d->loaded = true;
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		open_family(d, f, got != NULL ? &got->family[f] : NULL);
	for (unsigned f = 0; got != NULL && f < KAD_FAMILIES; f++)
		take_saved(d, f, &got->family[f]);
	/* Without saved nodes the routers are all there is. */
	if (got == NULL || got->family[KAD_V4].nodes_n + got->family[KAD_V6].nodes_n == 0)
		look_up_all(d);
	loop_timer_set(d->loop, &d->boot_timer, loop_now(d->loop) + BOOT_FIRST);
	dht_rearm(d);
}

static void put_saved(const struct dht *d, unsigned family, struct dht_saved *out)
{
	struct krpc_node nodes[SAVED_NODES];
	size_t each = family == KAD_V6 ? KRPC_NODE6 : KRPC_NODE4;
	unsigned n = kad_nodes(d->kad, family, nodes, SAVED_NODES);
	struct kad_view v;
	struct wr w;

	kad_view(d->kad, &v, loop_now(d->loop));
	out->has_id = v.family[family].open;
	memcpy(out->id, v.family[family].id.b, sizeof out->id);
	if (n == 0)
		return;
	out->nodes = xcalloc(n, each);
	out->nodes_n = n * each;
	w = wr_of(out->nodes, out->nodes_n);
	for (unsigned i = 0; i < n; i++)
		krpc_node_put(&w, &nodes[i]);
}

/* A table that has not come about must not take the place of a good one. */
void dht_save(struct dht *d)
{
	struct m_state_dht *m;

	CHECK_OBJ(d, DHT_MAGIC);
	if (d->kad == NULL || !d->loaded || !is_ready(d))
		return;
	m = msg_new(d->actor, MSG_STATE_DHT);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		put_saved(d, f, &m->family[f]);
	msg_send(d->actor, ADDR_STATE, m);
}

static void on_save(struct loop_timer *t, int64_t now)
{
	struct dht *d = container_of(t, struct dht, save_timer);

	dht_save(d);
	loop_timer_set(d->loop, t, now + SAVE_EVERY);
}

/* --- life --- */

void dht_boot_start(struct dht *d)
{
	struct m_state_dht *load;

	CHECK_OBJ(d, DHT_MAGIC);
	d->boot_timer.fn = on_boot;
	d->save_timer.fn = on_save;
	d->boot_wait = BOOT_FIRST;
	d->resolver = resolver_new(d->loop, random_u64(), d->config);
	note_routers(d);
	load = msg_new(d->actor, MSG_STATE_DHT_LOAD);
	msg_call(d->actor, ADDR_STATE, load, on_loaded, NULL);
	loop_timer_set(d->loop, &d->save_timer, loop_now(d->loop) + SAVE_FIRST);
}

void dht_boot_reload(struct dht *d)
{
	CHECK_OBJ(d, DHT_MAGIC);
	forget_routers(d);
	note_routers(d);
	if (d->loaded && !is_ready(d))
		look_up_all(d);
}

void dht_boot_stop(struct dht *d)
{
	CHECK_OBJ(d, DHT_MAGIC);
	loop_timer_del(d->loop, &d->boot_timer);
	loop_timer_del(d->loop, &d->save_timer);
	forget_routers(d);
	if (d->resolver != NULL)
		resolver_free(&d->resolver);
}
