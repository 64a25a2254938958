/* SPDX-License-Identifier: MIT */
/*
 * The tracker actor: keeps every torrent announced, and passes on the peers that are found.
 *
 * When and to whom is decided by proto/announce; here a torrent's announce is given time (one timer
 * each), told what the session wants, and its errands are queued as jobs.  Nothing walks over all
 * torrents but the end of the daemon, a new configuration and a view of all of them.
 *
 * A torrent that was removed leaves its slot at once and stays in `leaving` until its trackers were
 * told, or did not listen.
 */
#include "actors/tracker/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

#define TRACKER_MAGIC 0x54524b52u

static const int64_t SCRAPE_INTERVAL = 1800 * USEC_PER_SEC;
static const int64_t COUNTS_FRESH = 7200; /* seconds that a tracker's count of seeds is believed */

static struct tracker *tracker_of(const struct actor *a)
{
	struct tracker *tk;

	CAST_OBJ(tk, actor_self(a), TRACKER_MAGIC);
	return tk;
}

/* --- torrents --- */

static struct torrent *find_torrent(const struct tracker *tk, struct tref t)
{
	struct torrent *to = t.slot < tk->slots_n ? tk->slots[t.slot] : NULL;

	return to != NULL && tref_equal(to->t, t) ? to : NULL;
}

static void free_torrent(struct torrent **pto)
{
	struct torrent *to;

	TAKE_OBJ(to, pto, TORRENT_MAGIC);
	must(TAILQ_EMPTY(&to->jobs));
	loop_timer_del(to->tk->loop, &to->timer);
	announce_free(&to->announce);
	xfree(to->scraped);
	FREE_OBJ(to);
}

static void drop_jobs(struct torrent *to, bool running_too)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&to->jobs); j != NULL; j = next) {
		int tracker = j->tracker;
		bool tell = !j->scrape && j->family == WEB_ANY;

		next = TAILQ_NEXT(j, of_torrent);
		if (j->event == ANNOUNCE_STOPPED || (j->running && !running_too))
			continue;
		job_drop(to->tk, &j);
		if (tell)
			announce_done(to->announce, tracker, NULL, E_CANCELLED, NULL,
				loop_now(to->tk->loop), clock_wall_s());
	}
}

/* Takes what is due and sleeps until there is more. */
static void pump_torrent(struct torrent *to)
{
	int64_t now = loop_now(to->tk->loop), at;
	struct announce_todo todo;

	while (announce_next(to->announce, now, &todo) == 1)
		job_announce(to, &todo);
	at = announce_deadline(to->announce);
	if (at == INT64_MAX)
		loop_timer_del(to->tk->loop, &to->timer);
	else
		loop_timer_set(to->tk->loop, &to->timer, MAX(at, now));
}

/* The torrent may be gone afterwards. */
static void let_go(struct torrent *to)
{
	if (!to->leaving || !TAILQ_EMPTY(&to->jobs) || !announce_stopped(to->announce))
		return;
	TAILQ_REMOVE(&to->tk->leaving, to, link);
	free_torrent(&to);
}

static void run_torrent(struct loop_timer *t, int64_t now)
{
	struct torrent *to = container_of(t, struct torrent, timer);

	(void)now;
	CHECK_OBJ(to, TORRENT_MAGIC);
	pump_torrent(to);
	let_go(to);
}

static void start_torrent(struct torrent *to)
{
	to->active = true;
	announce_start(to->announce, loop_now(to->tk->loop));
	pump_torrent(to);
}

/*
 * What waits in the queue was never sent.  What is under way may have arrived: with `hurry` it is
 * given up after the stop, so that its tracker is told as well, else its answer is awaited first.
 */
static void stop_torrent(struct torrent *to, bool hurry)
{
	to->active = false;
	drop_jobs(to, false);
	announce_stop(to->announce);
	if (hurry)
		drop_jobs(to, true);
	pump_torrent(to);
}

