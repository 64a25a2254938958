/* SPDX-License-Identifier: MIT */
/*
 * A torrent among the peers and at the tracker: the sweep at the end of every turn.
 *
 * Whoever changes what decides whether a torrent works, and how, marks it and says nothing.  The
 * sweep lets the queue and the limits on seeding look at all that are marked, and at those that
 * change sides for it, until none is left; only then are peers and trackers told, once each, and
 * only what differs from what they were told.  A limit that stops one torrent and lets the next one
 * in, which stops as well, is one more round of a loop.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "proto/meta/wanted.h"

bool torrent_wants_active(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return (t->phase == TPHASE_READY || torrent_seeking(t)) && torrent_started(t) &&
	       t->fault != FAULT_STOP && queue_lets_run(t);
}

/* --- coming and going --- */

static void note_completed(struct torrent *t)
{
	t->completed_at = clock_wall_s();
	t->partial = t->lacks > 0;
	tell_state(t, STATE_COMPLETED_AT, t->completed_at);
}

void torrent_attach(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	const struct m_store_ready *r = t->ready;

	must(t->phase == TPHASE_READY && r != NULL && (!t->attached || t->told_bare));
	t->have_n = r->have.count;
	t->left = wanted_left(t->meta, t->wishes.file_priority, &r->have);
	t->lacks = wanted_left(t->meta, NULL, &r->have);
	t->complete = t->left == 0;
	/* Kept for views that are made before the peers know it, or while they do not answer. */
	bitfield_free(&t->have);
	bitfield_copy(&t->have, &r->have);
	if (t->complete && t->completed_at == 0 && t->have_n > 0)
		note_completed(t);
	torrent_mark(t);
}

static void end_web_seeds(struct torrent *t)
{
	if (!t->told_web)
		return;
	tell_web_seeds(t, false);
	t->session->web_n--;
	t->told_web = false;
}

bool torrent_detach(struct torrent *t, actor_reply_f *fn)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (!t->attached)
		return false;
	if (t->told_active && t->tracked)
		tell_tracker(t, TRACKER_STOP);
	torrent_update_dht(t, false);
	end_web_seeds(t);
	t->told_active = false;
	t->checked = 0;
	torrent_mark(t);
	tell_detach(t, fn);
	return true;
}

void torrent_detached(struct torrent *t, struct m_peers_remove *r)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->attached = false;
	if (r != NULL)
		t->now = (struct totals){r->downloaded, r->uploaded, r->wasted};
	if (r != NULL && !t->told_bare) {
		bitfield_free(&t->have);
		t->have = r->have;
		t->have_n = r->have.count;
		r->have = (struct bitfield){0};
	}
	t->told_bare = false;
	t->base = torrent_run_totals(t);
	t->now = (struct totals){0};
	t->counts = (struct swarm_counts){0};
	torrent_changed(t);
	if (!torrent_leaving(t))
		torrent_save_soon(t);
}

void torrent_untrack(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	torrent_update_dht(t, false);
	if (t->tracked)
		tell_tracker(t, TRACKER_REMOVE);
	t->tracked = false;
	t->trackers = (struct tracker_counts){.seeds = -1, .peers = -1};
	torrent_changed(t);
}

/* --- the sweep --- */

/* Takes what the store said, if anything; peers have it from now on. */
static void attach(struct torrent *t, bool active)
{
	struct msg *ready = t->ready != NULL ? &t->ready->h : NULL;

	tell_attach(t, active, t->ready);
	msg_free(t->session->actor, &ready);
	t->ready = NULL;
	t->attached = true;
	t->told_bare = t->phase != TPHASE_READY;
	t->told_active = active;
	t->told_no_download = false;
	t->told_wishes = true;
}

static void update_peers(struct torrent *t, bool active)
{
	bool no_download = t->fault == FAULT_REFUSED;

	/* Those that have it by its link get the rest. */
	if (!t->attached || (t->told_bare && t->phase == TPHASE_READY))
		attach(t, active);
	if (active == t->told_active && no_download == t->told_no_download && t->told_wishes)
		return;
	tell_peers(t, active, no_download);
	t->told_active = active;
	t->told_no_download = no_download;
	t->told_wishes = true;
}

static void update_tracker(struct torrent *t, bool was_active, bool active)
{
	if (!t->tracked && t->phase != TPHASE_READY && !torrent_seeking(t))
		return;
	if (!t->tracked)
		tell_track(t, active);
	else if (active != was_active)
		tell_tracker(t, active ? TRACKER_START : TRACKER_STOP);
	else if (active && !t->told_choice)
		tell_tracker(t, TRACKER_MORE);
	t->tracked = true;
	t->told_choice = true;
}

