/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor: its messages, its beginning and its end.
 *
 * When and to whom is decided by proto/announce; here a torrent's announce is given time (one timer
 * each), told what the session wants, and its errands are queued as jobs.  Nothing walks over all
 * torrents but the end of the daemon, a new configuration, another port and a view of all of them.
 *
 * A torrent that was removed leaves its slot at once and stays in `leaving` until its trackers were
 * told, or did not listen.
 */
#include "actors/tracker/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

static struct tracker *tracker_of(const struct actor *a)
{
	struct tracker *tk;

	CAST_OBJ(tk, actor_self(a), TRACKER_MAGIC);
	return tk;
}

static struct announced *find_torrent(const struct tracker *tk, struct tref ref)
{
	return tref_table_get(&tk->torrents, ref);
}

/* --- messages --- */

static void handle_add(struct actor *a, struct msg **pm)
{
	struct m_tracker_add *m = MSG_AS(TRACKER_ADD, *pm);
	struct tracker *tk = tracker_of(a);

	if (!actor_stopping(a))
		announced_add(tk, m);
}

static void handle_event(struct actor *a, struct msg **pm)
{
	struct m_tracker_event *m = MSG_AS(TRACKER_EVENT, *pm);
	struct announced *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL || actor_stopping(a))
		return;
	if (m->op == TRACKER_START && !to->active)
		announced_count_anew(to, m->downloaded, m->uploaded);
	announced_note_run(to, m->downloaded, m->uploaded);
	if (m->op != TRACKER_REMOVE) {
		announced_note_left(to, m->left);
		announced_note_partial(to, m->partial);
	}
	switch (m->op) {
	case TRACKER_START:
		announced_start(to);
		break;
	case TRACKER_STOP:
		announced_stop(to, false);
		break;
	case TRACKER_COMPLETED:
		announced_complete(to);
		break;
	case TRACKER_MORE:
		(void)announce_again(to->announce, loop_now(to->tk->loop));
		announced_pump(to);
		break;
	case TRACKER_REMOVE:
		announced_remove(to);
		break;
	}
}

static void handle_edit(struct actor *a, struct msg **pm)
{
	const struct m_tracker_edit *m = MSG_AS(TRACKER_EDIT, *pm);
	struct announced *to = find_torrent(tracker_of(a), m->t);

	if (to != NULL && !actor_stopping(a))
		announced_edit(to, m->meta);
}

static void handle_totals(struct actor *a, struct msg **pm)
{
	struct m_totals *m = MSG_AS(PEERS_TOTALS, *pm);
	struct announced *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL)
		return;
	announced_note_peers(to, m->downloaded, m->uploaded);
	announced_note_left(to, m->lacks);
	announced_note_partial(to, m->left == 0 && m->lacks > 0);
}

static void handle_wanted(struct actor *a, struct msg **pm)
{
	const struct m_peers_wanted *m = MSG_AS(PEERS_WANTED, *pm);
	struct announced *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL || !to->active || actor_stopping(a))
		return;
	(void)announce_again(to->announce, loop_now(to->tk->loop));
	announced_pump(to);
}

/* Trackers give others the port we told them: those that are active tell it anew as soon as their
 * trackers allow. */
static void handle_mapped(struct actor *a, struct msg **pm)
{
	struct m_port_mapped *m = MSG_AS(PORT_MAPPED, *pm);
	struct tracker *tk = tracker_of(a);
	struct announced *to;

	if (m->tcp == tk->port || actor_stopping(a))
		return;
	tk->port = m->tcp;
	for (uint32_t i = 0; i < tk->torrents.n; i++) {
		to = tref_table_at(&tk->torrents, i);
		if (to == NULL || !to->active)
			continue;
		(void)announce_moved(to->announce, loop_now(tk->loop));
		announced_pump(to);
	}
}

/* Whether the list holds for trackers is a person's choice. */
static void block(struct tracker *tk)
{
	const struct blocklist *list = tk->config->blocklist_trackers ? tk->list : NULL;

	web_block(tk->web, list);
	udpio_block(tk->udpio, list);
}

static void handle_blocklist(struct actor *a, struct msg **pm)
{
	struct m_blocklist *m = MSG_AS(BLOCKLIST_SET, *pm);
	struct tracker *tk = tracker_of(a);
	const struct blocklist *old = tk->list;

	tk->list = m->list;
	m->list = old;
	block(tk);
}

static void handle_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = MSG_AS(RELOAD, *pm);
	struct tracker *tk = tracker_of(a);
	struct announced *to;

	config_unref(&tk->config);
	tk->config = m->config;
	m->config = NULL;
	block(tk);
	for (uint32_t i = 0; i < tk->torrents.n; i++)
		if ((to = tref_table_at(&tk->torrents, i)) != NULL)
			announced_refloor(to);
}

/* --- views --- */

static bool view_tracker(const struct announced *to, int i, struct tracker_view *out)
{
	int64_t now = loop_now(to->tk->loop);
	struct announce_view v;

	announce_view(to->announce, i, &v);
	if (v.dropped)
		return false;
	out->url = xstrdup(v.url);
	out->tier = v.tier;
	out->working = v.status == ANNOUNCE_WORKING;
	out->contacted = v.status != ANNOUNCE_IDLE;
	memcpy(out->message, v.message, strnlen(v.message, sizeof out->message - 1));
	out->leechers = v.leechers;
	out->seeders = v.seeders;
	out->peers = v.peers;
	out->last_announce = v.last_wall;
	out->busy = v.busy;
	if (!to->active)
		return true;
	if (v.next != INT64_MAX)
		out->next_announce = clock_wall_s() + MAX(v.next - now, 0) / USEC_PER_SEC;
	out->least_announce = clock_wall_s() + MAX(v.least - now, 0) / USEC_PER_SEC;
	return true;
}

