/* SPDX-License-Identifier: MIT */
/*
 * The session actor: which torrents there are, what is wanted of them, how far they are.
 *
 * It holds no payload and does no work on a torrent itself: it writes down what people want, tells
 * store, peers and trackers, and adds up what they report.  Nothing it does takes longer the more
 * torrents lie idle, but for showing all of them.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

struct session *session_of(const struct actor *a)
{
	struct session *s;

	CAST_OBJ(s, actor_self(a), SESSION_MAGIC);
	return s;
}

/* --- held messages --- */

void held_push(struct held_list *list, struct msg **m)
{
	struct held *h = xcalloc(1, sizeof *h);

	h->m = *m;
	*m = NULL;
	STAILQ_INSERT_TAIL(list, h, link);
}

struct msg *held_pop(struct held_list *list)
{
	struct held *h = STAILQ_FIRST(list);
	struct msg *m;

	if (h == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(list, link);
	m = h->m;
	xfree(h);
	return m;
}

void held_free(struct actor *a, struct held_list *list)
{
	struct msg *m;

	while ((m = held_pop(list)) != NULL)
		msg_free(a, &m);
}

bool session_hold_early(struct session *s, struct msg **m)
{
	if (s->loaded)
		return false;
	held_push(&s->early, m);
	return true;
}

static void handle_early(struct session *s)
{
	struct msg *m;

	while ((m = held_pop(&s->early)) != NULL) {
		if (m->type == MSG_TORRENT_ADD)
			session_on_add(s->actor, &m);
		else if (m->type == MSG_TORRENT_SET)
			session_on_set(s->actor, &m);
		else
			session_on_view(s->actor, &m);
	}
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	struct m_reload *r = container_of(*m, struct m_reload, h);

	config_unref(&s->config);
	s->config = r->config;
	r->config = NULL;
	session_send_limits(s);
	queue_reload(s);
	session_reload_limits(s);
}

/* --- start --- */

static void adopt_record(struct session *s, struct torrent_record *r)
{
	bool removing = r->removing;
	struct torrent *t;

	if (torrent_find(s, r->meta->infohash.v1) != NULL)
		return; /* the database forbids it */
	t = torrent_new(s, r->meta);
	torrent_adopt(t, r);
	if (removing)
		torrent_remove(t, t->delete_data);
	else
		torrent_open(t, false);
}

static void on_loaded(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct session *s = session_of(a);

	(void)ctx;
	s->loaded = true;
	s->load_err = err;
	if (err == E_OK) {
		struct m_state_load *r = container_of(*m, struct m_state_load, h);
		s->clean = r->clean;
		s->has_down_limit = r->has_down_limit;
		s->has_up_limit = r->has_up_limit;
		s->down_limit = r->down_limit;
		s->up_limit = r->up_limit;
		for (uint32_t i = 0; i < r->torrents_n; i++)
			adopt_record(s, &r->torrents[i]);
		log_event(LOG_INFO, "session_loaded", "torrents=%u clean=%d", s->torrents_n,
			s->clean);
	} else {
		log_event(LOG_ERROR, "session_not_loaded", "error=%s", err_name(err));
	}
	session_send_limits(s);
	handle_early(s);
}

static void *session_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct session *s;
	struct msg *m;

	ALLOC_OBJ(s, SESSION_MAGIC);
	s->actor = a;
	s->config = config_ref(env->config);
	s->shards = env->shards;
	shares_init(s);
	STAILQ_INIT(&s->early);
	STAILQ_INIT(&s->moves);
	TAILQ_INIT(&s->to_open);
	random_bytes(s->hash_key, sizeof s->hash_key);
	m = msg_new(a, MSG_STATE_LOAD);
	actor_call(a, ADDR_STATE, &m, on_loaded, NULL);
	return s;
}

/* --- stop --- */

/* Once, at the end: what peers report from now on is written as it comes. */
static void session_quiesce(struct actor *a)
{
	struct session *s = session_of(a);

	for (uint32_t i = 0; i < s->slots_n; i++) {
		struct torrent *t = s->slots[i].t;
		if (t != NULL && (loop_timer_is_set(&t->save) || t->seed_since != 0))
			torrent_save_totals(t);
	}
	actor_quiesced(a);
}

static void session_fini(struct actor *a)
{
	struct session *s = session_of(a);

	table_free(s);
	held_free(a, &s->early);
	held_free(a, &s->moves);
	shares_free(s);
	config_unref(&s->config);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_TORRENT_ADD, session_on_add},
	{MSG_TORRENT_SET, session_on_set},
	{MSG_TORRENT_VIEW, session_on_view},
	{MSG_RELOAD, on_reload},
	{MSG_STORE_READY, session_on_store_ready},
	{MSG_STORE_PROGRESS, session_on_store_progress},
	{MSG_STORE_ERROR, session_on_store_error},
	{MSG_PEERS_DONE, session_on_peers_done},
	{MSG_PEERS_TOTALS, session_on_peers_totals},
	{MSG_PEERS_LOAD, session_on_peers_load},
	{0, NULL},
};

const struct actor_spec session_spec = {
	.role_name = "session",
	.handlers = handlers,
	.init = session_init,
	.quiesce = session_quiesce,
	.fini = session_fini,
};