static void remove_torrent(struct torrent *to)
{
	to->tk->slots[to->t.slot] = NULL;
	to->leaving = true;
	TAILQ_INSERT_TAIL(&to->tk->leaving, to, link);
	stop_torrent(to, false);
	let_go(to);
}

static struct announce *make_announce(const struct metainfo *meta)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	struct announce_urls urls = {.list = list};

	for (uint32_t t = 0; t < meta->tiers_n; t++) {
		const struct metainfo_tier *tier = &meta->tiers[t];

		for (uint32_t i = 0; i < tier->urls_n && urls.n < ARRAY_LEN(list); i++) {
			const char *url = tier->urls[i];

			list[urls.n++] = (struct announce_url){
				.url = {.p = (const uint8_t *)url, .n = strlen(url)},
				.tier = t,
			};
		}
	}
	return announce_new(&urls, random_u64());
}

/* Seconds. */
static uint32_t least_interval(const struct tracker *tk)
{
	return (uint32_t)(tk->config->tracker_min_interval / USEC_PER_SEC);
}

static void make_slot(struct tracker *tk, uint32_t slot)
{
	uint32_t n = tk->slots_n;

	if (slot < n)
		return;
	while (n <= slot)
		n = MAX(n * 2, 64u);
	tk->slots = xrealloc(tk->slots, n * sizeof *tk->slots);
	for (uint32_t i = tk->slots_n; i < n; i++)
		tk->slots[i] = NULL;
	tk->slots_n = n;
}

/* --- what jobs bring --- */

static void note_left(struct torrent *to, uint64_t left)
{
	to->left = left;
	if (left > 0)
		to->seed_wall = 0;
	else if (to->seed_wall == 0)
		to->seed_wall = clock_wall_s();
}

/*
 * The most that any of its trackers said lately, without us, who are one of them where we announced
 * as a seed; -1: nobody said.
 */
static int64_t other_seeds(const struct torrent *to)
{
	int64_t most = -1, now = clock_wall_s();

	for (int i = 0; i < announce_count(to->announce); i++) {
		struct announce_view v;
		bool us;

		announce_view(to->announce, i, &v);
		if (v.status != ANNOUNCE_WORKING || v.seeders < 0 ||
			now - v.last_wall > COUNTS_FRESH)
			continue;
		us = to->seed_wall != 0 && v.last_wall >= to->seed_wall && v.seeders > 0;
		most = MAX(most, v.seeders - us);
	}
	return most;
}

/* Peers, if there are any, and how many seeds are known by now. */
static void send_found(struct torrent *to, struct announce_reply *reply)
{
	struct tracker *tk = to->tk;
	struct m_peers_found *m;
	int64_t seeds = other_seeds(to);
	struct msg *h;

	if (!to->active || actor_stopping(tk->actor) || (reply->peers_n == 0 && seeds < 0))
		return;
	m = msg_new(tk->actor, MSG_PEERS_FOUND);
	m->t = to->t;
	m->seeds = seeds;
	m->peers = reply->peers;
	m->n = reply->peers_n;
	reply->peers = NULL;
	reply->peers_n = reply->peers_cap = 0;
	h = &m->h;
	actor_cast(tk->actor, ADDR(ROLE_PEERS, to->t.shard), &h);
}

static void log_answer(const struct torrent *to, const struct job *j,
	const struct announce_reply *reply, enum err err, const char *text)
{
	struct announce_view v;
	char host[256], safe_host[256], safe[256];
	const char *event = announce_event_name(j->event);

	url_host(j->url, host, sizeof host);
	log_safe(host, safe_host, sizeof safe_host);
	if (err == E_OK && reply->failure[0] == '\0') {
		log_event(LOG_DEBUG, "announced",
			"slot=%" PRIu32 " host=%s event=%s peers=%" PRIu32, to->t.slot, safe_host,
			event, reply->peers_n);
		return;
	}
	if (err == E_OK)
		text = reply->failure;
	announce_view(to->announce, j->tracker, &v);
	log_event(v.fails <= 1 ? LOG_INFO : LOG_DEBUG, "announce_failed",
		"slot=%" PRIu32 " host=%s event=%s error=%s text=\"%s\"", to->t.slot, safe_host,
		event, err_name(err == E_OK ? E_TRACKER : err), log_safe(text, safe, sizeof safe));
}

