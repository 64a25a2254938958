/* SPDX-License-Identifier: MIT */
/*
 * A torrent as its trackers are told of it: when, what, and what they answer.
 *
 * When and to whom is decided by proto/tracker/announce; here an announce is given time (one timer
 * each), and its errands are queued as jobs.  A torrent that was removed leaves its slot at once
 * and stays in `leaving` until its trackers were told, or did not listen.
 */
#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"
#include "actors/tracker/priv.h"

static const int64_t SCRAPE_INTERVAL = 1800 * USEC_PER_SEC;
static const int64_t COUNTS_FRESH = 7200; /* seconds that a tracker's count of seeds is believed */

/* --- life --- */

void announced_free(struct announced **pto)
{
	struct announced *to;

	TAKE_OBJ(to, pto, ANNOUNCED_MAGIC);
	must(TAILQ_EMPTY(&to->jobs));
	loop_timer_del(to->tk->loop, &to->timer);
	announce_free(&to->announce);
	xfree(to->scraped);
	FREE_OBJ(to);
}

static void drop_jobs(struct announced *to, bool running_too)
{
	struct job *j, *next;

	for (j = TAILQ_FIRST(&to->jobs); j != NULL; j = next) {
		int tracker = j->tracker;
		bool tell = !j->scrape && j->family == WEB_ANY;

		next = TAILQ_NEXT(j, of_torrent);
		if (j->event == ANNOUNCE_STOPPED || (j->item.running && !running_too))
			continue;
		job_drop(to->tk, &j);
		if (tell)
			announce_done(to->announce, tracker, NULL, E_CANCELLED, NULL,
				loop_now(to->tk->loop), clock_wall_s());
	}
}

/* Until the announce has something by itself. */
static void sleep_on(struct announced *to)
{
	int64_t now = loop_now(to->tk->loop), at = announce_deadline(to->announce);

	if (at == INT64_MAX)
		loop_timer_del(to->tk->loop, &to->timer);
	else
		loop_timer_set(to->tk->loop, &to->timer, MAX(at, now));
}

void announced_pump(struct announced *to)
{
	struct announce_todo todo;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	while (announce_next(to->announce, loop_now(to->tk->loop), &todo) == 1)
		job_announce(to, &todo);
	sleep_on(to);
}

/* The torrent may be gone afterwards. */
static void let_go(struct announced *to)
{
	if (!to->leaving || !TAILQ_EMPTY(&to->jobs) || !announce_stopped(to->announce))
		return;
	TAILQ_REMOVE(&to->tk->leaving, to, link);
	announced_free(&to);
}

static void run_timer(struct loop_timer *t, int64_t now)
{
	struct announced *to = container_of(t, struct announced, timer);

	(void)now;
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	announced_pump(to);
	let_go(to);
}

void announced_start(struct announced *to)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	if (!to->active)
		to->completed = false; /* a check may have found it otherwise */
	to->active = true;
	announce_start(to->announce, loop_now(to->tk->loop));
	announced_pump(to);
}

void announced_stop(struct announced *to, bool hurry)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	to->active = false;
	drop_jobs(to, false);
	announce_stop(to->announce);
	if (hurry)
		drop_jobs(to, true);
	announced_pump(to);
}

void announced_remove(struct announced *to)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	tref_table_remove(&to->tk->torrents, to->ref);
	to->leaving = true;
	TAILQ_INSERT_TAIL(&to->tk->leaving, to, link);
	announced_stop(to, false);
	let_go(to);
}

static struct announce *make_announce(const struct metainfo *meta)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	struct announce_urls urls = {.list = list, .n = announce_urls_of(meta, list)};

	return announce_new(&urls, random_u64());
}

/* Seconds. */
static uint32_t floor_of(const struct tracker *tk)
{
	return (uint32_t)(tk->config->tracker_min_interval / USEC_PER_SEC);
}

/* --- what jobs bring --- */

void announced_note_left(struct announced *to, uint64_t left)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	to->left = left;
	if (left > 0)
		to->seed_wall = 0;
	else if (to->seed_wall == 0)
		to->seed_wall = clock_wall_s();
}

void announced_note_partial(struct announced *to, bool partial)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	if (to->partial == partial || actor_stopping(to->tk->actor))
		return;
	to->partial = partial;
	announce_pause(to->announce, partial, loop_now(to->tk->loop));
	announced_pump(to);
}

/*
 * The most that any of its trackers said lately, without us, who are one of them where we announced
 * as a seed; -1: nobody said.
 */