static void update_web_seeds(struct torrent *t, bool active)
{
	bool wanted = active && t->phase == TPHASE_READY && !t->complete &&
		      t->fault != FAULT_REFUSED && t->meta->url_list_n > 0 && !t->meta->bare;

	if (!wanted)
		end_web_seeds(t);
	if (!wanted || t->told_web)
		return;
	tell_web_seeds(t, true);
	t->session->web_n++;
	t->told_web = true;
}

static void tell(struct torrent *t)
{
	bool active = torrent_wants_active(t), was = t->told_active;

	if (t->phase != TPHASE_READY && !torrent_seeking(t) &&
		(!t->told_bare || torrent_leaving(t)))
		return;
	if (active && t->started_at == 0)
		t->started_at = clock_wall_s();
	update_peers(t, active);
	update_tracker(t, was, active);
	torrent_update_dht(t, active);
	update_web_seeds(t, active);
	if (active && !was && t->link != NULL)
		tell_named(t, (struct slice){(const uint8_t *)t->link, strlen(t->link)});
}

static struct torrent *take_first(struct link *list)
{
	struct torrent *t;

	if (link_empty(list))
		return NULL;
	t = container_of(list->next, struct torrent, to_sweep);
	link_remove(&t->to_sweep);
	return t;
}

static void look_at_marked(struct session *s)
{
	struct torrent *t;

	while ((t = take_first(&s->dirty)) != NULL) {
		link_append(&s->changed, &t->to_sweep);
		queue_update(t);
		seed_limits_update(t, torrent_wants_active(t));
	}
}

void session_sweep(struct session *s)
{
	struct torrent *t;

	CHECK_OBJ(s, SESSION_MAGIC);
	do {
		look_at_marked(s);
		queue_settle(s);
	} while (!link_empty(&s->dirty));
	while ((t = take_first(&s->changed)) != NULL)
		tell(t);
}

/* --- what peers say --- */

/* One that peers have, or NULL. */
static struct torrent *find_attached(struct actor *a, struct tref ref)
{
	struct torrent *t = torrent_at(session_of(a), ref);

	return t != NULL && t->attached && !torrent_leaving(t) ? t : NULL;
}

/* Not only of the peers: what the database and the queue have to know, too. */
static bool has_news(const struct torrent *t, const struct m_totals *got)
{
	return got->downloaded != t->now.downloaded || got->uploaded != t->now.uploaded ||
	       got->wasted != t->now.wasted || got->left != t->left || got->lacks != t->lacks;
}

void session_on_peers_totals(struct actor *a, struct msg **m)
{
	const struct m_totals *got = MSG_AS(PEERS_TOTALS, *m);
	struct torrent *t = find_attached(a, got->t);
	bool down, up;

	if (t == NULL)
		return;
	t->counts = got->now;
	torrent_changed(t);
	down = got->downloaded > t->now.downloaded;
	up = got->uploaded > t->now.uploaded;
	if (t->told_bare || !has_news(t, got))
		return; /* what is bare has no payload */
	if (got->left < t->left)
		torrent_note_progress(t);
	t->now = (struct totals){got->downloaded, got->uploaded, got->wasted};
	t->left = got->left;
	t->lacks = got->lacks;
	if (down || up)
		t->active_at = clock_wall_s();
	torrent_save_soon(t);
	queue_payload(t, down, up);
	if (t->complete && t->left > 0) {
		/* More is wanted now; PEERS_DONE says when it is there. */
		t->complete = false;
		t->told_choice = false;
		torrent_mark(t);
	} else if (up) {
		seed_limits_note_upload(t);
	}
}

/*
 * A tracker counts who has become a seed: who has every piece.  Of a part of them it hears nothing,
 * and of a torrent that was whole before it is no news.
 */
void session_on_peers_done(struct actor *a, struct msg **m)
{
	struct torrent *t = find_attached(a, MSG_AS(PEERS_DONE, *m)->t);
	bool news;

	if (t == NULL || t->complete || t->told_bare)
		return;
	news = t->completed_at == 0 || t->partial;
	t->left = 0;
	t->complete = true;
	if (!files_skip(t))
		t->lacks = 0;
	if (t->lacks == 0)
		t->have_n = t->meta->pieces;
	note_completed(t);
	if (news && t->lacks == 0 && t->tracked)
		tell_tracker(t, TRACKER_COMPLETED);
	torrent_save_totals(t);
	torrent_mark(t);
}

void torrent_announce(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->told_choice = false;
	torrent_mark(t);
}

/* --- what trackers say --- */

void session_on_tracker_news(struct actor *a, struct msg **m)
{
	const struct m_tracker_news *got = MSG_AS(TRACKER_NEWS, *m);
	struct torrent *t = torrent_at(session_of(a), got->t);

	if (t == NULL || !t->tracked)
		return;
	t->trackers = got->now;
	torrent_changed(t);
}