/* Many trackers leave the counts out of their announces; BEP 48. */
static void scrape_when_needed(
	struct torrent *to, const struct job *j, const struct announce_reply *r)
{
	struct tracker *tk = to->tk;
	int64_t now = loop_now(tk->loop);
	char url[TRACKER_URL_MAX];
	enum err err;

	if ((r->complete >= 0 && r->incomplete >= 0) || !to->active || actor_stopping(tk->actor))
		return;
	if (to->scraped == NULL)
		to->scraped = xcalloc((size_t)announce_count(to->announce), sizeof *to->scraped);
	if (to->scraped[j->tracker] != 0 && now - to->scraped[j->tracker] < SCRAPE_INTERVAL)
		return;
	to->scraped[j->tracker] = now;
	if (strncasecmp(j->url, "udp:", 4) != 0) {
		err = tracker_http_scrape_url(j->url, to->infohash, url, sizeof url);
		if (err != E_OK)
			return;
	}
	job_scrape(to, j->tracker, j->url);
}

void torrent_answered(struct torrent *to, const struct job *j, struct announce_reply *reply,
	enum err err, const char *text)
{
	struct tracker *tk = to->tk;

	CHECK_OBJ(to, TORRENT_MAGIC);
	announce_done(
		to->announce, j->tracker, reply, err, text, loop_now(tk->loop), clock_wall_s());
	log_answer(to, j, reply, err, text);
	if (err == E_OK && reply->failure[0] == '\0' && j->event != ANNOUNCE_STOPPED) {
		scrape_when_needed(to, j, reply);
		send_found(to, reply);
	}
	pump_torrent(to);
}

void torrent_answered_again(struct torrent *to, const struct job *j, struct announce_reply *reply)
{
	CHECK_OBJ(to, TORRENT_MAGIC);
	if (reply != NULL && reply->failure[0] == '\0' && j->event != ANNOUNCE_STOPPED)
		send_found(to, reply);
}

void torrent_scraped(struct torrent *to, const struct job *j, struct announce_reply *reply)
{
	CHECK_OBJ(to, TORRENT_MAGIC);
	announce_scraped(to->announce, j->tracker, reply);
	send_found(to, reply);
}

void torrent_job_gone(struct torrent *to)
{
	struct tracker *tk = to->tk;

	let_go(to);
	if (actor_stopping(tk->actor) && tk->jobs.total == 0 && !tk->quiesced)
		loop_task_post(tk->loop, &tk->quiesced_task);
}

/* --- messages --- */

static void handle_add(struct actor *a, struct msg **pm)
{
	struct m_tracker_add *m = container_of(*pm, struct m_tracker_add, h);
	struct tracker *tk = tracker_of(a);
	struct torrent *to;

	if (actor_stopping(a))
		return;
	make_slot(tk, m->t.slot);
	if (tk->slots[m->t.slot] != NULL)
		remove_torrent(tk->slots[m->t.slot]);
	ALLOC_OBJ(to, TORRENT_MAGIC);
	to->tk = tk;
	to->t = m->t;
	note_left(to, m->left);
	to->key = (uint32_t)random_u64();
	to->timer.fn = run_torrent;
	TAILQ_INIT(&to->jobs);
	memcpy(to->infohash, m->meta->infohash.v1, sizeof to->infohash);
	to->announce = make_announce(m->meta);
	announce_floor(to->announce, least_interval(tk));
	tk->slots[m->t.slot] = to;
	if (m->active)
		start_torrent(to);
}

