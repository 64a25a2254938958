/* SPDX-License-Identifier: MIT */
/*
 * The phases of a torrent: what each asks of the workers, and where it goes from there.
 *
 *   OPEN > STAT > [PLACES] > [QUEUED > CHECK] > PARTIALS > [CHECK_SYNC] > READY
 *   READY > FILES > READY                     other files are wanted
 *   READY > CHECKPOINT > READY, or after a failed sync QUEUED > CHECK > CHECK_SYNC > READY,
 *       or after somebody has altered files STAT > PLACES ... > READY
 *   READY, HELD > AGAIN > OPEN ...            a recheck
 *   any failure on the way > HOLD > HELD
 *   CLOSE_SYNC > CLOSE_STATE > CLOSE > [DELETE]
 *
 * A request to close is heard between two phases.  A torrent that was not READY changes nothing in
 * the database: what is noted there still holds.
 */
#include "actors/store/priv.h"

#include <stdio.h>

#include "actors/kernel/log.h"

/* --- calls --- */

static const struct words *words_of(struct msg *m)
{
	switch (m->type) {
	case MSG_WORKER_OPEN:
		return &MSG_AS(WORKER_OPEN, m)->why;
	case MSG_WORKER_STAT:
		return &MSG_AS(WORKER_STAT, m)->why;
	case MSG_WORKER_HASH:
		return &MSG_AS(WORKER_HASH, m)->why;
	case MSG_WORKER_SYNC:
		return &MSG_AS(WORKER_SYNC, m)->why;
	case MSG_WORKER_FILES:
		return &MSG_AS(WORKER_FILES, m)->why;
	case MSG_WORKER_DELETE:
		return &MSG_AS(WORKER_DELETE, m)->why;
	default:
		return NULL;
	}
}

/* The first call that fails is the phase's outcome. */
static void note_outcome(struct storrent *t, enum err err, struct msg *m)
{
	if (err == E_OK || t->err != E_OK)
		return;
	t->err = err;
	if (m != NULL)
		store_words_keep(&t->why, words_of(m));
}

static struct m_worker_open *new_open(struct storrent *t)
{
	struct m_worker_open *o = msg_new(t->s->actor, MSG_WORKER_OPEN);

	o->t = t->t;
	o->meta = metainfo_ref(t->meta);
	o->root = xstrdup(t->root);
	o->path = xstrdup(t->path);
	o->make_root = t->make_root;
	return o;
}

static void call_close(struct storrent *t, unsigned worker)
{
	struct m_worker_close *c = msg_new(t->s->actor, MSG_WORKER_CLOSE);

	c->t = t->t;
	store_call(t, ADDR(ROLE_WORKER, worker), &c->h);
}

static void close_all(struct storrent *t)
{
	for (unsigned i = 0; i < t->s->workers; i++)
		call_close(t, i);
}

/* --- opening --- */

/* The latest wishes come into force. */
static void take_wishes(struct storrent *t)
{
	if (!t->wished)
		return;
	xfree(t->priority);
	t->priority = t->priority_new;
	t->priority_new = NULL;
	t->wished = false;
}

static void begin_open(struct storrent *t)
{
	take_wishes(t);
	for (unsigned i = 0; i < t->s->workers; i++)
		store_call(t, ADDR(ROLE_WORKER, i), &new_open(t)->h);
}

/* What ended this phase is the reason for what follows. */
static void hold_reason(struct storrent *t)
{
	xfree(t->held_why);
	t->held_err = t->err;
	t->held_why = t->why;
	t->why = NULL;
}

static enum step hold(struct storrent *t)
{
	hold_reason(t);
	store_enter(t, PHASE_HOLD);
	return STEP_MOVED;
}

static enum step go(struct storrent *t, enum store_phase next)
{
	store_enter(t, next);
	return STEP_MOVED;
}

static enum step after_open(struct storrent *t)
{
	return t->err != E_OK ? hold(t) : go(t, PHASE_STAT);
}

static void drop_stat(struct storrent *t)
{
	xfree(t->now);
	xfree(t->units);
	t->now = NULL;
	t->units = NULL;
	t->units_n = 0;
	bitfield_free(&t->data);
}

static void take_stat(struct storrent *t, struct m_worker_stat *s)
{
	if (s->stamps_n != t->meta->files_n + 1 || s->data.bits != t->meta->pieces)
		return;
	t->now = s->stamps;
	t->data = s->data;
	t->units = s->units;
	t->units_n = s->units_n;
	s->stamps = NULL;
	s->units = NULL;
	s->stamps_n = s->units_n = 0;
	s->data = (struct bitfield){0};
}

