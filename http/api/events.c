/* SPDX-License-Identifier: MIT */
/*
 * Events for who keeps a list: what has changed, as it changes (text/event-stream).
 *
 * Nothing is remembered for a client but how far it is: when it has taken everything, the session
 * is asked what came since.  Who is slow gets more at a time, and less often.
 */
#include "http/api/priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/kernel/clock.h"
#include "actors/msg/env.h"
#include "http/api/list_render.h"
#include "http/api/render.h"
#include "http/server/streaming.h"
#include "proto/base/array.h"

#define EVENTS_MAGIC 0x45564e54u

#define EVERY_LEAST  250u   /* ms */
#define EVERY_MOST   10000u /* ms */
#define EVERY_USUAL  1000u  /* ms */
#define TICK_EVERY   (10 * USEC_PER_SEC)
#define PREAMBLE     2048 /* some readers see nothing before so many bytes have come */
#define ROWS_MOST    20000u
#define ALL_OF_A_ROW ((size_t)1 << 30)

/* What is said of all torrents together. */
struct stats {
	uint64_t down, up, down_limit, up_limit;
	uint32_t counts[STATUS_MAX_];
};

struct events {
	uint32_t magic;
	struct actor *actor;
	struct streaming *stream; /* borrowed; while it waits for the session */
	struct list_point seen;   /* what the client has been told up to */
	uint32_t fields;
	uint32_t every; /* ms */
	bool resumes;   /* it said how far it is */
	bool greeted;
	int64_t tick_at; /* us */
	struct stats told;
};

/* What is written in one go. */
struct text {
	char *p; /* malloc */
	uint32_t n, room;
};

static void add_bytes(struct text *t, const char *p, size_t n)
{
	if (n == 0)
		return; /* there may be no text at all, neither here nor there */
	ARRAY_RESERVE(t->p, t->n, t->room, n);
	memcpy(t->p + t->n, p, n);
	t->n += (uint32_t)n;
}

/* Takes what was written. */
static void add_event(struct text *t, const struct events *e, const char *name, struct json_out *o)
{
	char head[128];
	int n = snprintf(head, sizeof head,
		"event: %s\nid: %016" PRIx64 ".%" PRIu64 "\ndata: ", name, e->seen.epoch,
		e->seen.rev);

	add_bytes(t, head, (size_t)n);
	add_bytes(t, o->p, o->n);
	add_bytes(t, "\n\n", 2);
	json_out_fini(o);
	*o = (struct json_out){0};
}

/* --- the events --- */

static void add_hello(struct text *t, const struct events *e)
{
	struct json_out o = {0};
	char epoch[17];

	snprintf(epoch, sizeof epoch, "%016" PRIx64, e->seen.epoch);
	json_out_open(&o, '{');
	json_out_put(&o, "epoch", text, epoch);
	json_out_put(&o, "rev", uint, e->seen.rev);
	json_out_put(&o, "now", int, clock_wall_s());
	json_out_put(&o, "version", text, config_version());
	json_out_put(&o, "every", uint, e->every);
	json_out_close(&o, '}');
	add_event(t, e, "hello", &o);
}

static void add_reset(struct text *t, const struct events *e, const char *reason)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_put(&o, "reason", text, reason);
	json_out_close(&o, '}');
	add_event(t, e, "reset", &o);
}

static void add_tick(struct text *t, struct events *e, int64_t now)
{
	struct json_out o = {0};

	if (now - e->tick_at < TICK_EVERY)
		return;
	e->tick_at = now;
	json_out_open(&o, '{');
	json_out_put(&o, "now", int, clock_wall_s());
	json_out_close(&o, '}');
	add_event(t, e, "tick", &o);
}

/* e->seen is still what the client had before. */
static void add_torrents(struct text *t, struct events *e, const struct m_torrent_rows *m)
{
	struct list_wish wish = {
		.fields = e->fields, .delta = true, .seen = e->seen, .no_next = true};
	struct list_render r;
	struct json_out o = {0};

	e->seen.rev = m->rev;
	if (m->rows_n == 0 && m->gone_n == 0)
		return;
	list_render_init(&r, m, &wish, clock_wall_s());
	must(list_render_some(&r, &o, ALL_OF_A_ROW));
	if (r.told > 0)
		add_event(t, e, "torrents", &o);
	json_out_fini(&o);
}

static void add_stats(struct text *t, struct events *e, const struct m_torrent_rows *m)
{
	struct json_out o = {0};
	struct stats now;

	memset(&now, 0, sizeof now);
	now.down = m->down_rate;
	now.up = m->up_rate;
	now.down_limit = m->down_limit;
	now.up_limit = m->up_limit;
	memcpy(now.counts, m->counts, sizeof now.counts);
	if (e->greeted && memcmp(&now, &e->told, sizeof now) == 0)
		return;
	memcpy(&e->told, &now, sizeof now);
	json_out_open(&o, '{');
	api_put_stats(&o, m);
	json_out_close(&o, '}');
	add_event(t, e, "stats", &o);
}

