/* SPDX-License-Identifier: MIT */
/*
 * The blocklist actor: keeps the list of addresses that nobody talks to, and hands it to those who
 * talk.
 *
 * Its sources are files and URLs (origin.c).  They are read one after the other, files first, and
 * whenever none is left to be read the list is made anew of what they have, if that is another, and
 * sent: an immutable object that all share.  To read half a million ranges takes a good part of a
 * second, and a file may lie on a slow disk: that is why this has a thread, for which nobody waits.
 *
 * The last good list of each source lies on a shelf in the state directory (shelf.c).  It is read
 * before the shards of peers begin, so that there is never a moment without a list that was there
 * once; a source that is gone, or is no list any more, leaves it as it is.
 */
#include <limits.h>
#include <stdio.h>

#include "actors/blocklist/origin.h"
#include "actors/blocklist/shelf.h"
#include "actors/fetch/web.h"
#include "actors/kernel/clock.h"
#include "actors/kernel/log.h"
#include "actors/kernel/random.h"
#include "actors/msg/env.h"
#include "proto/base/time.h"
#include "proto/blocklist/blocklist.h"

#define BLOCKER_MAGIC 0x424c4b52u
#define FETCH_MAX     (300 * USEC_PER_SEC) /* for a list on a slow line */
#define CONNECT_MAX   (15 * USEC_PER_SEC)
#define ORIGINS       32u /* as many as the option takes */

struct blocker {
	uint32_t magic;
	struct actor *actor;
	struct loop *loop;
	const struct config *config; /* owned reference */
	unsigned shards;
	char shelf[PATH_MAX];           /* the folder */
	struct origin *origin[ORIGINS]; /* owned */
	unsigned origins_n;
	const struct blocklist *list; /* owned reference: what was sent last; NULL: none */
	uint64_t refusals;            /* of lists that are gone */
	int64_t made;                 /* seconds since 1970: when ->list was */
	bool changed;                 /* the list is not what the sources say now */
	char error[192];              /* why it could not be made; empty: it could */
	struct resolver *resolver;    /* owned */
	struct web *web;              /* owned */
	struct web_get *get;          /* owned; NULL: nothing is being fetched */
	struct origin *fetched;       /* what for */
	struct loop_timer timer;      /* a source is due */
	struct loop_timer patience;   /* the end of a fetch */
};

static struct blocker *blocker_of(void *p)
{
	struct blocker *b;

	CAST_OBJ(b, p, BLOCKER_MAGIC);
	return b;
}

/* --- the list --- */

static void send_list(struct blocker *b, uint16_t to)
{
	struct m_blocklist *m = msg_new(b->actor, MSG_BLOCKLIST_SET);

	m->list = blocklist_ref(b->list);
	msg_send(b->actor, to, m);
}

static void send_to_all(struct blocker *b)
{
	for (unsigned i = 0; i < b->shards; i++)
		send_list(b, ADDR(ROLE_PEERS, i));
	send_list(b, ADDR_DHT);
	send_list(b, ADDR_TRACKER);
	send_list(b, ADDR_WEBSEED);
}

static enum err fill(const struct blocker *b, struct blocklist_maker *m)
{
	const struct config_list *allow = &b->config->blocklist_allow;
	struct blocklist_report r;
	enum err err = E_OK;

	for (size_t i = 0; i < allow->n && err == E_OK; i++)
		err = blocklist_allow(m, allow->v[i]);
	for (unsigned i = 0; i < b->origins_n && err == E_OK; i++)
		if (b->origin[i]->packed != NULL)
			err = blocklist_add(m, b->origin[i]->packed, b->origin[i]->packed_n, &r);
	return err;
}

static bool has_ranges(const struct blocker *b)
{
	for (unsigned i = 0; i < b->origins_n; i++)
		if (b->origin[i]->packed != NULL)
			return true;
	return false;
}

/* A list that cannot be made leaves the one there is. */
static bool make_list(struct blocker *b)
{
	struct blocklist_maker *m = blocklist_maker_new();
	enum err err = fill(b, m);

	b->error[0] = '\0';
	if (err != E_OK) {
		blocklist_maker_free(&m);
		snprintf(b->error, sizeof b->error, "all lists together: %s", err_words(err));
		log_event(LOG_WARNING, "blocklist", "err=%s ranges=%u", err_name(err),
			b->list != NULL ? blocklist_ranges(b->list) : 0);
		return false;
	}
	if (b->list != NULL)
		b->refusals = blocklist_refusals(b->list);
	blocklist_unref(&b->list);
	b->list = blocklist_make(&m, b->refusals);
	return true;
}

static void drop_list(struct blocker *b)
{
	b->refusals = b->list != NULL ? blocklist_refusals(b->list) : b->refusals;
	blocklist_unref(&b->list);
	b->error[0] = '\0';
}