static void begin_stat(struct storrent *t)
{
	struct m_worker_stat *s = msg_new(t->s->actor, MSG_WORKER_STAT);

	drop_stat(t);

	s->t = t->t;
	s->want_data = t->want_data;
	store_call(t, ADDR(ROLE_WORKER, t->t.slot % t->s->workers), &s->h);
}

static enum step after_stat(struct storrent *t)
{
	bool asked = t->want_data;

	if (t->err == E_OK && t->now == NULL)
		t->err = E_IO;
	if (t->err != E_OK || !store_decide(t))
		return hold(t);
	if (t->want_data && !asked)
		return go(t, PHASE_STAT);
	return go(t, PHASE_PLACES);
}

/* With `know` also which files are there. */
static void tell_files(struct storrent *t, bool know)
{
	for (unsigned i = 0; i < t->s->workers; i++) {
		struct m_worker_files *f = msg_new(t->s->actor, MSG_WORKER_FILES);

		f->t = t->t;
		if (t->priority != NULL) {
			f->file_priority = xmemdup(t->priority, t->meta->files_n);
			f->file_priority_n = t->meta->files_n;
		}
		if (know && t->ids != NULL) {
			f->ids_n = t->meta->files_n + 1;
			f->ids = xmemdup(t->ids, f->ids_n * sizeof *f->ids);
			f->shorts = store_files_short(t, &f->shorts_n);
		}
		store_call(t, ADDR(ROLE_WORKER, i), &f->h);
	}
}

static bool any_there(const struct storrent *t)
{
	for (uint32_t i = 0; i <= t->meta->files_n; i++)
		if (t->ids[i] != 0)
			return true;
	return false;
}

/* Nobody has to be told when all is wanted and no trace is left of another time. */
static void begin_places(struct storrent *t)
{
	if (t->relook || t->units_n > 0 || any_there(t) ||
		(t->priority != NULL && memchr(t->priority, 0, t->meta->files_n) != NULL))
		tell_files(t, true);
}

/* Every piece is judged.  Where a file of somebody else has taken the place of ours, a person has
 * to say that it may be written over. */
static enum step take_up(struct storrent *t)
{
	uint32_t file = store_files_foreign(t);
	struct words why = {0};
	char safe[128];

	if (file == t->meta->files_n)
		return go(t, PHASE_PARTIALS);
	snprintf(why.text, sizeof why.text,
		"'%s' was replaced by a file with other content: bring the right one back, or "
		"recheck the torrent to have it downloaded over this one",
		log_safe(t->meta->files[file].path, safe, sizeof safe));
	t->err = E_CHANGED;
	store_words_keep(&t->why, &why);
	return hold(t);
}

static enum step after_places(struct storrent *t)
{
	if (t->err != E_OK)
		return hold(t);
	if (t->relook)
		store_files_unnote(t);
	return t->want.count > 0 ? go(t, PHASE_QUEUED) : take_up(t);
}

static enum step after_queued(struct storrent *t)
{
	return t->s->checking == t ? go(t, PHASE_CHECK) : STEP_REST;
}

static enum step after_check(struct storrent *t)
{
	if (t->err == E_OK && store_check_left(t))
		return STEP_REST; /* held back by store.check_rate */
	store_check_end(t);
	if (t->err != E_OK)
		return hold(t);
	return t->lost ? go(t, PHASE_CHECK_SYNC) : take_up(t);
}

/* What is complete without a write may lack the links that the first write would have made. */
static void call_links(struct storrent *t)
{
	struct m_worker_links *l;
	uint32_t i = 0;

	while (i < t->meta->files_n && t->meta->files[i].symlink == NULL)
		i++;
	if (i == t->meta->files_n)
		return;
	l = msg_new(t->s->actor, MSG_WORKER_LINKS);
	l->t = t->t;
	store_call(t, ADDR(ROLE_WORKER, t->t.slot % t->s->workers), &l->h);
}

/* Each worker gets the partial pieces that are its own. */
static void begin_partials(struct storrent *t)
{
	struct m_worker_open **o = xcalloc(t->s->workers, sizeof(struct m_worker_open *));

	store_partials_thin(t);
	for (uint32_t i = 0; i < t->partials_n; i++) {
		unsigned w = tref_worker(t->t, t->partials[i].piece, t->s->workers);
		struct partial_piece *copy;

		if (o[w] == NULL) {
			o[w] = new_open(t);
			o[w]->partials = xcalloc(t->partials_n, sizeof *o[w]->partials);
		}
		copy = partials_copy(&t->partials[i], 1);
		o[w]->partials[o[w]->partials_n++] = *copy;
		xfree(copy);
	}
	for (unsigned w = 0; w < t->s->workers; w++)
		if (o[w] != NULL)
			store_call(t, ADDR(ROLE_WORKER, w), &o[w]->h);
	xfree(o);
	if (t->have.count == t->meta->pieces)
		call_links(t);
}