static int64_t other_seeds(const struct announced *to)
{
	int64_t most = -1, now = clock_wall_s();

	for (int i = 0; i < announce_count(to->announce); i++) {
		struct announce_view v;
		bool us;

		announce_view(to->announce, i, &v);
		if (v.dropped || v.status != ANNOUNCE_WORKING || v.seeders < 0 ||
			now - v.last_wall > COUNTS_FRESH)
			continue;
		us = to->seed_wall != 0 && v.last_wall >= to->seed_wall && v.seeders > 0;
		most = MAX(most, v.seeders - us);
	}
	return most;
}

/* What lists show of the trackers; those that were not asked yet say nothing. */
static struct tracker_counts count_trackers(const struct announced *to)
{
	struct tracker_counts n = {.seeds = -1, .peers = -1};
	bool works = false;

	for (int i = 0; i < announce_count(to->announce); i++) {
		struct announce_view v;

		announce_view(to->announce, i, &v);
		if (v.dropped)
			continue;
		works |= v.status == ANNOUNCE_WORKING;
		n.fail |= v.status == ANNOUNCE_ERROR;
		n.seeds = MAX(n.seeds, (int32_t)MIN(v.seeders, INT32_MAX));
		n.peers = MAX(n.peers, (int32_t)MIN(v.leechers, INT32_MAX));
	}
	n.fail = n.fail && !works;
	return n;
}

static void send_news(struct announced *to)
{
	struct tracker_counts now = count_trackers(to), *was = &to->told;
	struct m_tracker_news *m;

	if (to->leaving || actor_stopping(to->tk->actor))
		return;
	if (now.seeds == was->seeds && now.peers == was->peers && now.fail == was->fail)
		return;
	*was = now;
	m = msg_new(to->tk->actor, MSG_TRACKER_NEWS);
	m->t = to->ref;
	m->now = now;
	msg_send(to->tk->actor, ADDR_SESSION, m);
}

/* Peers, if there are any, and how many seeds are known by now. */
static void send_found(struct announced *to, struct announce_reply *reply)
{
	struct tracker *tk = to->tk;
	struct m_peers_found *m;
	int64_t seeds = other_seeds(to);

	if (!to->active || actor_stopping(tk->actor) || (reply->peers_n == 0 && seeds < 0))
		return;
	m = msg_new(tk->actor, MSG_PEERS_FOUND);
	m->t = to->ref;
	m->source = PEER_TRACKER;
	m->seeds = seeds;
	m->peers = reply->peers;
	m->n = reply->peers_n;
	reply->peers = NULL;
	reply->peers_n = reply->peers_cap = 0;
	msg_send(tk->actor, ADDR(ROLE_PEERS, to->ref.shard), m);
}

static void log_answer(const struct announced *to, const struct job *j,
	const struct announce_reply *reply, enum err err, const char *text)
{
	struct announce_view v;
	char host[256];
	struct ih ih = infohash_name(to->infohash);
	const char *event = announce_event_name(j->event);

	job_host(j->url, host, sizeof host);
	if (err == E_OK && reply->failure[0] == '\0') {
		log_event(LOG_DEBUG, "announced", "ih=%s host=\"%s\" event=%s peers=%" PRIu32,
			ih.text, host, event, reply->peers_n);
		return;
	}
	if (err == E_OK)
		text = reply->failure;
	announce_view(to->announce, j->tracker, &v);
	log_event(v.fails <= 1 ? LOG_INFO : LOG_DEBUG, "announce_failed",
		"ih=%s host=\"%s\" event=%s err=%s text=\"%s\"", ih.text, host, event,
		err_name(err == E_OK ? E_TRACKER : err), text);
}

/* Many trackers leave the counts out of their announces; BEP 48. */
static void scrape_when_needed(
	struct announced *to, const struct job *j, const struct announce_reply *r)
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
		err = announce_http_scrape_url(j->url, to->infohash, url, sizeof url);
		if (err != E_OK)
			return;
	}
	job_scrape(to, j->tracker, j->url);
}

static void take_answer(struct job *j, struct announce_reply *reply, enum err err, const char *text)
{
	struct announced *to = j->torrent;
	struct tracker *tk = to->tk;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	announce_done(
		to->announce, j->tracker, reply, err, text, loop_now(tk->loop), clock_wall_s());
	log_answer(to, j, reply, err, text);
	if (err == E_OK && reply->failure[0] == '\0' && j->event != ANNOUNCE_STOPPED) {
		scrape_when_needed(to, j, reply);
		send_found(to, reply);
	}
	send_news(to);
	announced_pump(to);
}

static void take_second_answer(struct job *j, struct announce_reply *reply)
{
	struct announced *to = j->torrent;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	if (reply != NULL && reply->failure[0] == '\0' && j->event != ANNOUNCE_STOPPED)
		send_found(to, reply);
}

