/* SPDX-License-Identifier: MIT */
/*
 * For those who watch daemons: whether this one lives and is ready, and its numbers in the text
 * format of Prometheus (version 0.0.4).
 *
 * What a torrent has is nobody's label: there are as many series as there are states, actors and
 * kinds of counts, however many torrents there are.
 */
#include "http/api/priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/kernel/stats.h"
#include "http/api/render.h"

#define METRICS_MAGIC 0x4d455452u

/* An answer in the making: the torrents are known, and the actors are asked for. */
struct metrics {
	uint32_t magic;
	struct actor *actor;
	struct request *request; /* borrowed: it ends with it */
	struct torrents_count {
		uint64_t down, up, down_limit, up_limit;
		uint32_t by_status[STATUS_MAX_];
	} torrents;
};

/* --- the text --- */

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP torrentd_%s %s\n# TYPE torrentd_%s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "gauge", help);
	fprintf(out, "torrentd_%s %" PRIu64 "\n", name, value);
}

static void write_torrents(FILE *out, const struct torrents_count *t)
{
	head(out, "torrents", "gauge", "Torrents by state.");
	for (unsigned i = 0; i < STATUS_MAX_; i++)
		fprintf(out, "torrentd_torrents{state=\"%s\"} %" PRIu32 "\n", status_words[i],
			t->by_status[i]);
	gauge(out, "download_bytes_per_second", "Payload that comes now.", t->down);
	gauge(out, "upload_bytes_per_second", "Payload that goes now.", t->up);
	gauge(out, "download_limit_bytes_per_second", "Limit on everything; 0: none.",
		t->down_limit);
	gauge(out, "upload_limit_bytes_per_second", "Limit on everything; 0: none.", t->up_limit);
}

static void write_counts(FILE *out, const struct m_counters *m)
{
	char name[80];

	for (unsigned k = 0; k < STAT_MAX_; k++) {
		snprintf(name, sizeof name, "actor_%s_total", stat_key((enum stat_kind)k));
		head(out, name, "counter", "Of each actor; docs/debugging.md says what it is.");
		for (unsigned i = 0; i < m->n; i++)
			fprintf(out, "torrentd_%s{actor=\"%s\"} %" PRIu64 "\n", name,
				m->actors[i].name, m->actors[i].stats[k]);
	}
}

static void write_actors(FILE *out, const struct m_counters *m)
{
	head(out, "actor_mailbox_messages", "gauge", "Messages that wait for the actor.");
	for (unsigned i = 0; i < m->n; i++)
		fprintf(out, "torrentd_actor_mailbox_messages{actor=\"%s\"} %" PRIu32 "\n",
			m->actors[i].name, m->actors[i].waiting);
	head(out, "actor_turned_seconds_ago", "gauge", "Since the actor's last turn began.");
	for (unsigned i = 0; i < m->n; i++)
		fprintf(out, "torrentd_actor_turned_seconds_ago{actor=\"%s\"} %.6f\n",
			m->actors[i].name,
			(double)MAX(m->now - m->actors[i].turned_us, 0) / USEC_PER_SEC);
	write_counts(out, m);
}

static void answer_metrics(
	struct request *r, const struct torrents_count *t, const struct m_counters *m)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	must(out != NULL);
	head(out, "info", "gauge", "The daemon's version.");
	fprintf(out, "torrentd_info{version=\"%s\"} 1\n", config_version());
	write_torrents(out, t);
	write_actors(out, m);
	must(fclose(out) == 0);
	answer_bytes(r, "text/plain; version=0.0.4; charset=utf-8",
		(struct slice){(const uint8_t *)text, n});
	free(text);
}

/* --- asking --- */

static void on_gone(void *ctx)
{
	struct metrics *w;

	CAST_OBJ(w, ctx, METRICS_MAGIC);
	actor_cancel_calls(w->actor, w);
	FREE_OBJ(w);
}

static void end_metrics(struct metrics *w, enum err err, const struct m_counters *m)
{
	struct request *r = w->request;

	request_on_gone(r, NULL, NULL);
	if (err == E_OK && m != NULL)
		answer_metrics(r, &w->torrents, m);
	else
		answer_err(r, err != E_OK ? err : E_TIMEOUT, NULL);
	request_resume(r);
	FREE_OBJ(w);
}

static void on_counters(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct metrics *w;

	(void)a;
	CAST_OBJ(w, ctx, METRICS_MAGIC);
	end_metrics(w, err, m != NULL ? MSG_AS(COUNTERS, *m) : NULL);
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct metrics *w;
	const struct m_torrent_rows *rows;
	struct msg *ask;

	CAST_OBJ(w, ctx, METRICS_MAGIC);
	if (err != E_OK || m == NULL) {
		end_metrics(w, err, NULL);
		return;
	}
	rows = MSG_AS(TORRENT_ROWS, *m);
	w->torrents = (struct torrents_count){.down = rows->down_rate,
		.up = rows->up_rate,
		.down_limit = rows->down_limit,
		.up_limit = rows->up_limit};
	memcpy(w->torrents.by_status, rows->counts, sizeof w->torrents.by_status);
	ask = msg_new(a, MSG_COUNTERS);
	actor_call(a, ADDR_MAIN, &ask, on_counters, w);
}

void api_metrics(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_rows *rows;
	struct metrics *w;

	if (!request_may_wait(r))
		return;
	ALLOC_OBJ(w, METRICS_MAGIC);
	w->actor = a;
	w->request = r;
	request_on_gone(r, on_gone, w);
	rows = msg_new(a, MSG_TORRENT_ROWS);
	rows->of = ROWS_PAGE;
	rows->limit = 1; /* what all of them have together comes with any */
	request_suspend(r);
	msg_call(a, ADDR_SESSION, rows, on_rows, w);
}

/* --- probes --- */

void api_live(struct request *r)
{
	answer_ok(r);
}

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	bool ok = err == E_OK && m != NULL && MSG_AS(HEALTH, *m)->ok;

	(void)a;
	if (ok)
		answer_ok(r);
	else
		answer_text(r, 503, "not every actor turns: GET /healthz names them");
	request_resume(r);
}

void api_ready(struct request *r)
{
	api_ask(r, ADDR_MAIN, MSG_HEALTH, on_health);
}
