/* SPDX-License-Identifier: MIT */
/*
 * What leads to the steps of a torrent's life (step.c): the database, the store, timers, people.
 *
 * At most OPEN_WINDOW torrents are being opened, so that a start with very many of them neither
 * floods the store nor keeps a new one waiting: that one is opened next.  Of those whose files
 * cannot be used for now, because a disk is missing, a few are looked at again; when one of them
 * has come back, all are.
 */
#include "actors/session/priv.h"

#include <limits.h>

#include "actors/kernel/log.h"

/* Torrents the store is asked to open at the same time. */
#define OPEN_WINDOW 256u
/* Failed ones that are looked at again at the same time, so that a missing disk costs little. */
#define FAILED_WINDOW 16u

/* What is only of use to a torrent that came by a link. */
static void adopt_magnet(struct torrent *t, struct torrent_record *r)
{
	xfree(t->link); /* a preview's */
	t->link = r->link;
	if (r->found != NULL)
		t->found = r->found;
	t->found_kept = r->found != NULL;
	t->choice = r->choice;
	t->choice_n = r->choice_n;
	r->link = NULL;
	r->found = NULL;
	r->choice = NULL;
	r->choice_n = 0;
}

void torrent_adopt(struct torrent *t, struct torrent_record *r)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->row = r->row;
	t->run = r->run;
	t->removal = r->removal;
	t->added = r->added;
	t->completed_at = r->completed_at;
	t->ever = (struct totals){r->downloaded, r->uploaded, r->wasted};
	t->have_n = r->synced.count;
	t->place = r->place;
	t->seed = r->seed;
	t->seeded = r->seeded;
	wishes_fini(&t->wishes);
	wishes_move(&t->wishes, &r->wishes);
	t->partial = t->completed_at != 0 && files_skip(t);
	if (t->path == NULL) {
		t->path = r->path;
		r->path = NULL;
	}
	/* What only has a link has no files; one just added has its place already. */
	if (!t->targeted && !t->meta->bare)
		target_link(t);
	adopt_magnet(t, r);
	t->names = r->names;
	r->names = NULL;
	torrent_resume_shift(t, r);
	if (!r->removing)
		torrent_enter_order(t);
	metainfo_unref(&r->meta); /* the torrent has its own */
	xfree(r->path);
	r->path = NULL;
	t->record = xmemdup(r, sizeof *r);
	*r = (struct torrent_record){0};
	torrent_count_wanted(t);
}

/* In the line of those to be opened as far as there are places. */
void session_open_more(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	while (s->opening < OPEN_WINDOW && !link_empty(&s->to_open)) {
		struct torrent *t = container_of(s->to_open.next, struct torrent, line);
		bool root = session_root(s->config, t->path) != NULL;

		torrent_step(t, root ? TEVENT_PLACE : TEVENT_NO_ROOT);
	}
}

void torrent_found(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->found == NULL || t->saving)
		return;
	if (t->phase == TPHASE_METADATA)
		torrent_step(t, TEVENT_FOUND);
	else if (t->phase == TPHASE_FAILED && t->meta->bare)
		torrent_step(t, TEVENT_RETRY);
}

/* What peers send crosses the removal of its torrent, or a metainfo that came by another way. */
static bool awaits_metadata(const struct torrent *t)
{
	return t->found == NULL && t->meta->bare && t->phase <= TPHASE_METADATA;
}

void session_on_peers_metadata(struct actor *a, struct msg **m)
{
	struct m_peers_metadata *got = MSG_AS(PEERS_METADATA, *m);
	struct torrent *t = torrent_at(session_of(a), got->t);
	struct parse_error pe = {0};
	struct words why;
	enum err e;

	if (t == NULL || !awaits_metadata(t))
		return;
	e = metainfo_complete(t->meta, (struct slice){got->info, got->info_n}, &t->found, &pe);
	if (e == E_OK) {
		torrent_found(t);
		return;
	}
	t->failure = E_SYNTAX;
	if (t->phase == TPHASE_METADATA)
		torrent_step(t, TEVENT_BAD);
	snprintf(why.text, sizeof why.text, "the metadata that peers sent is no usable torrent: %s",
		pe.what);
	torrent_set_error(t, E_SYNTAX, why.text);
}