static void take_scrape(struct job *j, struct announce_reply *reply)
{
	struct announced *to = j->torrent;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	announce_scraped(to->announce, j->tracker, reply);
	send_found(to, reply);
	send_news(to);
}

static void note_gone(struct announced *to)
{
	struct tracker *tk = to->tk;

	let_go(to);
	if (actor_stopping(tk->actor) && places_count(tk->jobs.queue) == 0 && !tk->quiesced)
		loop_task_post(tk->loop, &tk->quiesced_task);
}

static void note_begun(struct job *j)
{
	struct announced *to = j->torrent;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	if (j->scrape || j->family != WEB_ANY)
		return;
	announce_begun(to->announce, j->tracker, loop_now(to->tk->loop));
	sleep_on(to);
}

const struct job_ops announced_job_ops = {
	.begun = note_begun,
	.answered = take_answer,
	.answered_again = take_second_answer,
	.scraped = take_scrape,
	.gone = note_gone,
};

/* --- what was counted --- */

static void count_anew(struct count *c, uint64_t run)
{
	*c = (struct count){
		.run_base = run, .peers_base = c->peers_last, .peers_last = c->peers_last};
}

static void count_run(struct count *c, uint64_t run)
{
	if (run > c->run_base)
		c->since = MAX(c->since, run - c->run_base);
}

static void count_peers(struct count *c, uint64_t n)
{
	if (n < c->peers_base)
		c->peers_base = 0; /* they got the torrent anew, and count from 0 */
	c->peers_last = n;
	c->since = MAX(c->since, n - c->peers_base);
}

void announced_count_anew(struct announced *to, uint64_t down, uint64_t up)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	count_anew(&to->down, down);
	count_anew(&to->up, up);
}

void announced_note_run(struct announced *to, uint64_t down, uint64_t up)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	count_run(&to->down, down);
	count_run(&to->up, up);
}

void announced_note_peers(struct announced *to, uint64_t down, uint64_t up)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	count_peers(&to->down, down);
	count_peers(&to->up, up);
}

/* --- outside --- */

void announced_add(struct tracker *tk, const struct m_tracker_add *m)
{
	struct announced *to;

	CHECK_OBJ(tk, TRACKER_MAGIC);
	to = tref_table_at(&tk->torrents, m->t.slot);
	if (to != NULL)
		announced_remove(to);
	ALLOC_OBJ(to, ANNOUNCED_MAGIC);
	to->tk = tk;
	to->ref = m->t;
	announced_note_left(to, m->left);
	to->key = (uint32_t)random_u64();
	to->timer.fn = run_timer;
	TAILQ_INIT(&to->jobs);
	memcpy(to->infohash, m->meta->infohash.v1, sizeof to->infohash);
	to->announce = make_announce(m->meta);
	to->told = (struct tracker_counts){.seeds = -1, .peers = -1};
	announce_floor(to->announce, floor_of(tk));
	announced_note_partial(to, m->partial);
	tref_table_put(&tk->torrents, to->ref, to);
	if (m->active)
		announced_start(to);
}

void announced_refloor(struct announced *to)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	announce_floor(to->announce, floor_of(to->tk));
	announced_pump(to);
}

/* What waits may be for one that leaves, and is due again at once; a scrape would be taken for that
 * of whoever gets the number. */
static void drop_before_edit(struct announced *to)
{
	struct job *j, *next;

	drop_jobs(to, false);
	for (j = TAILQ_FIRST(&to->jobs); j != NULL; j = next) {
		next = TAILQ_NEXT(j, of_torrent);
		if (j->scrape)
			job_drop(to->tk, &j);
	}
}

void announced_edit(struct announced *to, const struct metainfo *meta)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	struct announce_urls urls = {.list = list, .n = announce_urls_of(meta, list)};

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	drop_before_edit(to);
	announce_edit(to->announce, &urls, loop_now(to->tk->loop));
	xfree(to->scraped);
	to->scraped = NULL;
	announced_pump(to);
	send_news(to);
}

void announced_complete(struct announced *to)
{
	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	to->completed = true;
	announced_note_left(to, 0);
	announce_complete(to->announce, loop_now(to->tk->loop));
	announced_pump(to);
}

void announced_silence(struct announced *to)
{
	struct job *j;

	CHECK_OBJ(to, ANNOUNCED_MAGIC);
	while ((j = TAILQ_FIRST(&to->jobs)) != NULL)
		job_drop(to->tk, &j);
	loop_timer_del(to->tk->loop, &to->timer);
}
