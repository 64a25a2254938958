/* SPDX-License-Identifier: MIT */
/*
 * Who turns: a ping to every actor each second, one at a time for each.  The first goes out at the
 * start, with what it takes to reach an actor and to be answered: nothing is set up later.
 *
 * A ping is never given up on, so that an actor that was stuck is seen to turn again the moment it
 * answers, and does not find a heap of old pings.  Who has not answered for SLOW is reported, at
 * most once a minute, with the message in hand and since when.
 */
#include "actors/main/supervise.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"

#define PING_EVERY   (1 * USEC_PER_SEC)
#define PING_FOREVER (INT64_C(1000000) * USEC_PER_SEC)
#define SLOW         (5 * USEC_PER_SEC)
#define LOG_EVERY    (60 * USEC_PER_SEC)

void health_log_stuck(const struct supervisor *s, const struct watched *w, const char *event)
{
	struct actor_state st;
	int64_t now;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	now = actor_now(s->actor);
	actors_state(s->arg->set, w->index, &st);
	log_event(LOG_ERROR, event, "actor=%s message=%s for_ms=%" PRId64, st.role,
		st.handling_name != NULL ? st.handling_name : "none",
		st.since_us != 0 ? (now - st.since_us) / USEC_PER_MSEC : 0);
}

static bool is_well(const struct supervisor *s, const struct watched *w)
{
	return w->pinged_us == 0 || actor_now(s->actor) - w->pinged_us < SLOW;
}

static void on_pong(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct watched *w = ctx;

	(void)m;
	if (err == E_STOPPING)
		return;
	if (w->logged_us != 0)
		log_event(LOG_WARNING, "actor_recovered", "addr=%u after_ms=%" PRId64, w->addr,
			(actor_now(a) - w->pinged_us) / USEC_PER_MSEC);
	w->pinged_us = 0;
	w->logged_us = 0;
}

static void watch_one(struct supervisor *s, struct watched *w)
{
	int64_t now = actor_now(s->actor);
	struct msg *m;

	if (w->pinged_us == 0) {
		m = msg_new(s->actor, MSG_PING);
		w->pinged_us = now;
		actor_call_within(s->actor, w->addr, &m, PING_FOREVER, on_pong, w);
	} else if (!is_well(s, w) && (w->logged_us == 0 || now - w->logged_us >= LOG_EVERY)) {
		health_log_stuck(s, w, "actor_stuck");
		w->logged_us = now;
	}
}

static void on_ping_timer(struct loop_timer *t, int64_t now)
{
	struct supervisor *s = container_of(t, struct supervisor, ping_timer);

	for (unsigned i = 0; i < s->watched_n; i++)
		watch_one(s, &s->watched[i]);
	loop_timer_set(actor_loop(s->actor), t, now + PING_EVERY);
}

void health_report(const struct supervisor *s, struct m_health *r)
{
	struct actor_state st;
	int64_t now;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	now = actor_now(s->actor);
	r->ok = true;
	for (unsigned i = 0; i < s->watched_n; i++) {
		bool well = is_well(s, &s->watched[i]);
		struct actor_health *h;
		r->ok = r->ok && well;
		if (r->n == ARRAY_LEN(r->actors))
			continue; /* the report names as many as it has room for */
		h = &r->actors[r->n++];
		actors_state(s->arg->set, s->watched[i].index, &st);
		snprintf(h->name, sizeof h->name, "%s", st.role);
		h->ok = well;
		if (well)
			continue;
		snprintf(h->handling, sizeof h->handling, "%s",
			st.handling_name != NULL ? st.handling_name : "none");
		h->stuck_ms = (now - s->watched[i].pinged_us) / USEC_PER_MSEC;
	}
}

void health_start(struct supervisor *s)
{
	struct actor_state st;

	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	s->watched = xcalloc(actors_count(s->arg->set), sizeof *s->watched);
	for (unsigned i = 0; i < actors_count(s->arg->set); i++) {
		actors_state(s->arg->set, i, &st);
		if (st.addr == ADDR_MAIN)
			continue;
		s->watched[s->watched_n++] =
			(struct watched){.sup = s, .addr = st.addr, .index = i};
	}
	s->ping_timer.fn = on_ping_timer;
	loop_timer_set(actor_loop(s->actor), &s->ping_timer, actor_now(s->actor));
}

void health_stop(struct supervisor *s)
{
	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	loop_timer_del(actor_loop(s->actor), &s->ping_timer);
}