static enum step after_partials(struct storrent *t)
{
	if (t->err != E_OK)
		return hold(t);
	if (t->want.count > 0)
		return go(t, PHASE_CHECK_SYNC);
	store_ready(t);
	return go(t, PHASE_READY);
}

static enum step after_check_sync(struct storrent *t)
{
	if (t->err != E_OK)
		return hold(t);
	store_ready(t);
	return go(t, PHASE_READY);
}

/* --- in use --- */

/* The database and the session hear which pieces are gone, then the files are looked at. */
static void take_back(struct storrent *t)
{
	store_files_doubt(t);
	partials_free(&t->partials, &t->partials_n);
	t->partials = partials_copy(t->listed, t->listed_n);
	t->partials_n = t->listed_n;
	store_state_pieces(t, false);
	store_sync_drop(t);
	store_tell_error(t, t->altered_err, t->altered_why, true);
	store_files_claim(t);
}

static enum step after_checkpoint(struct storrent *t)
{
	if (t->err == E_OK && t->altered.n > 0) {
		take_back(t);
		return go(t, PHASE_STAT);
	}
	if (t->err == E_OK) {
		store_checkpoint_done(t, false);
		return go(t, PHASE_READY);
	}
	store_checkpoint_lost(t);
	return go(t, t->want.count > 0 ? PHASE_QUEUED : PHASE_CHECK_SYNC);
}

static enum step after_ready(struct storrent *t)
{
	if (t->recheck)
		return go(t, PHASE_AGAIN);
	if ((t->altered.n > 0 || (t->due && t->saving == 0)) && t->phase == PHASE_READY)
		return go(t, PHASE_CHECKPOINT);
	return t->wished && t->phase == PHASE_READY ? go(t, PHASE_FILES) : STEP_REST;
}

/* It may go, and come again. */
static void forget_part(struct storrent *t)
{
	t->ids[t->meta->files_n] = 0;
	bitfield_clear(&t->made, t->meta->files_n);
}

static void begin_files(struct storrent *t)
{
	take_wishes(t);
	if (t->ids != NULL &&
		(t->priority == NULL || memchr(t->priority, 0, t->meta->files_n) == NULL))
		forget_part(t);
	tell_files(t, false);
}

/* What could not be moved is still in the part file, and served from there. */
static enum step after_files(struct storrent *t)
{
	if (t->err != E_OK)
		store_tell_error(t, t->err, t->why, false);
	return go(t, PHASE_READY);
}

static void begin_again(struct storrent *t)
{
	t->recheck = false;
	close_all(t);
}

/* Nothing is known any more but what the database has, which holds until the check has ended. */
static enum step after_again(struct storrent *t)
{
	store_ready_drop(t);
	t->full = t->whole_check = true;
	store_sync_drop(t);
	bitfield_clear_all(&t->have);
	bitfield_clear_all(&t->synced);
	vec32_free(&t->noted);
	vec32_free(&t->syncing);
	for (unsigned i = 0; i < t->s->workers; i++)
		store_dirty_clear(t, (uint16_t)ADDR(ROLE_WORKER, i));
	t->dirty_bytes = 0;
	t->lost = false;
	return go(t, PHASE_OPEN);
}

static enum step after_hold(struct storrent *t)
{
	store_tell_ready(t, t->held_err, t->held_why);
	store_ready_drop(t);
	return go(t, PHASE_HELD);
}

/* --- closing --- */

static enum step after_close_sync(struct storrent *t)
{
	if (t->err != E_OK) {
		hold_reason(t);
		return go(t, PHASE_CLOSE);
	}
	store_enter(t, PHASE_CLOSE_STATE);
	return STEP_MOVED;
}

static void begin_close_state(struct storrent *t)
{
	if (t->altered.n == 0) {
		store_checkpoint_done(t, true);
		return;
	}
	store_files_doubt(t); /* the next start looks at them */
	store_state_pieces(t, true);
	store_sync_drop(t);
}

static enum step after_close_state(struct storrent *t)
{
	if (t->err != E_OK)
		t->held_err = t->err;
	return go(t, PHASE_CLOSE);
}

static enum step gone(struct storrent *t, enum err err, const struct words *why)
{
	while (t->closers_n > 0) {
		struct msg *m = t->closers[--t->closers_n];

		if (why != NULL)
			MSG_AS(STORE_CLOSE, m)->why = *why;
		actor_reply(t->s->actor, &m, err);
	}
	store_torrent_free(&t);
	return STEP_GONE;
}

static enum step after_close(struct storrent *t)
{
	return t->delete_data ? go(t, PHASE_DELETE) : gone(t, t->held_err, t->held_why);
}

