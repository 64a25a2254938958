/* SPDX-License-Identifier: MIT */
/*
 * What was counted of a torrent, and its way into the database.
 *
 * Peers count from 0 each time they get a torrent, so what they had counted when they gave it back
 * is kept here, and a person sees one sum for the whole run.  At most one STATE_TOTALS of a torrent
 * is under way, or a disk that hangs would fill the mailbox of the database; what is counted
 * meanwhile goes with the next.  When everything stops nobody waits any more.
 */
#include "actors/session/priv.h"

#define SAVE_EVERY (2 * USEC_PER_SEC)

struct totals torrent_run_totals(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return (struct totals){
		.downloaded = t->base.downloaded + t->now.downloaded,
		.uploaded = t->base.uploaded + t->now.uploaded,
		.wasted = t->base.wasted + t->now.wasted,
	};
}

uint64_t torrent_seeded(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->seed_since == 0)
		return t->seeded;
	return t->seeded + (uint64_t)((torrent_now(t) - t->seed_since) / USEC_PER_SEC);
}

static void send_totals(struct torrent *t)
{
	struct totals run = torrent_run_totals(t);
	struct m_totals *put = msg_new(t->session->actor, MSG_STATE_TOTALS);

	put->t = t->ref;
	put->row = t->row;
	put->downloaded = t->ever.downloaded + run.downloaded;
	put->uploaded = t->ever.uploaded + run.uploaded;
	put->wasted = t->ever.wasted + run.wasted;
	put->left = t->left;
	put->lacks = t->lacks;
	put->seeded = torrent_seeded(t);
	t->totals_sent = true;
	t->totals_due = false;
	msg_send(t->session->actor, ADDR_STATE, put);
}

void torrent_save_totals(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	loop_timer_del(session_loop(t->session), &t->save);
	if (t->totals_sent && !actor_stopping(t->session->actor))
		t->totals_due = true;
	else
		send_totals(t);
}

void session_on_saved(struct actor *a, struct msg **m)
{
	struct torrent *t = torrent_at(session_of(a), MSG_AS(STATE_SAVED, *m)->t);

	if (t == NULL)
		return;
	t->totals_sent = false;
	if (t->totals_due && !torrent_leaving(t))
		send_totals(t);
}

void torrent_on_save_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, save);

	(void)now;
	torrent_save_totals(t);
}

/* Peers have told their last; what comes later must not wait for a timer that never fires. */
void torrent_save_soon(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (actor_stopping(t->session->actor))
		torrent_save_totals(t);
	else if (!loop_timer_is_set(&t->save))
		loop_timer_set(session_loop(t->session), &t->save, torrent_now(t) + SAVE_EVERY);
}

void session_save_all(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	for (uint32_t i = 0; i < s->slots.n; i++) {
		struct torrent *t = session_torrent(s, i);

		if (t != NULL &&
			(loop_timer_is_set(&t->save) || t->seed_since != 0 || t->totals_due))
			torrent_save_totals(t);
	}
}