static void handle_event(struct actor *a, struct msg **pm)
{
	struct m_tracker_event *m = container_of(*pm, struct m_tracker_event, h);
	struct torrent *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL || actor_stopping(a))
		return;
	to->downloaded = MAX(to->downloaded, m->downloaded);
	to->uploaded = MAX(to->uploaded, m->uploaded);
	if (m->op != TRACKER_REMOVE)
		note_left(to, m->left);
	switch (m->op) {
	case TRACKER_START:
		if (!to->active)
			to->completed = false; /* a check may have found it otherwise */
		start_torrent(to);
		break;
	case TRACKER_STOP:
		stop_torrent(to, false);
		break;
	case TRACKER_COMPLETED:
		to->completed = true;
		note_left(to, 0);
		announce_complete(to->announce, loop_now(to->tk->loop));
		pump_torrent(to);
		break;
	case TRACKER_REMOVE:
		remove_torrent(to);
		break;
	}
}

static void handle_totals(struct actor *a, struct msg **pm)
{
	struct m_totals *m = container_of(*pm, struct m_totals, h);
	struct torrent *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL)
		return;
	to->downloaded = m->downloaded;
	to->uploaded = m->uploaded;
	note_left(to, m->left);
}

static void handle_wanted(struct actor *a, struct msg **pm)
{
	struct m_torrent *m = container_of(*pm, struct m_torrent, h);
	struct torrent *to = find_torrent(tracker_of(a), m->t);

	if (to == NULL || !to->active || actor_stopping(a))
		return;
	(void)announce_again(to->announce, loop_now(to->tk->loop));
	pump_torrent(to);
}

static void handle_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = container_of(*pm, struct m_reload, h);
	struct tracker *tk = tracker_of(a);

	config_unref(&tk->config);
	tk->config = m->config;
	m->config = NULL;
	for (uint32_t i = 0; i < tk->slots_n; i++) {
		if (tk->slots[i] == NULL)
			continue;
		announce_floor(tk->slots[i]->announce, least_interval(tk));
		pump_torrent(tk->slots[i]);
	}
}

/* --- views --- */

static void view_tracker(const struct torrent *to, int i, struct tracker_view *out)
{
	int64_t now = loop_now(to->tk->loop);
	struct announce_view v;

	announce_view(to->announce, i, &v);
	out->url = xstrdup(v.url);
	out->tier = v.tier;
	out->working = v.status == ANNOUNCE_WORKING;
	out->contacted = v.status != ANNOUNCE_IDLE;
	memcpy(out->message, v.message, strnlen(v.message, sizeof out->message - 1));
	out->leechers = v.leechers;
	out->seeders = v.seeders;
	out->peers = v.peers;
	out->last_announce = v.last_wall;
	if (v.next != INT64_MAX && to->active)
		out->next_announce = clock_wall_s() + MAX(v.next - now, 0) / USEC_PER_SEC;
}

static void view_torrent(const struct torrent *to, struct torrent_trackers *out)
{
	int n = announce_count(to->announce);

	out->t = to->t;
	out->n = (uint32_t)n;
	out->trackers = n > 0 ? xcalloc((size_t)n, sizeof *out->trackers) : NULL;
	for (int i = 0; i < n; i++)
		view_tracker(to, i, &out->trackers[i]);
}