static void view_torrent(const struct announced *to, struct torrent_trackers *out)
{
	int n = announce_count(to->announce);

	out->t = to->ref;
	out->trackers = n > 0 ? xcalloc((size_t)n, sizeof *out->trackers) : NULL;
	for (int i = 0; i < n; i++)
		out->n += view_tracker(to, i, &out->trackers[out->n]);
}

static void handle_view(struct actor *a, struct msg **pm)
{
	struct m_tracker_view *m = MSG_AS(TRACKER_VIEW, *pm);
	struct tracker *tk = tracker_of(a);
	struct announced *one = m->all ? NULL : find_torrent(tk, m->t);
	uint32_t n = one != NULL;

	if (!m->all && one == NULL) {
		m->h.err = E_NOT_FOUND;
		return;
	}
	if (m->all)
		n = tk->torrents.used;
	m->torrents = n > 0 ? xcalloc(n, sizeof *m->torrents) : NULL;
	if (one != NULL)
		view_torrent(one, &m->torrents[m->torrents_n++]);
	for (uint32_t i = 0; m->all && i < tk->torrents.n; i++)
		if ((one = tref_table_at(&tk->torrents, i)) != NULL)
			view_torrent(one, &m->torrents[m->torrents_n++]);
}

/* --- life --- */

static void say_quiesced(struct loop_task *task)
{
	struct tracker *tk = container_of(task, struct tracker, quiesced_task);

	CHECK_OBJ(tk, TRACKER_MAGIC);
	if (tk->quiesced)
		return;
	tk->quiesced = true;
	loop_timer_del(tk->loop, &tk->stop_timer);
	actor_quiesced(tk->actor);
}

static void drop_all(struct tracker *tk)
{
	struct announced *to;

	for (uint32_t i = 0; i < tk->torrents.n; i++)
		if ((to = tref_table_at(&tk->torrents, i)) != NULL)
			announced_silence(to);
	TAILQ_FOREACH(to, &tk->leaving, link)
	announced_silence(to);
}

static void lose_patience(struct loop_timer *t, int64_t now)
{
	struct tracker *tk = container_of(t, struct tracker, stop_timer);

	(void)now;
	CHECK_OBJ(tk, TRACKER_MAGIC);
	log_event(LOG_INFO, "trackers_not_told", "announces=%u", places_count(tk->jobs.queue));
	drop_all(tk);
	loop_task_post(tk->loop, &tk->quiesced_task);
}

static void quiesce_tracker(struct actor *a)
{
	struct tracker *tk = tracker_of(a);
	int64_t patience = tk->config->tracker_stop_timeout;
	struct announced *to;

	for (uint32_t i = 0; i < tk->torrents.n; i++)
		if ((to = tref_table_at(&tk->torrents, i)) != NULL)
			announced_stop(to, true);
	TAILQ_FOREACH(to, &tk->leaving, link)
	announced_stop(to, true);
	if (patience == 0)
		drop_all(tk);
	if (places_count(tk->jobs.queue) == 0)
		loop_task_post(tk->loop, &tk->quiesced_task);
	else
		loop_timer_set(tk->loop, &tk->stop_timer, loop_now(tk->loop) + patience);
}

static void *init_tracker(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct tracker *tk;

	ALLOC_OBJ(tk, TRACKER_MAGIC);
	tk->actor = a;
	tk->loop = actor_loop(a);
	tk->config = config_ref(env->config);
	memcpy(tk->peer_id, env->peer_id, sizeof tk->peer_id);
	tk->port = env->peer_port;
	tk->resolver = resolver_new(tk->loop, random_u64(), tk->config);
	tk->web = web_new(
		tk->loop, tk->resolver, (unsigned)tk->config->tracker_connections, env->api_port);
	web_use(tk->web, PROXY_FOR_TRACKERS);
	tk->udpio = udpio_new(tk->loop, tk->resolver);
	TAILQ_INIT(&tk->leaving);
	tk->stop_timer.fn = lose_patience;
	tk->quiesced_task.fn = say_quiesced;
	jobs_init(tk, &announced_job_ops);
	return tk;
}

static void fini_tracker(struct actor *a)
{
	struct tracker *tk = tracker_of(a);
	struct announced *to;

	drop_all(tk);
	for (uint32_t i = 0; i < tk->torrents.n; i++)
		if ((to = tref_table_at(&tk->torrents, i)) != NULL)
			announced_free(&to);
	while ((to = TAILQ_FIRST(&tk->leaving)) != NULL) {
		TAILQ_REMOVE(&tk->leaving, to, link);
		announced_free(&to);
	}
	jobs_fini(tk);
	loop_timer_del(tk->loop, &tk->stop_timer);
	loop_task_del(tk->loop, &tk->quiesced_task);
	udpio_free(&tk->udpio);
	web_free(&tk->web);
	resolver_free(&tk->resolver);
	blocklist_unref(&tk->list);
	config_unref(&tk->config);
	tref_table_fini(&tk->torrents);
	FREE_OBJ(tk);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, handle_reload},
	{MSG_BLOCKLIST_SET, handle_blocklist},
	{MSG_TRACKER_ADD, handle_add},
	{MSG_TRACKER_EDIT, handle_edit},
	{MSG_TRACKER_EVENT, handle_event},
	{MSG_TRACKER_VIEW, handle_view},
	{MSG_PEERS_TOTALS, handle_totals},
	{MSG_PEERS_WANTED, handle_wanted},
	{MSG_PORT_MAPPED, handle_mapped},
	{0, NULL},
};

const struct actor_spec tracker_spec = {
	.role_name = "tracker",
	.handlers = handlers,
	.init = init_tracker,
	.quiesce = quiesce_tracker,
	.fini = fini_tracker,
};
