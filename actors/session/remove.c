/* SPDX-License-Identifier: MIT */
/*
 * The end of a torrent, in steps: peers let go, the tracker is told, the store closes and perhaps
 * deletes, the database forgets.
 *
 * The mark in the database comes first, so that a removal that was acknowledged is finished by the
 * next run when this one dies.  The row goes last, when nothing is left to finish.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"

#define RETRY_AFTER (60 * USEC_PER_SEC)

static void on_forgotten(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;
	struct session *s = session_of(a);
	struct held_list adds = STAILQ_HEAD_INITIALIZER(adds);

	(void)m;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return; /* the next run finishes it */
	if (err != E_OK) {
		log_event(LOG_ERROR, "torrent_not_forgotten", "row=%" PRId64 " error=%s", t->row,
			err_name(err));
		loop_timer_set(session_loop(s), &t->retry, actor_now(a) + RETRY_AFTER);
		return;
	}
	log_event(LOG_INFO, "torrent_removed", "row=%" PRId64, t->row);
	STAILQ_CONCAT(&adds, &t->adds);
	torrent_free(&t);
	session_open_more(s);
	session_retry_adds(s, &adds);
}

static void forget(struct torrent *t)
{
	struct msg *m = msg_new(t->session->actor, MSG_STATE_REMOVE);

	container_of(m, struct m_state_remove, h)->row = t->row;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_forgotten, t);
}

static void on_closed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	t->closing = false;
	if (err == E_STOPPING || err == E_TIMEOUT)
		return; /* not known to be done: the next run does it again */
	if (err != E_OK)
		log_event(LOG_WARNING, "torrent_data_left", "row=%" PRId64 " error=%s text=\"%s\"",
			t->row, err_name(err),
			m != NULL && *m != NULL
				? container_of(*m, struct m_store_close, h)->why.text
				: "");
	torrent_end_opening(t);
	t->in_store = false;
	t->opened = false;
	t->delete_data = false;
	torrent_remove_step(t);
}

static void close_files(struct torrent *t)
{
	/* Only the store finds its files, and it has not heard of them yet. */
	if (!t->in_store)
		torrent_send_open(t);
	torrent_send_close(t, t->delete_data, on_closed);
}

static void untrack(struct torrent *t)
{
	struct msg *m;
	struct m_tracker_event *event;

	if (!t->tracked)
		return;
	t->tracked = false;
	m = msg_new(t->session->actor, MSG_TRACKER_EVENT);
	event = container_of(m, struct m_tracker_event, h);
	event->t = torrent_ref(t);
	event->op = TRACKER_REMOVE;
	actor_cast(t->session->actor, ADDR_TRACKER, &m);
}

/* Data can only be deleted where it may have been written. */
static bool can_delete(const struct torrent *t)
{
	return t->delete_data && t->record != NULL &&
	       session_root(t->session->config, t->path) != NULL;
}

void torrent_remove_step(struct torrent *t)
{
	if (t->detaching || t->closing)
		return;
	untrack(t);
	if (t->attached)
		torrent_detach(t);
	else if (t->in_store || can_delete(t))
		close_files(t);
	else
		forget(t);
}

void torrent_remove(struct torrent *t, bool delete_data)
{
	t->phase = PHASE_REMOVING;
	t->delete_data = delete_data;
	torrent_unqueue(t);
	torrent_leave_order(t);
	queue_update(t);
	loop_timer_del(session_loop(t->session), &t->seed_timer);
	loop_timer_del(session_loop(t->session), &t->retry);
	loop_timer_del(session_loop(t->session), &t->save);
	torrent_remove_step(t);
}