static void handle_view(struct actor *a, struct msg **pm)
{
	struct m_tracker_view *m = container_of(*pm, struct m_tracker_view, h);
	struct tracker *tk = tracker_of(a);
	struct torrent *one = m->all ? NULL : find_torrent(tk, m->t);
	uint32_t n = one != NULL;

	if (!m->all && one == NULL) {
		m->h.err = E_NOT_FOUND;
		return;
	}
	for (uint32_t i = 0; m->all && i < tk->slots_n; i++)
		n += tk->slots[i] != NULL;
	m->torrents = n > 0 ? xcalloc(n, sizeof *m->torrents) : NULL;
	if (one != NULL)
		view_torrent(one, &m->torrents[m->torrents_n++]);
	for (uint32_t i = 0; m->all && i < tk->slots_n; i++)
		if (tk->slots[i] != NULL)
			view_torrent(tk->slots[i], &m->torrents[m->torrents_n++]);
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

static void drop_every_job(struct tracker *tk, struct torrent *to)
{
	struct job *j;

	while ((j = TAILQ_FIRST(&to->jobs)) != NULL)
		job_drop(tk, &j);
	loop_timer_del(tk->loop, &to->timer);
}

static void drop_all(struct tracker *tk)
{
	struct torrent *to;

	for (uint32_t i = 0; i < tk->slots_n; i++)
		if (tk->slots[i] != NULL)
			drop_every_job(tk, tk->slots[i]);
	TAILQ_FOREACH(to, &tk->leaving, link)
	drop_every_job(tk, to);
}

static void lose_patience(struct loop_timer *t, int64_t now)
{
	struct tracker *tk = container_of(t, struct tracker, stop_timer);

	(void)now;
	CHECK_OBJ(tk, TRACKER_MAGIC);
	log_event(LOG_INFO, "trackers_not_told", "announces=%u", tk->jobs.total);
	drop_all(tk);
	loop_task_post(tk->loop, &tk->quiesced_task);
}

static void quiesce_tracker(struct actor *a)
{
	struct tracker *tk = tracker_of(a);
	int64_t patience = tk->config->tracker_stop_timeout;
	struct torrent *to;

	for (uint32_t i = 0; i < tk->slots_n; i++)
		if (tk->slots[i] != NULL)
			stop_torrent(tk->slots[i], true);
	TAILQ_FOREACH(to, &tk->leaving, link)
	stop_torrent(to, true);
	if (patience == 0)
		drop_all(tk);
	if (tk->jobs.total == 0)
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
	tk->resolver = resolver_new(tk->loop, random_u64());
	tk->web = web_new(
		tk->loop, tk->resolver, (unsigned)tk->config->tracker_connections, env->api_port);
	tk->udpio = udpio_new(tk->loop, tk->resolver);
	TAILQ_INIT(&tk->leaving);
	tk->stop_timer.fn = lose_patience;
	tk->quiesced_task.fn = say_quiesced;
	jobs_init(tk);
	return tk;
}

static void fini_tracker(struct actor *a)
{
	struct tracker *tk = tracker_of(a);
	struct torrent *to;

	drop_all(tk);
	for (uint32_t i = 0; i < tk->slots_n; i++)
		if (tk->slots[i] != NULL)
			free_torrent(&tk->slots[i]);
	while ((to = TAILQ_FIRST(&tk->leaving)) != NULL) {
		TAILQ_REMOVE(&tk->leaving, to, link);
		free_torrent(&to);
	}
	jobs_fini(tk);
	loop_timer_del(tk->loop, &tk->stop_timer);
	loop_task_del(tk->loop, &tk->quiesced_task);
	udpio_free(&tk->udpio);
	web_free(&tk->web);
	resolver_free(&tk->resolver);
	config_unref(&tk->config);
	xfree(tk->slots);
	FREE_OBJ(tk);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, handle_reload},
	{MSG_TRACKER_ADD, handle_add},
	{MSG_TRACKER_EVENT, handle_event},
	{MSG_TRACKER_VIEW, handle_view},
	{MSG_PEERS_TOTALS, handle_totals},
	{MSG_PEERS_WANTED, handle_wanted},
	{0, NULL},
};

const struct actor_spec tracker_spec = {
	.role_name = "tracker",
	.handlers = handlers,
	.init = init_tracker,
	.quiesce = quiesce_tracker,
	.fini = fini_tracker,
};