static void publish(struct blocker *b)
{
	bool had = b->list != NULL;

	if (!b->changed)
		return;
	b->changed = false;
	if (has_ranges(b)) {
		if (!make_list(b))
			return;
	} else {
		drop_list(b);
	}
	if (b->list == NULL && !had)
		return;
	b->made = clock_wall_s();
	log_event(LOG_INFO, "blocklist", "ranges=%u bytes=%zu",
		b->list != NULL ? blocklist_ranges(b->list) : 0,
		b->list != NULL ? blocklist_bytes(b->list) : 0);
	send_to_all(b);
}

/* --- sources in turn --- */

/* Who is due, files first; NULL: nobody. */
static struct origin *find_due(const struct blocker *b, int64_t now)
{
	for (unsigned url = 0; url < 2; url++)
		for (unsigned i = 0; i < b->origins_n; i++)
			if (b->origin[i]->is_url == url && b->origin[i]->due <= now)
				return b->origin[i];
	return NULL;
}

static void settle(struct blocker *b, struct origin *o, bool changed)
{
	b->changed = b->changed || changed;
	if (o->failures == 0 && (changed || !o->kept || o->is_url))
		origin_shelve(o, b->shelf);
	origin_rest(o, loop_now(b->loop), b->config->blocklist_update);
	loop_timer_set(b->loop, &b->timer, loop_now(b->loop));
}

static void end_fetch(struct blocker *b)
{
	if (b->get != NULL)
		web_get_free(&b->get);
	b->fetched = NULL;
	loop_timer_del(b->loop, &b->patience);
}

static void on_fetched(void *ctx, const struct web_answer *a)
{
	struct blocker *b = blocker_of(ctx);
	struct origin *o = b->fetched;
	bool changed = false;
	char why[64];

	if (a->err == E_OK && a->status == 200) {
		changed = origin_take(o, a->body.p, a->body.n);
	} else if (a->err == E_OK) {
		snprintf(why, sizeof why, "the server answers with status %ld", a->status);
		origin_fail(o, why);
	} else {
		origin_fail(o, a->text);
	}
	end_fetch(b);
	settle(b, o, changed);
}

static void on_patience(struct loop_timer *t, int64_t now)
{
	struct blocker *b = container_of(t, struct blocker, patience);
	struct origin *o = b->fetched;

	(void)now;
	CHECK_OBJ(b, BLOCKER_MAGIC);
	end_fetch(b);
	origin_fail(o, "it was not there after five minutes");
	settle(b, o, false);
}

static void start_fetch(struct blocker *b, struct origin *o)
{
	struct web_request r = {.url = o->text,
		.config = b->config,
		.connect_timeout = CONNECT_MAX,
		.body_max = ORIGIN_PACKED_MAX,
		.fn = on_fetched,
		.ctx = b};

	b->fetched = o;
	b->get = web_get_new(b->web, &r);
	loop_timer_set(b->loop, &b->patience, loop_now(b->loop) + FETCH_MAX);
}

/* One step a turn. */
static void pump(struct blocker *b, int64_t now)
{
	int64_t due = INT64_MAX;
	struct origin *o;

	if (b->get != NULL || actor_stopping(b->actor))
		return;
	o = find_due(b, now);
	if (o != NULL && !o->is_url) {
		settle(b, o, origin_read(o));
		return;
	}
	publish(b);
	if (o != NULL) {
		start_fetch(b, o);
		return;
	}
	for (unsigned i = 0; i < b->origins_n; i++)
		due = MIN(due, b->origin[i]->due);
	if (due != INT64_MAX)
		loop_timer_set(b->loop, &b->timer, due);
}

static void on_timer(struct loop_timer *t, int64_t now)
{
	struct blocker *b = container_of(t, struct blocker, timer);

	CHECK_OBJ(b, BLOCKER_MAGIC);
	pump(b, now);
}

/* --- which sources there are --- */

/* Takes the one of that name out of a list; NULL: there is none. */
static struct origin *take_origin(struct origin **list, unsigned n, const char *text)
{
	struct origin *o = NULL;

	for (unsigned i = 0; i < n && o == NULL; i++) {
		if (list[i] == NULL || strcmp(list[i]->text, text) != 0)
			continue;
		o = list[i];
		list[i] = NULL;
	}
	return o;
}

/* A list that was fetched is good until its time is over, across restarts. */
static void set_due(const struct blocker *b, struct origin *o)
{
	int64_t every = b->config->blocklist_update, age;

	o->due = loop_now(b->loop);
	if (!o->is_url || o->packed == NULL)
		return;
	age = MAX(clock_wall_s() - o->updated, 0);
	if (every == 0)
		o->due = INT64_MAX;
	else if (age < every / USEC_PER_SEC)
		o->due += every - age * USEC_PER_SEC;
}

static struct origin *add_origin(struct blocker *b, const char *text)
{
	struct origin *o = origin_new(text);

	origin_unshelve(o, b->shelf);
	set_due(b, o);
	return o;
}