/* Every worker has closed by now, so nobody makes a file anew; one opens it again to delete. */
static void begin_delete(struct storrent *t)
{
	unsigned w = t->t.slot % t->s->workers;
	struct m_worker_delete *d = msg_new(t->s->actor, MSG_WORKER_DELETE);

	d->t = t->t;
	d->made = t->dirs_made;
	store_call(t, ADDR(ROLE_WORKER, w), &new_open(t)->h);
	store_call(t, ADDR(ROLE_WORKER, w), &d->h);
	call_close(t, w);
}

static enum step after_delete(struct storrent *t)
{
	return gone(t, t->err, t->why);
}

/* --- the table --- */

static const struct {
	const char *name;
	void (*begin)(struct storrent *);
	enum step (*after)(struct storrent *); /* NULL: it rests here */
} phases[PHASE_MAX_] = {
	[PHASE_OPEN] = {"opening", begin_open, after_open},
	[PHASE_STAT] = {"looking", begin_stat, after_stat},
	[PHASE_PLACES] = {"placing", begin_places, after_places},
	[PHASE_QUEUED] = {"queued", store_check_queue, after_queued},
	[PHASE_CHECK] = {"checking", store_check_feed, after_check},
	[PHASE_PARTIALS] = {"resuming", begin_partials, after_partials},
	[PHASE_CHECK_SYNC] = {"syncing", store_sync, after_check_sync},
	[PHASE_READY] = {"ready", store_checkpoint_arm, after_ready},
	[PHASE_CHECKPOINT] = {"checkpoint", store_sync, after_checkpoint},
	[PHASE_FILES] = {"moving", begin_files, after_files},
	[PHASE_AGAIN] = {"restarting", begin_again, after_again},
	[PHASE_HOLD] = {"giving up", close_all, after_hold},
	[PHASE_HELD] = {"held", NULL, after_ready},
	[PHASE_CLOSE_SYNC] = {"last sync", store_sync, after_close_sync},
	[PHASE_CLOSE_STATE] = {"saving", begin_close_state, after_close_state},
	[PHASE_CLOSE] = {"closing", close_all, after_close},
	[PHASE_DELETE] = {"deleting", begin_delete, after_delete},
};

const char *store_phase_name(enum store_phase p)
{
	return phases[p].name;
}

void store_enter(struct storrent *t, enum store_phase phase)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	must(t->calls == 0);
	t->phase = phase;
	t->err = E_OK;
	store_words_keep(&t->why, NULL);
	if (phases[phase].begin != NULL)
		phases[phase].begin(t);
}

/*
 * Leaves the phase, whose calls have ended, for the first one of closing.  No last sync after one
 * that failed: it would say yes to what the one before has lost.
 */
static void begin_closing(struct storrent *t)
{
	bool ready = t->phase == PHASE_READY || t->phase == PHASE_CHECKPOINT;

	if (t->phase == PHASE_CHECKPOINT && t->err == E_OK && t->altered.n == 0)
		store_checkpoint_done(t, false);
	ready = (ready && t->err == E_OK) || t->phase == PHASE_FILES;
	loop_timer_del(actor_loop(t->s->actor), &t->timer);
	store_check_end(t);
	t->held_err = E_OK;
	store_words_keep(&t->held_why, NULL);
	store_enter(t, ready && !t->delete_data ? PHASE_CLOSE_SYNC : PHASE_CLOSE);
}

void store_step(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	enum step s = STEP_MOVED;

	while (s == STEP_MOVED && t->calls == 0 && !t->s->over) {
		if (t->closing && t->phase < PHASE_CLOSE_SYNC)
			begin_closing(t);
		else if (phases[t->phase].after != NULL)
			s = phases[t->phase].after(t);
		else
			s = STEP_REST;
	}
}

void store_replied(struct storrent *t, enum err err, struct msg *m)
{
	note_outcome(t, err, m);
	if (m != NULL && m->type == MSG_WORKER_STAT && err == E_OK)
		take_stat(t, MSG_AS(WORKER_STAT, m));
	else if (m != NULL && m->type == MSG_WORKER_HASH)
		store_hashed(t, err, MSG_AS(WORKER_HASH, m));
	else if (m != NULL && m->type == MSG_WORKER_SYNC)
		store_synced(t, err, MSG_AS(WORKER_SYNC, m));
	store_step(t);
}

void store_recheck(struct storrent *t)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	if (t->closing)
		return;
	t->recheck = true;
	store_step(t);
}

void store_close(struct storrent *t, bool delete_data)
{
	CHECK_OBJ(t, STORRENT_MAGIC);
	t->closing = true;
	t->delete_data |= delete_data;
	store_step(t);
}
