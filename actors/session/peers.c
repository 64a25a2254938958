/* SPDX-License-Identifier: MIT */
/*
 * A torrent among the peers and at the tracker: attached, told what is wanted, counted, detached.
 *
 * Peers count from 0 each time they get a torrent, so what they had counted when they gave it back
 * is kept here, and a person sees one sum for the whole run.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "proto/meta/wanted.h"

#define SAVE_EVERY (2 * USEC_PER_SEC)

static struct torrent *torrent_of(const struct actor *a, struct tref ref)
{
	return torrent_at(session_of(a), ref);
}

struct totals torrent_run_totals(const struct torrent *t)
{
	return (struct totals){
		.downloaded = t->base.downloaded + t->now.downloaded,
		.uploaded = t->base.uploaded + t->now.uploaded,
		.wasted = t->base.wasted + t->now.wasted,
	};
}

/* --- totals --- */

void torrent_save_totals(struct torrent *t)
{
	struct totals run = torrent_run_totals(t);
	struct msg *m = msg_new(t->session->actor, MSG_STATE_TOTALS);
	struct m_totals *put = container_of(m, struct m_totals, h);

	loop_timer_del(session_loop(t->session), &t->save);
	put->t = torrent_ref(t);
	put->row = t->row;
	put->downloaded = t->ever.downloaded + run.downloaded;
	put->uploaded = t->ever.uploaded + run.uploaded;
	put->wasted = t->ever.wasted + run.wasted;
	put->left = t->left;
	put->seeded = torrent_seeded(t);
	actor_cast(t->session->actor, ADDR_STATE, &m);
}

void torrent_on_save_timer(struct loop_timer *timer, int64_t now)
{
	(void)now;
	torrent_save_totals(container_of(timer, struct torrent, save));
}

/* Peers have told their last; what comes later must not wait for a timer that never fires. */
void torrent_save_soon(struct torrent *t)
{
	struct session *s = t->session;

	if (actor_stopping(s->actor))
		torrent_save_totals(t);
	else if (!loop_timer_is_set(&t->save))
		loop_timer_set(session_loop(s), &t->save, actor_now(s->actor) + SAVE_EVERY);
}

void session_on_peers_totals(struct actor *a, struct msg **m)
{
	const struct m_totals *got = container_of(*m, struct m_totals, h);
	struct torrent *t = torrent_of(a, got->t);

	bool down, up;

	if (t == NULL || !t->attached || t->phase == PHASE_REMOVING)
		return;
	down = got->downloaded > t->now.downloaded;
	up = got->uploaded > t->now.uploaded;
	t->now = (struct totals){got->downloaded, got->uploaded, got->wasted};
	t->left = got->left;
	torrent_save_soon(t);
	queue_payload(t, down, up);
	if (t->complete && t->left > 0) {
		/* More is wanted now; PEERS_DONE says when it is there. */
		t->complete = false;
		torrent_update_active(t);
	} else if (up) {
		torrent_note_upload(t);
	}
}

/* --- to the peers and the tracker --- */

void torrent_send_set(struct torrent *t)
{
	struct session *s = t->session;
	struct msg *m;
	struct m_peers_set *set;

	if (!t->attached || t->detaching)
		return;
	m = msg_new(s->actor, MSG_PEERS_SET);
	set = container_of(m, struct m_peers_set, h);
	set->t = torrent_ref(t);
	set->active = t->active;
	set->no_download = t->fault == FAULT_HOLD;
	wishes_copy(&set->wishes, &t->wishes);
	actor_cast(s->actor, ADDR(ROLE_PEERS, set->t.shard), &m);
}

static void tell_tracker(struct torrent *t, enum tracker_op op)
{
	struct totals run = torrent_run_totals(t);
	struct msg *m;
	struct m_tracker_event *event;

	if (!t->tracked)
		return;
	m = msg_new(t->session->actor, MSG_TRACKER_EVENT);
	event = container_of(m, struct m_tracker_event, h);
	event->t = torrent_ref(t);
	event->op = op;
	event->downloaded = run.downloaded;
	event->uploaded = run.uploaded;
	event->left = t->left;
	actor_cast(t->session->actor, ADDR_TRACKER, &m);
}

static void track(struct torrent *t)
{
	struct msg *m;
	struct m_tracker_add *add;

	if (t->tracked) {
		if (t->active)
			tell_tracker(t, TRACKER_START);
		return;
	}
	m = msg_new(t->session->actor, MSG_TRACKER_ADD);
	add = container_of(m, struct m_tracker_add, h);
	add->t = torrent_ref(t);
	add->meta = metainfo_ref(t->meta);
	add->active = t->active;
	add->left = t->left;
	t->tracked = true;
	actor_cast(t->session->actor, ADDR_TRACKER, &m);
}

static bool should_be_active(const struct torrent *t)
{
	return t->started && t->fault != FAULT_STOP && queue_lets_run(t);
}

static void note_active(struct torrent *t)
{
	t->active = should_be_active(t);
	if (t->active && t->started_at == 0)
		t->started_at = clock_wall_s();
}

