/* SPDX-License-Identifier: MIT */
/*
 * The first phase of the stop: every actor is told to come to rest, in the order in which data
 * flows, and says when it has.
 *
 * The tracker is told first and waited for last, because what it does, telling trackers that we
 * leave, takes the longest and concerns nobody else.  When an actor that touches payload misses its
 * deadline, the database is not asked to rest: it would note a clean end.  It is asked for a sign
 * of life instead, which it gives after all that came before is committed.
 */
#include "actors/main/supervise.h"

#include <inttypes.h>
#include <unistd.h>

#include "actors/kernel/log.h"
#include "actors/main/notify.h"

struct step {
	enum role role;
	int64_t deadline; /* us */
};

/* Step 1 is the first.  Workers have a disk to wait for. */
static const struct step steps[] = {
	{ROLE_HTTP, 2 * USEC_PER_SEC},
	{ROLE_STATUS, 2 * USEC_PER_SEC},
	{ROLE_PORTMAP, 2 * USEC_PER_SEC},
	{ROLE_BLOCKLIST, 2 * USEC_PER_SEC},
	{ROLE_SESSION, 2 * USEC_PER_SEC},
	{ROLE_DHT, 2 * USEC_PER_SEC},
	{ROLE_WEBSEED, 2 * USEC_PER_SEC},
	{ROLE_LSD, 2 * USEC_PER_SEC},
	{ROLE_PEERS, 3 * USEC_PER_SEC},
	{ROLE_STORE, 30 * USEC_PER_SEC},
	{ROLE_WORKER, 30 * USEC_PER_SEC},
	{ROLE_STATE, 30 * USEC_PER_SEC},
};

#define STATE_SIGN   (1 * USEC_PER_SEC)
#define TRACKER_OVER (1 * USEC_PER_SEC) /* beyond tracker.stop_timeout */

static void enter_step(struct supervisor *s);

/* At the end of all steps, or when the last actor has answered. */
static void end_if_quiet(struct supervisor *s)
{
	if (s->stop_step <= ARRAY_LEN(steps) || s->waiting > 0 || s->tracker_waiting || s->ended)
		return;
	log_event(LOG_INFO, "stopped", "ms=%" PRId64,
		(actor_now(s->actor) - s->stop_us) / USEC_PER_MSEC);
	s->ended = true;
}

static void note_answer(struct watched *w, enum err err)
{
	w->quiescing = false;
	if (err == E_OK)
		return;
	w->hung = true;
	w->sup->failed = true;
	health_log_stuck(w->sup, w, "actor_does_not_stop");
}

static void on_quiet(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct watched *w = ctx;
	struct supervisor *s = w->sup;

	(void)a;
	(void)m;
	note_answer(w, err);
	if (--s->waiting > 0)
		return;
	s->stop_step++;
	enter_step(s);
}

static void on_tracker_quiet(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct watched *w = ctx;

	(void)a;
	(void)m;
	note_answer(w, err);
	w->sup->tracker_waiting = false;
	end_if_quiet(w->sup);
}

static void send_quiesce(
	struct supervisor *s, struct watched *w, int64_t deadline, actor_reply_f *fn)
{
	struct msg *m = msg_new(s->actor, MSG_QUIESCE);

	w->quiescing = true;
	actor_call_within(s->actor, w->addr, &m, deadline, fn, w);
}

static bool payload_in_doubt(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->watched_n; i++)
		if (s->watched[i].hung && ADDR_ROLE(s->watched[i].addr) != ROLE_TRACKER &&
			ADDR_ROLE(s->watched[i].addr) != ROLE_HTTP &&
			ADDR_ROLE(s->watched[i].addr) != ROLE_PORTMAP &&
			ADDR_ROLE(s->watched[i].addr) != ROLE_BLOCKLIST &&
			ADDR_ROLE(s->watched[i].addr) != ROLE_DHT)
			return true;
	return false;
}

static void ask_for_sign(struct supervisor *s, struct watched *w)
{
	struct msg *m = msg_new(s->actor, MSG_PING);

	actor_call_within(s->actor, w->addr, &m, STATE_SIGN, on_quiet, w);
}

static unsigned send_step(struct supervisor *s, const struct step *step)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->watched_n; i++) {
		struct watched *w = &s->watched[i];
		if (ADDR_ROLE(w->addr) != step->role)
			continue;
		n++;
		if (step->role == ROLE_STATE && payload_in_doubt(s))
			ask_for_sign(s, w);
		else
			send_quiesce(s, w, step->deadline, on_quiet);
	}
	return n;
}

/* Roles that nobody plays are stepped over. */
static void enter_step(struct supervisor *s)
{
	while (s->stop_step <= ARRAY_LEN(steps)) {
		s->waiting = send_step(s, &steps[s->stop_step - 1]);
		if (s->waiting > 0)
			return;
		s->stop_step++;
	}
	end_if_quiet(s);
}

static void send_tracker(struct supervisor *s)
{
	for (unsigned i = 0; i < s->watched_n; i++) {
		if (ADDR_ROLE(s->watched[i].addr) != ROLE_TRACKER)
			continue;
		s->tracker_waiting = true;
		send_quiesce(s, &s->watched[i], s->config->tracker_stop_timeout + TRACKER_OVER,
			on_tracker_quiet);
	}
}

static _Noreturn void give_up(const struct supervisor *s)
{
	for (unsigned i = 0; i < s->watched_n; i++)
		if (s->watched[i].quiescing)
			health_log_stuck(s, &s->watched[i], "actor_does_not_stop");
	log_event(LOG_WARNING, "stop_forced", LOG_NOTHING);
	_exit(1);
}

void supervisor_stop(struct supervisor *s)
{
	CHECK_OBJ(s, SUPERVISOR_MAGIC);
	if (s->stop_step != 0)
		give_up(s);
	notify_send("STOPPING=1");
	log_event(LOG_INFO, "stopping", LOG_NOTHING);
	health_stop(s);
	s->stop_us = actor_now(s->actor);
	s->stop_step = 1;
	send_tracker(s);
	enter_step(s);
}