/* --- how it goes on --- */

/* What the client has is of no use to go on from: it takes the list, and hears what follows. */
static void begin_anew(
	struct text *t, struct events *e, const struct m_torrent_rows *m, const char *reason)
{
	e->seen = (struct list_point){m->epoch_now, m->rev};
	if (reason != NULL)
		add_reset(t, e, reason);
}

static void tell(struct text *t, struct events *e, const struct m_torrent_rows *m)
{
	bool other = e->seen.epoch != m->epoch_now;
	bool lost = m->reset || m->rows_n > ROWS_MOST;
	const char *reason = !e->greeted && !e->resumes ? NULL : other ? "restarted" : "too_old";

	if (lost)
		begin_anew(t, e, m, reason);
	else
		add_torrents(t, e, m);
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct events *e;
	struct streaming *s;
	struct text t = {0}, more = {0};
	int64_t now = actor_now(a);

	CAST_OBJ(e, ctx, EVENTS_MAGIC);
	s = e->stream;
	e->stream = NULL;
	if (err == E_OK) {
		const struct m_torrent_rows *rows = MSG_AS(TORRENT_ROWS, *m);

		tell(&more, e, rows);
		if (!e->greeted)
			add_hello(&t, e);
		add_bytes(&t, more.p, more.n);
		xfree(more.p);
		add_stats(&t, e, rows);
		e->greeted = true;
	}
	add_tick(&t, e, now);
	streaming_write(s, t.p, t.n);
}

static void on_due(void *ctx, struct streaming *s)
{
	struct events *e;
	struct m_torrent_rows *m;

	CAST_OBJ(e, ctx, EVENTS_MAGIC);
	e->stream = s;
	m = msg_new(e->actor, MSG_TORRENT_ROWS);
	m->of = ROWS_SINCE;
	m->epoch = e->seen.epoch;
	m->since = e->seen.rev;
	msg_call(e->actor, ADDR_SESSION, m, on_rows, e);
}

static char *say_bye(void *ctx, size_t *n)
{
	struct events *e;
	struct text t = {0};
	struct json_out o = {0};

	CAST_OBJ(e, ctx, EVENTS_MAGIC);
	actor_cancel_calls(e->actor, e);
	json_out_open(&o, '{');
	json_out_put(&o, "reason", text, "stopping");
	json_out_close(&o, '}');
	add_event(&t, e, "bye", &o);
	*n = t.n;
	return t.p;
}

static void free_events(void *ctx)
{
	struct events *e;

	CAST_OBJ(e, ctx, EVENTS_MAGIC);
	actor_cancel_calls(e->actor, e);
	FREE_OBJ(e);
}

/* --- the request --- */

static bool read_every(struct request *r, uint32_t *every)
{
	const char *given;
	uint64_t n = EVERY_USUAL;

	if (!param_text(r, "every", &given) || (given != NULL && !param_count(r, "every", &n)))
		return false;
	*every = (uint32_t)n;
	if (n >= EVERY_LEAST && n <= EVERY_MOST)
		return true;
	answer_text(r, 422, "parameter 'every' must be milliseconds from %u to %u", EVERY_LEAST,
		EVERY_MOST);
	return false;
}

/* A browser that comes back by itself says in a header what it has, and in the address what it had
 * when the page opened. */
static bool read_seen(struct request *r, struct events *e)
{
	const char *last = request_header(r, "Last-Event-ID");

	if (!list_param_since(r, &e->resumes, &e->seen))
		return false;
	if (last != NULL && list_point_read(last, &e->seen, NULL))
		e->resumes = true;
	return true;
}

static char *preamble(size_t *n)
{
	char *text = xcalloc(1, PREAMBLE + 32);

	memset(text, ' ', PREAMBLE);
	text[0] = ':';
	*n = PREAMBLE + (size_t)snprintf(text + PREAMBLE, 32, "\nretry: 2000\n\n");
	return text;
}

void api_events(struct request *r)
{
	struct streaming_source source = {.due = on_due, .bye = say_bye, .free = free_events};
	struct events *e;
	size_t n;
	char *text;

	ALLOC_OBJ(e, EVENTS_MAGIC);
	e->actor = request_actor(r);
	e->tick_at = actor_now(e->actor);
	if (!list_param_fields(r, &e->fields) || !read_every(r, &e->every) || !read_seen(r, e)) {
		FREE_OBJ(e);
		return;
	}
	source.ctx = e;
	source.every = e->every * USEC_PER_MSEC;
	text = preamble(&n);
	streaming_open(r, &source, "text/event-stream; charset=utf-8", text, n);
}
