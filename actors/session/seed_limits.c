/* SPDX-License-Identifier: MIT */
/*
 * Seeding: how long, and when it is enough.
 *
 * The ratio is looked at when something was uploaded, time and idleness by one timer, and only a
 * torrent that seeds and has such a limit has one.  A limit that is reached stops the torrent as a
 * person would, in the database too.  A person who starts it again has the last word: ratio and
 * time then count no more, until they set other limits.
 *
 * Nobody is told from here: a torrent that stops is marked, and the next one may follow in the same
 * sweep, which is a loop.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "proto/base/encode.h"

/* Seconds of seeding are written at least this often where they decide something. */
#define SAVE_AFTER (3600 * USEC_PER_SEC)

/* What it has downloaded; all that is wanted when (nearly) everything was there from the start. */
static uint64_t ratio_base(const struct torrent *t, uint64_t downloaded)
{
	return MAX(downloaded < t->wanted / 100 ? t->wanted : downloaded, 1u);
}

double torrent_ratio(const struct torrent *t, uint64_t downloaded, uint64_t uploaded)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return (double)uploaded / (double)ratio_base(t, downloaded);
}

/* --- limits --- */

struct seed_limits seed_limits_in_force(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
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

bool seed_limits_reached(const struct torrent *t)
{
	struct seed_limits l = seed_limits_in_force(t);

	CHECK_OBJ(t, TORRENT_MAGIC);
	return t->complete && (ratio_reached(t, &l) || time_reached(t, &l));
}

static void stop(struct torrent *t, const char *limit)
{
	char ih[9];

	hex_encode(t->meta->infohash.v1, 4, ih);
	log_event(LOG_INFO, "torrent_seeded", "ih=%s limit=%s", ih, limit);
	t->run = RUN_LIMIT_REACHED;
	tell_state(t, STATE_RUN, t->run);
	torrent_mark(t);
}

/* --- while it seeds --- */

/* The first moment at which a limit may be reached or the time has to be written. */
static int64_t next_look(const struct torrent *t, const struct seed_limits *l)
{
	int64_t now = torrent_now(t), at = INT64_MAX, left;

	if (l->idle > 0)
		at = t->uploaded_at + l->idle * USEC_PER_SEC;
	if (l->time > 0 && !(t->run & RUN_LIMIT_OVERRIDDEN)) {
		left = l->time - (int64_t)torrent_seeded(t);
		at = MIN(at, now + MIN(left * USEC_PER_SEC, SAVE_AFTER));
	}
	return at == INT64_MAX ? at : MAX(at, now + USEC_PER_SEC / 10);
}

static void look_again(struct torrent *t, const struct seed_limits *l)
{
	int64_t at = next_look(t, l);

	if (at == INT64_MAX)
		loop_timer_del(session_loop(t->session), &t->seed_timer);
	else
		loop_timer_set(session_loop(t->session), &t->seed_timer, at);
}

/* Stops it when it has reached one, else looks again in time. */
static void check_limits(struct torrent *t)
{
	struct seed_limits l = seed_limits_in_force(t);
	bool overridden = (t->run & RUN_LIMIT_OVERRIDDEN) != 0;

	/* A command that is under way is judged when the database has answered. */
	if (t->seed_since == 0 || t->saving)
		return;
	if (!overridden && ratio_reached(t, &l))
		stop(t, "ratio");
	else if (!overridden && time_reached(t, &l))
		stop(t, "time");
	else if (l.idle > 0 && torrent_now(t) >= t->uploaded_at + l.idle * USEC_PER_SEC)
		stop(t, "idle");
	else
		look_again(t, &l);
}

void seed_limits_on_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, seed_timer);

	CHECK_OBJ(t, TORRENT_MAGIC);
	torrent_mark(t);
	if (t->seed_since != 0 && now - t->seed_since >= SAVE_AFTER)
		torrent_save_totals(t);
}

void seed_limits_update(struct torrent *t, bool active)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	bool seeding = active && t->complete;

	if (seeding && t->seed_since == 0) {
		t->seed_since = torrent_now(t);
		t->uploaded_at = t->seed_since;
	} else if (!seeding && t->seed_since != 0) {
		t->seeded = torrent_seeded(t);
		t->seed_since = 0;
		loop_timer_del(session_loop(t->session), &t->seed_timer);
		if (!torrent_leaving(t))
			torrent_save_soon(t);
	}
	check_limits(t);
}

void seed_limits_note_upload(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->seed_since == 0)
		return;
	t->uploaded_at = torrent_now(t);
	torrent_mark(t);
}

void seed_limits_reload(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	for (uint32_t i = 0; i < s->slots.n; i++) {
		struct torrent *t = session_torrent(s, i);

		if (t != NULL && t->seed_since != 0)
			torrent_mark(t);
	}
}
