/* SPDX-License-Identifier: MIT */
/*
 * Seeding: how long, and when it is enough.
 *
 * The ratio is looked at when something was uploaded, time and idleness by one timer, and only a
 * torrent that seeds and has such a limit has one.  A limit that is reached stops the torrent as a
 * person would, in the database too.  A person who starts it again has the last word: ratio and
 * time then count no more, until they set other limits.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"

/* Seconds of seeding are written at least this often where they decide something. */
#define SAVE_AFTER (3600 * USEC_PER_SEC)

static int64_t now_of(const struct torrent *t)
{
	return actor_now(t->session->actor);
}

uint64_t torrent_seeded(const struct torrent *t)
{
	if (t->seed_since == 0)
		return t->seeded;
	return t->seeded + (uint64_t)((now_of(t) - t->seed_since) / USEC_PER_SEC);
}

/* What it has downloaded; all that is wanted when (nearly) everything was there from the start. */
static uint64_t ratio_base(const struct torrent *t, uint64_t downloaded)
{
	return MAX(downloaded < t->wanted / 100 ? t->wanted : downloaded, 1u);
}

double torrent_ratio(const struct torrent *t, uint64_t downloaded, uint64_t uploaded)
{
	return (double)uploaded / (double)ratio_base(t, downloaded);
}

/* --- limits --- */

/* In force: 0 is none. */
static struct seed_limits limits_of(const struct torrent *t)
{
	const struct config *c = t->session->config;
	struct seed_limits l = t->seed;

	if (l.ratio < 0)
		l.ratio = c->seed_ratio;
	if (l.time < 0)
		l.time = c->seed_time / USEC_PER_SEC;
	if (l.idle < 0)
		l.idle = c->seed_idle / USEC_PER_SEC;
	return l;
}

static bool ratio_reached(const struct torrent *t, const struct seed_limits *l)
{
	struct totals run = torrent_run_totals(t);
	uint64_t base = ratio_base(t, t->ever.downloaded + run.downloaded);
	double up = (double)(t->ever.uploaded + run.uploaded);

	return l->ratio > 0 && up * 1000 >= (double)l->ratio * (double)base;
}

static bool time_reached(const struct torrent *t, const struct seed_limits *l)
{
	return l->time > 0 && torrent_seeded(t) >= (uint64_t)l->time;
}

bool torrent_is_over_limits(const struct torrent *t)
{
	struct seed_limits l = limits_of(t);

	return t->complete && (ratio_reached(t, &l) || time_reached(t, &l));
}

static void on_stop_saved(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)m;
	if (err != E_OK && err != E_STOPPING)
		log_event(LOG_WARNING, "session_not_saved", "error=%s", err_name(err));
}

static void stop(struct torrent *t, const char *limit)
{
	struct session *s = t->session;
	struct msg *m = msg_new(s->actor, MSG_STATE_SET);
	struct m_state_set *set = container_of(m, struct m_state_set, h);

	log_event(LOG_INFO, "torrent_seeded", "row=%" PRId64 " limit=%s", t->row, limit);
	t->started = false;
	t->forced = false;
	t->limited = true;
	set->row = t->row;
	set->key = STATE_STARTED;
	set->value = RUN_LIMITED;
	actor_call_within(s->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_stop_saved, s);
	torrent_update_active(t);
}

/* --- while it seeds --- */

/* The first moment at which a limit may be reached or the time has to be written. */
static int64_t next_look(const struct torrent *t, const struct seed_limits *l)
{
	int64_t now = now_of(t), at = INT64_MAX, left;

	if (l->idle > 0)
		at = t->uploaded_at + l->idle * USEC_PER_SEC;
	if (l->time > 0 && !t->beyond) {
		left = l->time - (int64_t)torrent_seeded(t);
		at = MIN(at, now + MIN(left * USEC_PER_SEC, SAVE_AFTER));
	}
	return at == INT64_MAX ? at : MAX(at, now + USEC_PER_SEC / 10);
}

void torrent_check_limits(struct torrent *t)
{
	struct seed_limits l = limits_of(t);
	int64_t at;

	/* A command that is under way is judged when the database has answered. */
	if (t->seed_since == 0 || t->saving)
		return;
	if (!t->beyond && ratio_reached(t, &l)) {
		stop(t, "ratio");
	} else if (!t->beyond && time_reached(t, &l)) {
		stop(t, "time");
	} else if (l.idle > 0 && now_of(t) >= t->uploaded_at + l.idle * USEC_PER_SEC) {
		stop(t, "idle");
	} else {
		at = next_look(t, &l);
		if (at == INT64_MAX)
			loop_timer_del(session_loop(t->session), &t->seed_timer);
		else
			loop_timer_set(session_loop(t->session), &t->seed_timer, at);
	}
}

void torrent_on_seed_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, seed_timer);

	(void)now;
	CHECK_OBJ(t, TORRENT_MAGIC);
	torrent_check_limits(t);
	if (t->seed_since != 0 && now - t->seed_since >= SAVE_AFTER)
		torrent_save_totals(t);
}

void torrent_update_seeding(struct torrent *t)
{
	bool seeding = t->attached && !t->detaching && t->active && t->complete;

	if (seeding && t->seed_since == 0) {
		t->seed_since = now_of(t);
		t->uploaded_at = t->seed_since;
	} else if (!seeding && t->seed_since != 0) {
		t->seeded = torrent_seeded(t);
		t->seed_since = 0;
		loop_timer_del(session_loop(t->session), &t->seed_timer);
		if (t->phase != PHASE_REMOVING)
			torrent_save_soon(t);
	}
	torrent_check_limits(t);
}

void torrent_note_upload(struct torrent *t)
{
	if (t->seed_since == 0)
		return;
	t->uploaded_at = now_of(t);
	torrent_check_limits(t);
}

/* The configuration has changed: those that run are few where a limit on seeding matters. */
void session_reload_limits(struct session *s)
{
	for (uint32_t i = 0; i < s->slots_n; i++)
		if (s->slots[i].t != NULL)
			torrent_check_limits(s->slots[i].t);
}
