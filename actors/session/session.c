/* SPDX-License-Identifier: MIT */
/*
 * The session actor: which torrents there are, what is wanted of them, how far they are.
 *
 * It holds no payload and does no work on a torrent itself: it writes down what people want, tells
 * store, peers and trackers, and adds up what they report.  Nothing it does takes longer the more
 * torrents lie idle, but for showing all of them.
 *
 * Every turn ends with a sweep: what waited for a torrent that is settled by now is tried again,
 * torrents are opened as far as there are places, and whoever has to know is told what changed.
 */
#include "actors/session/adding.h"

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

/* --- messages that waited --- */

static void on_add(struct actor *a, struct msg **m)
{
	if (MSG_AS(TORRENT_ADD, *m)->preview != 0)
		session_on_preview_taken(a, m);
	else
		session_on_add(a, m);
}

static void handle_early(struct session *s)
{
	struct msg *m;

	while ((m = deferred_pop(&s->early)) != NULL) {
		if (m->type == MSG_TORRENT_ADD)
			on_add(s->actor, &m);
		else if (m->type == MSG_PREVIEW_ADD)
			session_on_preview_add(s->actor, &m);
		else if (m->type == MSG_TORRENT_SET)
			session_on_set(s->actor, &m);
		else if (m->type == MSG_TORRENT_ROWS)
			session_on_rows(s->actor, &m);
		else if (m->type == MSG_REMOVED_VIEW)
			session_on_removed(s->actor, &m);
		else if (m->type == MSG_TORRENT_DATA)
			session_on_data(s->actor, &m);
		else
			session_on_view(s->actor, &m);
	}
}

/* Their torrent is settled: added, refused or removed. */
static void handle_again(struct session *s)
{
	struct msg *m;

	while ((m = deferred_pop(&s->again)) != NULL) {
		if (m->type == MSG_TORRENT_ADD)
			on_add(s->actor, &m);
		else if (m->type == MSG_PREVIEW_ADD)
			session_on_preview_add(s->actor, &m);
		else
			session_on_set(s->actor, &m);
	}
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	struct m_reload *r = MSG_AS(RELOAD, *m);

	config_unref(&s->config);
	s->config = r->config;
	r->config = NULL;
	session_send_limits(s);
	queue_reload(s);
	seed_limits_reload(s);
	removed_arm(s);
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
		torrent_remove(t, t->removal);
	else
		torrent_step(t, t->meta->bare      ? TEVENT_SEEK
				: t->shift != NULL ? TEVENT_SHIFT
						   : TEVENT_STORED);
}

static void on_loaded(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct session *s = session_of(a);

	(void)ctx;
	s->loaded = true;
	s->load_err = err;
	if (err == E_OK) {
		struct m_state_load *r = MSG_AS(STATE_LOAD, *m);
		s->clean = r->clean;
		s->has_down_limit = r->has_down_limit;
		s->has_up_limit = r->has_up_limit;
		s->down_limit = r->down_limit;
		s->up_limit = r->up_limit;
		s->loading = true;
		for (uint32_t i = 0; i < r->torrents_n; i++)
			adopt_record(s, &r->torrents[i]);
		s->loading = false;
		removed_load(&s->removed, r);
		removed_arm(s);
		log_event(LOG_INFO, "session_loaded", "torrents=%u clean=%d", s->torrents_n,
			s->clean);
	} else {
		log_event(LOG_ERROR, "session_not_loaded", "err=%s", err_name(err));
	}
	session_send_limits(s);
	handle_early(s);
}

static void *session_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct session *s;
	struct m_state_load *load;
	uint64_t epoch;

	ALLOC_OBJ(s, SESSION_MAGIC);
	s->actor = a;
	s->config = config_ref(env->config);
	s->shards = env->shards;
	s->workers = env->workers;
	s->timers = (struct torrent_timers){
		.retry = torrent_on_retry_timer,
		.save = torrent_on_save_timer,
		.stall = queue_on_stall_timer,
		.seed = seed_limits_on_timer,
	};
	s->failed_timer.fn = session_on_failed_timer;
	s->previews_timer.fn = previews_on_timer;
	s->step = torrent_step;
	s->shift_ended = commands_shift_ended;
	shares_init(s);
	removed_init(&s->removed, session_on_purge_timer);
	link_init(&s->early);
	link_init(&s->again);
	link_init(&s->moves);
	link_init(&s->to_open);
	link_init(&s->failed);
	link_init(&s->dirty);
	link_init(&s->changed);
	random_bytes(s->hash_key, sizeof s->hash_key);
	random_bytes(&epoch, sizeof epoch);
	revisions_init(&s->revisions, epoch);
	load = msg_new(a, MSG_STATE_LOAD);
	msg_call(a, ADDR_STATE, load, on_loaded, NULL);
	return s;
}

/* --- the end of a turn --- */

static void session_tick_end(struct actor *a)
{
	struct session *s = session_of(a);

	handle_again(s);
	session_open_more(s);
	session_sweep(s);
	session_settle_rows(s);
}

/* --- stop --- */

/* Once, at the end: what peers report from now on is written as it comes. */
static void session_quiesce(struct actor *a)
{
	session_save_all(session_of(a));
	actor_quiesced(a);
}

static void session_fini(struct actor *a)
{
	struct session *s = session_of(a);

	for (uint32_t i = 0; i < s->slots.n; i++) {
		struct torrent *t = session_torrent(s, i);

		if (t != NULL)
			torrent_end(&t);
	}
	previews_free(s);
	table_free(s);
	loop_timer_del(actor_loop(a), &s->failed_timer);
	deferred_free(a, &s->early);
	deferred_free(a, &s->again);
	deferred_free(a, &s->moves);
	revisions_fini(&s->revisions);
	removed_fini(s);
	label_unref(&s->last_path);
	shares_free(s);
	config_unref(&s->config);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_TORRENT_ADD, on_add},
	{MSG_PREVIEW_ADD, session_on_preview_add},
	{MSG_PREVIEW_VIEW, session_on_preview_view},
	{MSG_PREVIEW_DROP, session_on_preview_drop},
	{MSG_TORRENT_SET, session_on_set},
	{MSG_TORRENT_VIEW, session_on_view},
	{MSG_TORRENT_ROWS, session_on_rows},
	{MSG_REMOVED_VIEW, session_on_removed},
	{MSG_TORRENT_DATA, session_on_data},
	{MSG_RELOAD, on_reload},
	{MSG_STATE_SAVED, session_on_saved},
	{MSG_STORE_READY, session_on_store_ready},
	{MSG_STORE_PROGRESS, session_on_store_progress},
	{MSG_STORE_ERROR, session_on_store_error},
	{MSG_PEERS_DONE, session_on_peers_done},
	{MSG_PEERS_METADATA, session_on_peers_metadata},
	{MSG_PEERS_TOTALS, session_on_peers_totals},
	{MSG_PEERS_LOAD, session_on_peers_load},
	{MSG_TRACKER_NEWS, session_on_tracker_news},
	{0, NULL},
};

const struct actor_spec session_spec = {
	.role_name = "session",
	.handlers = handlers,
	.init = session_init,
	.quiesce = session_quiesce,
	.tick_end = session_tick_end,
	.fini = session_fini,
};
