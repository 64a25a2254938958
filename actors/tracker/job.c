/* SPDX-License-Identifier: MIT */
/*
 * Announces and scrapes: how one is carried out.
 *
 * A waiting job is small; what a transfer needs is made when it starts.  Whose turn it is, places.c
 * says.
 *
 * An HTTP tracker that has addresses of both families is told over both, or peers of the one that
 * was not used could not find us (BEP 7); a second job does that once the first is answered.
 *
 * Invariants: a job is in the queue, where it waits or runs, and among its torrent's jobs; the
 * loop, never job_announce(), starts and ends jobs, so that nobody is called back from in his own
 * call.
 */
#include "actors/tracker/priv.h"

#include <stdio.h>

#include "actors/kernel/random.h"

static const int64_t STOPPED_PATIENCE = 10 * USEC_PER_SEC;

/* --- making and ending --- */

static enum queue_class class_of(const struct job *j)
{
	if (j->event == ANNOUNCE_STOPPED || j->event == ANNOUNCE_COMPLETED)
		return QUEUE_EVENT;
	return j->event == ANNOUNCE_STARTED ? QUEUE_FIRST : QUEUE_REST;
}

static struct job *add_job(
	struct announced *to, int tracker, const char *url, enum announce_event event)
{
	struct jobs *q = &to->tk->jobs;
	char host[256];
	struct job *j;

	ALLOC_OBJ(j, JOB_MAGIC);
	j->torrent = to;
	j->tracker = tracker;
	j->url = xstrdup(url);
	j->event = event;
	TAILQ_INSERT_TAIL(&to->jobs, j, of_torrent);
	places_add(q->queue, &j->item, job_host(url, host, sizeof host), class_of(j));
	loop_task_post(to->tk->loop, &q->task);
	return j;
}

void job_announce(struct announced *to, const struct announce_todo *todo)
{
	struct job *j = add_job(to, todo->tracker, todo->url, todo->event);

	j->trackerid = todo->trackerid != NULL ? xstrdup(todo->trackerid) : NULL;
}

void job_scrape(struct announced *to, int tracker, const char *url)
{
	add_job(to, tracker, url, ANNOUNCE_NONE)->scrape = true;
}

static void unlink_job(struct tracker *tk, struct job *j, enum queue_end end)
{
	places_remove(tk->jobs.queue, &j->item, end);
	TAILQ_REMOVE(&j->torrent->jobs, j, of_torrent);
	loop_timer_del(tk->loop, &j->timer);
	loop_task_post(tk->loop, &tk->jobs.task);
}

static void free_job(struct job **pj)
{
	struct job *j;

	TAKE_OBJ(j, pj, JOB_MAGIC);
	if (j->web != NULL)
		web_get_free(&j->web);
	if (j->udp != NULL)
		udpio_ask_free(&j->udp);
	xfree(j->trackerid);
	xfree(j->url);
	FREE_OBJ(j);
}

void job_drop(struct tracker *tk, struct job **pj)
{
	CHECK_OBJ(*pj, JOB_MAGIC);
	unlink_job(tk, *pj, QUEUE_DROPPED);
	free_job(pj);
}

/* text and reply may lie in the transfer, which therefore goes last. */
static void end_job(struct job *j, struct announce_reply *reply, enum err err, const char *text)
{
	struct announced *to = j->torrent;
	const struct job_ops *ops = to->tk->jobs.ops;

	unlink_job(to->tk, j, err == E_TIMEOUT ? QUEUE_SILENT : QUEUE_ANSWERED);
	if (j->family != WEB_ANY)
		ops->answered_again(j, reply);
	else if (!j->scrape)
		ops->answered(j, reply, err, text);
	else if (err == E_OK)
		ops->scraped(j, reply);
	free_job(&j);
	ops->gone(to);
}

static void give_up(struct loop_timer *t, int64_t now)
{
	struct job *j = container_of(t, struct job, timer);

	(void)now;
	CHECK_OBJ(j, JOB_MAGIC);
	end_job(j, NULL, E_TIMEOUT, err_words(E_TIMEOUT));
}

/* --- answers --- */

/* Some trackers explain a refusal in the body of an error page, some in the status alone. */
static void end_with_status(struct job *j, struct announce_reply *r, long status, enum err parsed)
{
	char text[320];
	bool explained = parsed == E_OK && r->failure[0] != '\0';

	snprintf(text, sizeof text, "HTTP %ld%s%s", status, explained ? ": " : "",
		explained ? r->failure : "");
	end_job(j, NULL, E_TRACKER, text);
}

static void say_again(const struct job *j, const struct web_answer *a)
{
	struct job *twin;

	if (j->scrape || j->family != WEB_ANY || a->other == WEB_ANY)
		return;
	twin = add_job(j->torrent, j->tracker, j->url, j->event);
	twin->family = a->other;
	twin->trackerid = j->trackerid != NULL ? xstrdup(j->trackerid) : NULL;
}

static void end_well(struct job *j, struct announce_reply *r, const struct web_answer *a)
{
	say_again(j, a);
	end_job(j, r, E_OK, NULL);
}

static void web_answered(void *ctx, const struct web_answer *a)
{
	struct announce_reply r;
	struct job *j;
	enum err err;

	CAST_OBJ(j, ctx, JOB_MAGIC);
	if (a->err != E_OK) {
		end_job(j, NULL, a->err, a->text);
		return;
	}
	if (j->scrape)
		err = announce_http_scrape_parse(a->body, j->torrent->infohash, &r);
	else
		err = announce_http_parse(a->body, &r);
	if (a->status < 200 || a->status > 299)
		end_with_status(j, &r, a->status, err);
	else if (err != E_OK)
		end_job(j, NULL, err, r.failure[0] != '\0' ? r.failure : err_words(err));
	else
		end_well(j, &r, a);
	announce_reply_free(&r);
}

