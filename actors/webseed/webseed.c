/* SPDX-License-Identifier: MIT */
/*
 * The webseed actor: which torrents have web seeds at work, and who gets a connection.
 *
 * The session says which torrents download; their seeds exist only meanwhile.
 */
#include "actors/kernel/random.h"
#include "actors/webseed/priv.h"

static struct webseed *webseed_of(const struct actor *a)
{
	struct webseed *w;

	CAST_OBJ(w, actor_self(a), WEBSEED_MAGIC);
	return w;
}

/* --- torrents --- */

static void add_torrent(struct webseed *w, struct m_webseed_set *m)
{
	struct web_torrent *t;

	ALLOC_OBJ(t, WEB_TORRENT_MAGIC);
	t->webseed = w;
	t->ref = m->t;
	t->meta = m->meta;
	m->meta = NULL;
	t->layout = layout_of_metainfo(t->meta);
	t->names = httpseed_names_new(t->meta);
	t->seeds_n = MIN(t->meta->url_list_n, (uint32_t)w->config->webseed_per_torrent);
	t->seeds = xcalloc(t->seeds_n, sizeof *t->seeds);
	tref_table_put(&w->torrents, t->ref, t);
	for (unsigned i = 0; i < t->seeds_n; i++)
		wseed_start(&t->seeds[i], t, i);
}

static void free_torrent(struct web_torrent *t)
{
	struct webseed *w = t->webseed;

	tref_table_remove(&w->torrents, t->ref);
	for (unsigned i = 0; i < t->seeds_n; i++)
		wseed_end(&t->seeds[i]);
	xfree(t->seeds);
	httpseed_names_free(&t->names);
	metainfo_unref(&t->meta);
	FREE_OBJ(t);
}

static void free_all(struct webseed *w)
{
	struct web_torrent *t;

	for (uint32_t i = 0; i < w->torrents.n; i++)
		if ((t = tref_table_at(&w->torrents, i)) != NULL)
			free_torrent(t);
}

/* --- messages --- */

static void handle_set(struct actor *a, struct msg **pm)
{
	struct m_webseed_set *m = MSG_AS(WEBSEED_SET, *pm);
	struct webseed *w = webseed_of(a);
	struct web_torrent *t = tref_table_get(&w->torrents, m->t);

	if (t != NULL)
		free_torrent(t);
	if (m->meta != NULL && !actor_stopping(a))
		add_torrent(w, m);
}

static void handle_banned(struct actor *a, struct msg **pm)
{
	struct m_webseed_banned *m = MSG_AS(WEBSEED_BANNED, *pm);
	struct web_torrent *t = tref_table_get(&webseed_of(a)->torrents, m->t);

	for (unsigned i = 0; t != NULL && i < t->seeds_n; i++) {
		struct endpoint at = wseed_address(&t->seeds[i]);

		if (endpoint_equal(&at, &m->at))
			wseed_ban(&t->seeds[i]);
	}
}

static void view_seed(const struct seed *s, struct web_seed_view *out)
{
	struct loop *loop = s->torrent->webseed->loop;

	out->url = xstrdup(s->url);
	out->state = wseed_state_text(s);
	out->bytes = s->bytes;
	out->files_missing = s->gone.count;
	memcpy(out->error, s->error, sizeof out->error);
	if (s->state == SEED_RESTING)
		out->next_try =
			clock_wall_s() + MAX(s->health.until - loop_now(loop), 0) / USEC_PER_SEC;
}

static void view_torrent(const struct web_torrent *t, struct torrent_web_seeds *out)
{
	out->t = t->ref;
	out->n = t->seeds_n;
	out->seeds = xcalloc(MAX(t->seeds_n, 1u), sizeof *out->seeds);
	for (unsigned i = 0; i < t->seeds_n; i++)
		view_seed(&t->seeds[i], &out->seeds[i]);
}

static void handle_view(struct actor *a, struct msg **pm)
{
	struct m_webseed_view *m = MSG_AS(WEBSEED_VIEW, *pm);
	struct webseed *w = webseed_of(a);
	struct web_torrent *t = m->all ? NULL : tref_table_get(&w->torrents, m->t);

	m->torrents = xcalloc(m->all ? MAX(w->torrents.used, 1u) : 1, sizeof *m->torrents);
	if (t != NULL)
		view_torrent(t, &m->torrents[m->torrents_n++]);
	for (uint32_t i = 0; m->all && i < w->torrents.n; i++)
		if ((t = tref_table_at(&w->torrents, i)) != NULL)
			view_torrent(t, &m->torrents[m->torrents_n++]);
}

/* Whether the list holds for web seeds is a person's choice. */
static void block(struct webseed *w)
{
	web_block(w->web, w->config->blocklist_webseeds ? w->list : NULL);
}

static void handle_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = MSG_AS(RELOAD, *pm);
	struct webseed *w = webseed_of(a);

	config_unref(&w->config);
	w->config = m->config;
	m->config = NULL;
	block(w);
}

static void handle_blocklist(struct actor *a, struct msg **pm)
{
	struct m_blocklist *m = MSG_AS(BLOCKLIST_SET, *pm);
	struct webseed *w = webseed_of(a);
	const struct blocklist *old = w->list;

	w->list = m->list;
	m->list = old;
	block(w);
}

/* --- connections --- */

static struct seed *take_first(struct link *line)
{
	struct seed *s = container_of(line->next, struct seed, in_line);

	link_remove(&s->in_line);
	return s;
}

static void serve_line(struct loop_task *task)
{
	struct webseed *w = container_of(task, struct webseed, serve);

	CHECK_OBJ(w, WEBSEED_MAGIC);
	while (!link_empty(&w->closed) && w->open < (unsigned)w->config->webseed_connections)
		wseed_open(take_first(&w->closed));
	while (!link_empty(&w->line) && w->used < (unsigned)w->config->webseed_connections)
		wseed_serve(take_first(&w->line));
}

/* --- life --- */

static void quiesce_webseed(struct actor *a)
{
	free_all(webseed_of(a));
	actor_quiesced(a);
}

static void *init_webseed(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct webseed *w;

	ALLOC_OBJ(w, WEBSEED_MAGIC);
	w->actor = a;
	w->loop = actor_loop(a);
	w->config = config_ref(env->config);
	w->resolver = resolver_new(w->loop, random_u64(), w->config);
	w->web = web_new(
		w->loop, w->resolver, (unsigned)w->config->webseed_connections, env->api_port);
	web_use(w->web, PROXY_FOR_WEBSEEDS);
	w->serve.fn = serve_line;
	link_init(&w->line);
	link_init(&w->closed);
	return w;
}

static void fini_webseed(struct actor *a)
{
	struct webseed *w = webseed_of(a);

	free_all(w);
	if (w->serve.queued)
		loop_task_del(w->loop, &w->serve);
	web_free(&w->web);
	blocklist_unref(&w->list);
	resolver_free(&w->resolver);
	config_unref(&w->config);
	tref_table_fini(&w->torrents);
	FREE_OBJ(w);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, handle_reload},
	{MSG_BLOCKLIST_SET, handle_blocklist},
	{MSG_WEBSEED_SET, handle_set},
	{MSG_WEBSEED_BANNED, handle_banned},
	{MSG_WEBSEED_VIEW, handle_view},
	{0, NULL},
};

const struct actor_spec webseed_spec = {
	.role_name = "webseed",
	.handlers = handlers,
	.init = init_webseed,
	.quiesce = quiesce_webseed,
	.fini = fini_webseed,
};