void session_on_store_ready(struct actor *a, struct msg **m)
{
	struct m_store_ready *r = MSG_AS(STORE_READY, *m);
	struct torrent *t = torrent_at(session_of(a), r->t);

	if (t == NULL)
		return;
	if (r->err == E_OK && r->have.bits != t->meta->pieces)
		r->err = E_RANGE;
	torrent_drop_ready(t);
	t->ready = r;
	*m = NULL;
	torrent_step(t, r->err == E_OK ? TEVENT_READY : TEVENT_UNUSABLE);
}

void session_on_store_progress(struct actor *a, struct msg **m)
{
	const struct m_store_progress *p = MSG_AS(STORE_PROGRESS, *m);
	struct torrent *t = torrent_at(session_of(a), p->t);

	if (t == NULL || p->total == 0)
		return;
	t->checked = (float)p->checked / (float)p->total;
	torrent_changed(t);
}

/* Somebody has altered files: the store looks at them, and goes on by itself where it may. */
static bool is_altered(const struct m_store_error *e)
{
	return e->lost &&
	       (e->err == E_NOENT || e->err == E_CHANGED || e->err == E_PATH ||
		       e->err == E_IS_DIR || e->err == E_IS_LINK || e->err == E_IS_SPECIAL);
}

/*
 * Peers have pieces that are not there any more: STORE_READY tells which are left.  Files that
 * somebody has changed are fetched again where they differ; a sync that failed is for a person.
 */
void session_on_store_error(struct actor *a, struct msg **m)
{
	const struct m_store_error *got = MSG_AS(STORE_ERROR, *m);
	struct torrent *t = torrent_at(session_of(a), got->t);
	enum err e = got->lost && !is_altered(got) ? E_IO : got->err;

	if (t == NULL || !torrent_listed(t))
		return;
	if (!is_altered(got))
		torrent_fault(t, e);
	torrent_set_error(t, e, got->why.text);
	if (got->lost)
		torrent_step(t, TEVENT_LOST);
}

void torrent_on_retry_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, retry);

	(void)now;
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->phase == TPHASE_FORGETTING || t->phase == TPHASE_KEEPING ||
		t->phase == TPHASE_SHIFTING)
		torrent_step(t, TEVENT_RETRY);
	else if (t->fault == FAULT_REFUSED)
		torrent_retry_writes(t);
	else if (t->fault == FAULT_PROBE)
		torrent_end_fault(t);
}

/* Some of those that failed are looked at again; all, when one of them has come back. */
void session_on_failed_timer(struct loop_timer *timer, int64_t now)
{
	struct session *s = container_of(timer, struct session, failed_timer);
	unsigned n = s->came_back ? UINT_MAX : FAILED_WINDOW;
	struct link due;

	(void)now;
	CHECK_OBJ(s, SESSION_MAGIC);
	s->came_back = false;
	/* Some fail again at once, and are not tried again for that. */
	link_init(&due);
	deferred_move(&due, &s->failed);
	for (; n > 0 && !link_empty(&due); n--) {
		struct torrent *t = container_of(due.next, struct torrent, line);

		t->unasked = true;
		torrent_step(t, TEVENT_RETRY);
	}
	deferred_move(&due, &s->failed);
	deferred_move(&s->failed, &due);
	if (!link_empty(&s->failed))
		session_retry_later(s, &s->failed_timer, &s->failed_after);
}

void torrent_remove(struct torrent *t, enum removal removal)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	struct loop *loop = session_loop(t->session);

	t->removal = removal;
	torrent_leave_order(t);
	queue_drop(t);
	loop_timer_del(loop, &t->seed_timer);
	loop_timer_del(loop, &t->retry);
	loop_timer_del(loop, &t->save);
	t->retry_after = 0;
	torrent_mark(t); /* others may have its slot */
	torrent_step(t, TEVENT_REMOVE);
}