void torrent_sync_active(struct torrent *t)
{
	bool was = t->active;

	if (!t->attached || t->detaching)
		return;
	note_active(t);
	if (t->active != was) {
		torrent_send_set(t);
		tell_tracker(t, t->active ? TRACKER_START : TRACKER_STOP);
	}
	torrent_update_seeding(t);
}

void torrent_update_active(struct torrent *t)
{
	queue_update(t);
	torrent_sync_active(t);
}

static void ignore_reply(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)m;
	if (err != E_OK)
		log_event(LOG_WARNING, "session_not_saved", "error=%s", err_name(err));
}

static void note_completed(struct torrent *t)
{
	struct msg *m;
	struct m_state_set *set;

	t->completed_at = clock_wall_s();
	m = msg_new(t->session->actor, MSG_STATE_SET);
	set = container_of(m, struct m_state_set, h);
	set->row = t->row;
	set->key = STATE_COMPLETED_AT;
	set->value = t->completed_at;
	actor_call_within(
		t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, ignore_reply, t->session);
}

void torrent_attach(struct torrent *t, struct m_store_ready *r)
{
	struct session *s = t->session;
	struct msg *m = msg_new(s->actor, MSG_PEERS_ADD);
	struct m_peers_add *add = container_of(m, struct m_peers_add, h);

	t->phase = PHASE_READY;
	t->have_n = r->have.count;
	t->left = wanted_left(t->meta, t->wishes.file_priority, &r->have);
	t->complete = t->left == 0;
	/* Kept for views that are made before the peers know it, or while they do not answer. */
	bitfield_free(&t->have);
	bitfield_copy(&t->have, &r->have);
	queue_update(t);
	note_active(t);
	add->t = torrent_ref(t);
	add->meta = metainfo_ref(t->meta);
	add->have = r->have;
	r->have = (struct bitfield){0};
	add->partials = r->partials;
	add->partials_n = r->partials_n;
	r->partials = NULL;
	r->partials_n = 0;
	add->active = t->active;
	wishes_copy(&add->wishes, &t->wishes);
	actor_cast(s->actor, ADDR(ROLE_PEERS, add->t.shard), &m);
	t->attached = true;
	if (t->fault == FAULT_HOLD)
		torrent_send_set(t);
	track(t);
	if (t->complete && t->completed_at == 0 && t->have_n > 0)
		note_completed(t);
	torrent_update_seeding(t);
}

/* --- away from the peers --- */

static void leave_peers(struct torrent *t, struct m_peers_remove *r)
{
	t->attached = false;
	t->detaching = false;
	t->active = false;
	if (r != NULL) {
		t->now = (struct totals){r->downloaded, r->uploaded, r->wasted};
		bitfield_free(&t->have);
		t->have = r->have;
		t->have_n = r->have.count;
		r->have = (struct bitfield){0};
	}
	t->base = torrent_run_totals(t);
	t->now = (struct totals){0};
}

static void on_detached(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;
	struct m_store_ready *ready;
	struct msg *h;

	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	leave_peers(t, err == E_OK ? container_of(*m, struct m_peers_remove, h) : NULL);
	if (t->phase == PHASE_REMOVING) {
		torrent_remove_step(t);
		return;
	}
	torrent_save_soon(t);
	ready = t->ready;
	t->ready = NULL;
	t->phase = PHASE_CHECKING;
	if (t->then_check) {
		torrent_send_check(t);
	} else if (ready != NULL) {
		torrent_accept_ready(t, ready);
	}
	if (ready != NULL) {
		h = &ready->h;
		msg_free(a, &h);
	}
}

void torrent_detach(struct torrent *t)
{
	struct session *s = t->session;
	struct msg *m;
	struct tref ref = torrent_ref(t);

	if (t->phase != PHASE_REMOVING)
		t->phase = PHASE_DETACHING;
	if (t->detaching)
		return;
	must(t->attached);
	if (t->active)
		tell_tracker(t, TRACKER_STOP);
	t->detaching = true;
	t->checked = 0;
	queue_update(t);
	torrent_update_seeding(t);
	m = msg_new(s->actor, MSG_PEERS_REMOVE);
	container_of(m, struct m_peers_remove, h)->t = ref;
	actor_call(s->actor, ADDR(ROLE_PEERS, ref.shard), &m, on_detached, t);
}

void session_on_peers_done(struct actor *a, struct msg **m)
{
	struct torrent *t = torrent_of(a, container_of(*m, struct m_torrent, h)->t);
	bool first;

	if (t == NULL || !t->attached || t->phase == PHASE_REMOVING || t->complete)
		return;
	first = t->completed_at == 0;
	t->left = 0;
	t->complete = true;
	if (t->wishes.file_priority == NULL)
		t->have_n = t->meta->pieces;
	note_completed(t);
	/* A tracker counts who has become complete; a second time, with more files, is no news. */
	if (first)
		tell_tracker(t, TRACKER_COMPLETED);
	torrent_save_totals(t);
	torrent_update_active(t);
}
