/* SPDX-License-Identifier: MIT */
/*
 * A torrent's way between the store, which knows its files, and the peers, who have it while those
 * are fine.
 *
 *   waiting -> opening -> ready -> detaching -> checking -> ready
 *                 \-> failed, until a person starts it again <-/
 *
 * At most OPEN_WINDOW torrents are being opened, so that a start with very many of them neither
 * floods the store nor keeps a new one waiting: that one is opened next.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"

static struct torrent *torrent_of(const struct actor *a, struct tref ref)
{
	return torrent_at(session_of(a), ref);
}

/* --- to the store --- */

static struct torrent_record copy_record(const struct torrent *t)
{
	struct torrent_record r = torrent_record_copy(t->record);

	/* What the torrent has taken out of it. */
	r.meta = metainfo_ref(t->meta);
	r.path = xstrdup(t->path);
	wishes_copy(&r.wishes, &t->wishes);
	return r;
}

static void adopt_wishes(struct torrent *t, struct torrent_record *r)
{
	t->forced = r->forced;
	t->beyond = r->beyond;
	t->limited = r->limited;
	t->place = r->place;
	t->seed = r->seed;
	t->seeded = r->seeded;
	wishes_fini(&t->wishes);
	wishes_move(&t->wishes, &r->wishes);
	if (!r->removing)
		torrent_enter_order(t);
}

void torrent_adopt(struct torrent *t, struct torrent_record *r)
{
	t->row = r->row;
	t->started = r->started;
	t->delete_data = r->delete_data;
	t->added = r->added;
	t->completed_at = r->completed_at;
	t->ever = (struct totals){r->downloaded, r->uploaded, r->wasted};
	t->have_n = r->synced.count;
	adopt_wishes(t, r);
	if (t->path == NULL) {
		t->path = xstrdup(r->path);
		torrent_link_target(t);
	}
	metainfo_unref(&r->meta); /* the torrent has its own */
	xfree(r->path);
	r->path = NULL;
	t->record = xmemdup(r, sizeof *r);
	*r = (struct torrent_record){0};
	torrent_count_wanted(t);
}

void torrent_unqueue(struct torrent *t)
{
	if (t->queued)
		TAILQ_REMOVE(&t->session->to_open, t, open_link);
	t->queued = false;
}

void torrent_send_open(struct torrent *t)
{
	struct session *s = t->session;
	const char *root = session_root(s->config, t->path);
	struct msg *m;
	struct m_store_open *open;

	torrent_unqueue(t);
	must(root != NULL && t->record != NULL);
	m = msg_new(s->actor, MSG_STORE_OPEN);
	open = container_of(m, struct m_store_open, h);
	open->t = torrent_ref(t);
	open->root = xstrdup(root);
	open->make_root = strcmp(root, s->config->download_dir) == 0;
	open->record = copy_record(t);
	open->clean = s->clean;
	t->opening = true;
	t->in_store = true;
	s->opening++;
	actor_cast(s->actor, ADDR_STORE, &m);
}

void torrent_end_opening(struct torrent *t)
{
	if (!t->opening)
		return;
	t->opening = false;
	t->session->opening--;
	session_open_more(t->session);
}

void torrent_open(struct torrent *t, bool first)
{
	struct session *s = t->session;

	t->phase = PHASE_WAITING;
	if (session_root(s->config, t->path) == NULL) {
		t->phase = PHASE_FAILED;
		torrent_set_error(
			t, E_PATH, "its directory is not beneath download.roots any more");
		return;
	}
	t->queued = true;
	if (first)
		TAILQ_INSERT_HEAD(&s->to_open, t, open_link);
	else
		TAILQ_INSERT_TAIL(&s->to_open, t, open_link);
	session_open_more(s);
}

void session_open_more(struct session *s)
{
	struct torrent *t;

	while (s->opening < OPEN_WINDOW && (t = TAILQ_FIRST(&s->to_open)) != NULL) {
		t->phase = PHASE_OPENING;
		torrent_send_open(t);
	}
}

void torrent_send_check(struct torrent *t)
{
	struct msg *m = msg_new(t->session->actor, MSG_STORE_CHECK);

	container_of(m, struct m_torrent, h)->t = torrent_ref(t);
	t->phase = PHASE_CHECKING;
	t->then_check = false;
	t->checked = 0;
	actor_cast(t->session->actor, ADDR_STORE, &m);
}

