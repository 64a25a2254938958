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
#include "actors/session_priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"

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
	actor_cast(t->session->actor, ADDR_STATE, &m);
}

static void on_save_timer(struct loop_timer *timer, int64_t now)
{
	(void)now;
	torrent_save_totals(container_of(timer, struct torrent, save));
}

/* Peers have told their last; what comes later must not wait for a timer that never fires. */
static void save_soon(struct torrent *t)
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

	if (t == NULL || !t->attached || t->phase == PHASE_REMOVING)
		return;
	t->now = (struct totals){got->downloaded, got->uploaded, got->wasted};
	t->left = got->left;
	save_soon(t);
}

/* --- to the store --- */

static void *copy_list(const void *list, uint32_t n, size_t size)
{
	return n > 0 ? xmemdup(list, n * size) : NULL;
}

static struct partial_piece *copy_partials(const struct partial_piece *list, uint32_t n)
{
	struct partial_piece *out = copy_list(list, n, sizeof *list);

	for (uint32_t i = 0; i < n; i++)
		out[i].blocks = xmemdup(list[i].blocks, bitfield_bytes(list[i].blocks_n));
	return out;
}

static struct torrent_record copy_record(const struct torrent *t)
{
	struct torrent_record r = *t->record;

	r.meta = metainfo_ref(t->meta);
	r.path = xstrdup(t->path);
	r.unsynced = copy_list(r.unsynced, r.unsynced_n, sizeof *r.unsynced);
	r.stamps = copy_list(r.stamps, r.stamps_n, sizeof *r.stamps);
	r.partials = copy_partials(r.partials, r.partials_n);
	bitfield_copy(&r.synced, &t->record->synced);
	return r;
}

void torrent_adopt(struct torrent *t, struct torrent_record *r)
{
	t->row = r->row;
	t->started = r->started;
	t->delete_data = r->delete_data;
	t->down_limit = r->down_limit;
	t->up_limit = r->up_limit;
	t->added = r->added;
	t->completed_at = r->completed_at;
	t->ever = (struct totals){r->downloaded, r->uploaded, r->wasted};
	t->have_n = r->synced.count;
	if (t->path == NULL)
		t->path = xstrdup(r->path);
	t->save.fn = on_save_timer;
	metainfo_unref(&r->meta); /* the torrent has its own */
	xfree(r->path);
	r->path = NULL;
	t->record = xmemdup(r, sizeof *r);
	*r = (struct torrent_record){0};
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

static void send_check(struct torrent *t)
{
	struct msg *m = msg_new(t->session->actor, MSG_STORE_CHECK);

	container_of(m, struct m_torrent, h)->t = torrent_ref(t);
	t->phase = PHASE_CHECKING;
	t->then_check = false;
	t->checked = 0;
	actor_cast(t->session->actor, ADDR_STORE, &m);
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
	set->down_limit = t->down_limit;
	set->up_limit = t->up_limit;
	actor_cast(s->actor, ADDR(ROLE_PEERS, set->t.shard), &m);
}

static void tell_tracker(struct torrent *t, enum tracker_op op)
{
	struct msg *m;
	struct m_tracker_event *event;

	if (!t->tracked)
		return;
	m = msg_new(t->session->actor, MSG_TRACKER_EVENT);
	event = container_of(m, struct m_tracker_event, h);
	event->t = torrent_ref(t);
	event->op = op;
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
	return t->started && t->fault != FAULT_STOP;
}

static void note_active(struct torrent *t)
{
	t->active = should_be_active(t);
	if (t->active && t->started_at == 0)
		t->started_at = clock_wall_s();
}

void torrent_update_active(struct torrent *t)
{
	bool was = t->active;

	if (!t->attached || t->detaching)
		return;
	note_active(t);
	if (t->active == was)
		return;
	torrent_send_set(t);
	tell_tracker(t, t->active ? TRACKER_START : TRACKER_STOP);
}

/* The bytes that are missing when `have` is there. */
static uint64_t bytes_left(const struct metainfo *meta, const struct bitfield *have)
{
	uint64_t last = meta->size - (uint64_t)(meta->pieces - 1) * meta->piece_length;
	uint64_t got = (uint64_t)have->count * meta->piece_length;

	if (bitfield_get(have, meta->pieces - 1))
		got = got - meta->piece_length + last;
	return meta->size - got;
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

	if (t->completed_at != 0)
		return;
	t->completed_at = clock_wall_s();
	m = msg_new(t->session->actor, MSG_STATE_SET);
	set = container_of(m, struct m_state_set, h);
	set->row = t->row;
	set->key = STATE_COMPLETED_AT;
	set->value = t->completed_at;
	actor_call_within(
		t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, ignore_reply, t->session);
}

/* Takes have and the partial pieces out of r. */
static void attach(struct torrent *t, struct m_store_ready *r)
{
	struct session *s = t->session;
	struct msg *m = msg_new(s->actor, MSG_PEERS_ADD);
	struct m_peers_add *add = container_of(m, struct m_peers_add, h);

	t->phase = PHASE_READY;
	t->have_n = r->have.count;
	t->left = bytes_left(t->meta, &r->have);
	bitfield_free(&t->have);
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
	add->down_limit = t->down_limit;
	add->up_limit = t->up_limit;
	actor_cast(s->actor, ADDR(ROLE_PEERS, add->t.shard), &m);
	t->attached = true;
	if (t->fault == FAULT_HOLD)
		torrent_send_set(t);
	track(t);
	if (t->left == 0)
		note_completed(t);
}

/* --- from the store --- */

static void accept_ready(struct torrent *t, struct m_store_ready *r)
{
	char hash[16];

	torrent_end_opening(t);
	if (r->err == E_OK && r->have.bits != t->meta->pieces)
		r->err = E_RANGE;
	if (r->err != E_OK) {
		t->phase = PHASE_FAILED;
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
	attach(t, r);
}

void session_on_store_ready(struct actor *a, struct msg **m)
{
	struct m_store_ready *r = container_of(*m, struct m_store_ready, h);
	struct torrent *t = torrent_of(a, r->t);

	if (t == NULL)
		return;
	if (t->phase == PHASE_OPENING || t->phase == PHASE_CHECKING) {
		accept_ready(t, r);
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
	save_soon(t);
	ready = t->ready;
	t->ready = NULL;
	t->phase = PHASE_CHECKING;
	if (t->then_check) {
		send_check(t);
	} else if (ready != NULL) {
		accept_ready(t, ready);
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
	m = msg_new(s->actor, MSG_PEERS_REMOVE);
	container_of(m, struct m_peers_remove, h)->t = ref;
	actor_call(s->actor, ADDR(ROLE_PEERS, ref.shard), &m, on_detached, t);
}

void torrent_recheck(struct torrent *t)
{
	if (t->phase == PHASE_READY || t->phase == PHASE_DETACHING) {
		t->then_check = true;
		torrent_detach(t);
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
		send_check(t);
	else if (t->in_store)
		open_anew(t);
	else
		torrent_open(t, true);
}

void session_on_peers_done(struct actor *a, struct msg **m)
{
	struct torrent *t = torrent_of(a, container_of(*m, struct m_torrent, h)->t);

	if (t == NULL || !t->attached || t->phase == PHASE_REMOVING)
		return;
	t->left = 0;
	t->have_n = t->meta->pieces;
	note_completed(t);
	tell_tracker(t, TRACKER_COMPLETED);
	torrent_save_totals(t);
}