/* Those that are configured now: new ones begin with what was kept of them. */
static void take_config(struct blocker *b)
{
	const struct config_list *want = &b->config->blocklist_sources;
	struct origin *old[ORIGINS];
	unsigned old_n = b->origins_n;

	memcpy(old, b->origin, sizeof old);
	b->origins_n = 0;
	for (size_t i = 0; b->config->blocklist_enabled && i < MIN(want->n, ORIGINS); i++) {
		struct origin *o = take_origin(old, old_n, want->v[i]);

		if (o != NULL)
			set_due(b, o);
		b->origin[b->origins_n++] = o != NULL ? o : add_origin(b, want->v[i]);
	}
	for (unsigned i = 0; i < old_n; i++) {
		if (old[i] != NULL && old[i] == b->fetched)
			end_fetch(b);
		if (old[i] != NULL)
			origin_free(&old[i]);
	}
	shelf_tidy(b->shelf, want);
	b->changed = true;
	loop_timer_set(b->loop, &b->timer, loop_now(b->loop));
}

/* --- messages --- */

static void on_reload(struct actor *a, struct msg **m)
{
	struct m_reload *r = MSG_AS(RELOAD, *m);
	struct blocker *b = blocker_of(actor_self(a));
	const struct config *old = b->config;

	b->config = r->config;
	r->config = old;
	if (!actor_stopping(a))
		take_config(b);
}

static void fill_view(const struct blocker *b, struct m_blocklist_view *v)
{
	v->enabled = b->config->blocklist_enabled;
	v->updating = b->changed || b->get != NULL || find_due(b, loop_now(b->loop)) != NULL;
	v->ranges = b->list != NULL ? blocklist_ranges(b->list) : 0;
	v->bytes = b->list != NULL ? blocklist_bytes(b->list) : 0;
	v->refused = b->list != NULL ? blocklist_refusals(b->list) : b->refusals;
	v->made = b->made;
	memcpy(v->error, b->error, sizeof v->error);
	v->sources = xcalloc(MAX(b->origins_n, 1u), sizeof *v->sources);
	for (; v->sources_n < b->origins_n; v->sources_n++)
		origin_view(b->origin[v->sources_n], &v->sources[v->sources_n]);
}

static void on_view(struct actor *a, struct msg **m)
{
	fill_view(blocker_of(actor_self(a)), MSG_AS(BLOCKLIST_VIEW, *m));
}

/* What is being fetched goes on. */
static void on_update(struct actor *a, struct msg **m)
{
	struct blocker *b = blocker_of(actor_self(a));

	for (unsigned i = 0; i < b->origins_n; i++)
		if (b->origin[i] != b->fetched)
			b->origin[i]->due = loop_now(b->loop);
	loop_timer_set(b->loop, &b->timer, loop_now(b->loop));
	fill_view(b, MSG_AS(BLOCKLIST_UPDATE, *m));
}

/* --- life --- */

/* Of a file that was never read there is nothing on the shelf: peers wait for it, too. */
static void read_new_files(struct blocker *b)
{
	for (unsigned i = 0; i < b->origins_n; i++)
		if (!b->origin[i]->is_url && b->origin[i]->packed == NULL)
			settle(b, b->origin[i], origin_read(b->origin[i]));
}

static void *blocker_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct blocker *b;

	ALLOC_OBJ(b, BLOCKER_MAGIC);
	b->actor = a;
	b->loop = actor_loop(a);
	b->config = config_ref(env->config);
	b->shards = env->shards;
	snprintf(b->shelf, sizeof b->shelf, "%s/blocklist", b->config->state_dir);
	b->resolver = resolver_new(b->loop, random_u64(), b->config);
	b->web = web_new(b->loop, b->resolver, 1, env->api_port);
	web_use(b->web, PROXY_FOR_BLOCKLIST);
	b->timer.fn = on_timer;
	b->patience.fn = on_patience;
	take_config(b);
	read_new_files(b);
	publish(b);
	return b;
}

static void blocker_quiesce(struct actor *a)
{
	struct blocker *b = blocker_of(actor_self(a));

	end_fetch(b);
	loop_timer_del(b->loop, &b->timer);
	actor_quiesced(a);
}

static void blocker_fini(struct actor *a)
{
	struct blocker *b = blocker_of(actor_self(a));

	end_fetch(b);
	loop_timer_del(b->loop, &b->timer);
	for (unsigned i = 0; i < b->origins_n; i++)
		origin_free(&b->origin[i]);
	blocklist_unref(&b->list);
	web_free(&b->web);
	resolver_free(&b->resolver);
	config_unref(&b->config);
	FREE_OBJ(b);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, on_reload},
	{MSG_BLOCKLIST_VIEW, on_view},
	{MSG_BLOCKLIST_UPDATE, on_update},
	{0, NULL},
};

const struct actor_spec blocker_spec = {
	.role_name = "blocklist",
	.handlers = handlers,
	.init = blocker_init,
	.quiesce = blocker_quiesce,
	.fini = blocker_fini,
};