/* --- from the store --- */

/* What is left of a torrent whose files cannot be used is what people are to see. */
static void show_have(struct torrent *t, struct m_store_ready *r)
{
	if (r->have.bits != t->meta->pieces)
		return;
	bitfield_free(&t->have);
	t->have = r->have;
	t->have_n = t->have.count;
	r->have = (struct bitfield){0};
}

void torrent_accept_ready(struct torrent *t, struct m_store_ready *r)
{
	char hash[16];

	torrent_end_opening(t);
	if (r->err == E_OK && r->have.bits != t->meta->pieces)
		r->err = E_RANGE;
	if (r->err != E_OK) {
		t->phase = PHASE_FAILED;
		show_have(t, r);
		torrent_set_error(t, r->err, r->why.text);
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		snprintf(hash + 2 * i, 3, "%02x", t->meta->infohash.v1[i]);
	log_event(LOG_INFO, "torrent_ready", "hash=%s have=%u/%u hashed=%u", hash, r->have.count,
		r->have.bits, r->hashed);
	t->opened = true;
	if (t->record != NULL)
		torrent_record_fini(t->record);
	xfree(t->record);
	t->record = NULL;
	if (t->fault == FAULT_NONE)
		torrent_clear_error(t);
	torrent_attach(t, r);
}

void session_on_store_ready(struct actor *a, struct msg **m)
{
	struct m_store_ready *r = container_of(*m, struct m_store_ready, h);
	struct torrent *t = torrent_of(a, r->t);

	if (t == NULL)
		return;
	if (t->phase == PHASE_OPENING || t->phase == PHASE_CHECKING) {
		torrent_accept_ready(t, r);
	} else if (t->phase == PHASE_REMOVING) {
		torrent_end_opening(t);
	} else if (t->phase == PHASE_READY || t->phase == PHASE_DETACHING) {
		/* The store has looked again by itself: peers must hear it from the start. */
		struct msg *old = t->ready != NULL ? &t->ready->h : NULL;
		msg_free(a, &old);
		t->ready = r;
		*m = NULL;
		torrent_detach(t);
	}
}

void session_on_store_progress(struct actor *a, struct msg **m)
{
	const struct m_store_progress *p = container_of(*m, struct m_store_progress, h);
	struct torrent *t = torrent_of(a, p->t);

	if (t != NULL && p->total > 0)
		t->checked = (float)p->checked / (float)p->total;
}

/* --- again --- */

void torrent_recheck(struct torrent *t)
{
	if (t->phase == PHASE_READY || t->phase == PHASE_DETACHING) {
		t->then_check = true;
		torrent_detach(t);
	} else if (t->phase == PHASE_FAILED && t->in_store) {
		/* The store holds it: a check takes what is there for the truth. */
		t->fault = FAULT_NONE;
		torrent_clear_error(t);
		torrent_send_check(t);
	} else if (t->phase == PHASE_FAILED) {
		torrent_retry(t);
	}
}

static void on_closed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	(void)m;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	t->closing = false;
	t->in_store = false;
	if (err == E_STOPPING)
		return;
	if (t->phase == PHASE_REMOVING)
		torrent_remove_step(t);
	else
		torrent_open(t, true);
}

/* The store holds it with what it found wrong; what the database knows of it is still true. */
static void open_anew(struct torrent *t)
{
	t->phase = PHASE_WAITING;
	torrent_send_close(t, false, on_closed);
}

void torrent_send_close(struct torrent *t, bool delete_data, actor_reply_f *fn)
{
	struct msg *m = msg_new(t->session->actor, MSG_STORE_CLOSE);
	struct m_store_close *close = container_of(m, struct m_store_close, h);

	close->t = torrent_ref(t);
	close->delete_data = delete_data;
	t->closing = true;
	actor_call(t->session->actor, ADDR_STORE, &m, fn, t);
}

void torrent_retry(struct torrent *t)
{
	if (t->phase != PHASE_FAILED && t->fault == FAULT_HOLD)
		torrent_retry_writes(t);
	if (t->phase != PHASE_FAILED && t->fault != FAULT_STOP)
		return;
	t->fault = FAULT_NONE;
	torrent_clear_error(t);
	if (t->phase != PHASE_FAILED)
		torrent_recheck(t);
	else if (t->opened)
		torrent_send_check(t);
	else if (t->in_store)
		open_anew(t);
	else
		torrent_open(t, true);
}