static void udp_answered(void *ctx, enum err err, const char *text, struct announce_reply *reply)
{
	struct job *j;

	CAST_OBJ(j, ctx, JOB_MAGIC);
	end_job(j, err == E_OK ? reply : NULL, err, text);
}

/* --- starting --- */

static void fill_params(const struct job *j, struct announce_params *p)
{
	const struct announced *to = j->torrent;
	const struct tracker *tk = to->tk;

	*p = (struct announce_params){.port = tk->port,
		.uploaded = to->up.since,
		.downloaded = to->down.since,
		.left = to->completed ? 0 : to->left,
		.event = j->event,
		.key = to->key,
		.numwant = (uint32_t)tk->config->tracker_numwant,
		.trackerid = j->trackerid};
	if (j->event == ANNOUNCE_STOPPED)
		p->numwant = 0;
	memcpy(p->infohash, to->infohash, sizeof p->infohash);
	memcpy(p->peer_id, tk->peer_id, sizeof p->peer_id);
}

static struct web_get *get_url(struct job *j, const char *url)
{
	const struct tracker *tk = j->torrent->tk;
	struct web_request r = {.url = url,
		.family = j->family,
		.config = tk->config,
		.connect_timeout = tk->config->tracker_timeout,
		.body_max = (size_t)tk->config->tracker_reply_limit,
		.fn = web_answered,
		.ctx = j};

	return web_get_new(tk->web, &r);
}

static enum err start_web(struct job *j, const struct announce_params *p)
{
	char url[TRACKER_URL_MAX];
	enum err err;

	if (j->scrape)
		err = announce_http_scrape_url(j->url, p->infohash, url, sizeof url);
	else
		err = announce_http_url(j->url, p, url, sizeof url);
	if (err == E_OK)
		j->web = get_url(j, url);
	return err;
}

static void start_udp(struct job *j, const struct announce_params *p)
{
	struct tracker *tk = j->torrent->tk;
	struct udpio_ask_opts o = {.url = j->url,
		.params = p,
		.action = j->scrape ? UDP_SCRAPE : UDP_ANNOUNCE,
		.config = tk->config};

	j->udp = udpio_ask_new(tk->udpio, &o, udp_answered, j);
}

static void start_job(struct job *j)
{
	struct tracker *tk = j->torrent->tk;
	int64_t patience = tk->config->tracker_timeout;
	struct announce_params p;
	enum err err = E_OK;

	if (j->event == ANNOUNCE_STOPPED)
		patience = MIN(patience, STOPPED_PATIENCE);
	j->timer.fn = give_up;
	loop_timer_set(tk->loop, &j->timer, loop_now(tk->loop) + patience);
	tk->jobs.ops->begun(j);
	fill_params(j, &p);
	if (strncasecmp(j->url, "udp:", 4) == 0)
		start_udp(j, &p);
	else
		err = start_web(j, &p);
	if (err != E_OK)
		end_job(j, NULL, err, err_words(err));
}

static struct job *job_of(struct queue_item *i)
{
	struct job *j = container_of(i, struct job, item);

	CHECK_OBJ(j, JOB_MAGIC);
	return j;
}

static void run_queue(struct loop_task *task)
{
	struct tracker *tk = container_of(task, struct tracker, jobs.task);
	struct queue *q = tk->jobs.queue;
	int64_t now = loop_now(tk->loop), at;
	struct queue_item *i;

	for (;;) {
		if ((i = places_next(q, now)) != NULL)
			start_job(job_of(i));
		else if ((i = places_overdue(q, now)) != NULL)
			end_job(job_of(i), NULL, E_TIMEOUT, err_words(E_TIMEOUT));
		else
			break;
	}
	at = places_deadline(q);
	if (at == INT64_MAX)
		loop_timer_del(tk->loop, &tk->jobs.timer);
	else
		loop_timer_set(tk->loop, &tk->jobs.timer, at);
}

static void note_late(struct queue_item *i)
{
	struct job *j = job_of(i);

	j->torrent->tk->jobs.ops->begun(j);
}

static void wake_queue(struct loop_timer *t, int64_t now)
{
	struct tracker *tk = container_of(t, struct tracker, jobs.timer);

	(void)now;
	loop_task_post(tk->loop, &tk->jobs.task);
}

void jobs_init(struct tracker *tk, const struct job_ops *ops)
{
	CHECK_OBJ(tk, TRACKER_MAGIC);
	tk->jobs.queue =
		places_new((unsigned)tk->config->tracker_connections, random_u64(), note_late);
	tk->jobs.ops = ops;
	tk->jobs.task.fn = run_queue;
	tk->jobs.timer.fn = wake_queue;
}

void jobs_fini(struct tracker *tk)
{
	CHECK_OBJ(tk, TRACKER_MAGIC);
	places_free(&tk->jobs.queue);
	loop_task_del(tk->loop, &tk->jobs.task);
	loop_timer_del(tk->loop, &tk->jobs.timer);
}

const char *job_host(const char *url, char *buf, size_t n)
{
	const char *p = strstr(url, "://"), *at;
	size_t len;

	p = p != NULL ? p + 3 : url;
	len = strcspn(p, "/?#");
	at = memchr(p, '@', len); /* what stands before it is a name and a password */
	if (at != NULL) {
		len -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	snprintf(buf, n, "%.*s", (int)MIN(len, (size_t)255), p);
	return buf;
}
