/* SPDX-License-Identifier: MIT */
/*
 * The store actor: which torrents have their files open, and what is known of them.
 *
 * It never makes a blocking call: the workers do, and while they hang the store still answers.
 * Notes from the workers are passed to the database once a turn.
 *
 * Invariants: a torrent is freed only when no call of its is pending; what the database is told to
 * be synced was covered by a sync that every worker answered well.
 */
#include "actors/store/priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "actors/kernel/log.h"

#define DEADLINE_US (14 * USEC_PER_SEC) /* of the stop; main waits a second longer */

/* --- torrents --- */

static void on_timer(struct loop_timer *timer, int64_t now)
{
	struct storrent *t = container_of(timer, struct storrent, timer);

	(void)now;
	CHECK_OBJ(t, STORRENT_MAGIC);
	if (t->phase != PHASE_READY)
		return;
	t->due = true;
	store_step(t);
}

/* A check was asked for and did not end: whatever there is of any piece is hashed. */
static void doubt_all(struct storrent *t)
{
	t->doubtful.n = 0;
	for (uint32_t i = 0; i < t->meta->pieces; i++)
		vec32_push(&t->doubtful, i);
	t->whole_check = true;
}

/* Takes out of the message what the torrent goes on with. */
static struct storrent *new_torrent(struct store *s, struct m_store_open *o)
{
	struct torrent_record *r = &o->record;
	struct storrent *t;

	ALLOC_OBJ(t, STORRENT_MAGIC);
	t->s = s;
	t->t = o->t;
	t->row = r->row;
	t->meta = metainfo_ref(r->meta);
	t->layout = layout_of_metainfo(t->meta);
	t->make_root = o->make_root;
	t->fresh = r->fresh;
	t->root = o->root;
	t->path = r->path;
	t->before = r->stamps;
	t->before_n = r->stamps_n;
	t->downloaded = r->downloaded;
	t->dirs_made = t->dirs_told = r->made;
	t->doubtful = (struct vec32){r->unsynced, r->unsynced_n, r->unsynced_n};
	if (r->check)
		doubt_all(t);
	t->partials = r->partials;
	t->partials_n = t->partials_told = r->partials_n;
	t->synced = r->synced;
	if (r->wishes.file_priority != NULL && r->wishes.file_priority_n == t->meta->files_n) {
		t->priority = r->wishes.file_priority;
		r->wishes.file_priority = NULL;
	}
	o->root = r->path = NULL;
	r->stamps = NULL;
	r->unsynced = NULL;
	r->partials = NULL;
	r->stamps_n = r->unsynced_n = r->partials_n = 0;
	r->synced = (struct bitfield){0};
	if (t->synced.bits != t->meta->pieces) {
		bitfield_free(&t->synced);
		bitfield_init(&t->synced, t->meta->pieces);
	}
	bitfield_init(&t->have, t->meta->pieces);
	t->timer.fn = on_timer;
	return t;
}

/* --- messages --- */

static void on_open(struct actor *a, struct msg **m)
{
	struct store *s = actor_self(a);
	struct m_store_open *o = MSG_AS(STORE_OPEN, *m);
	struct storrent *t;

	if (o->t.slot < s->slots_n && s->slots[o->t.slot] != NULL) {
		struct m_store_ready *r = msg_new(a, MSG_STORE_READY);
		struct msg *answer = &r->h;

		r->t = o->t;
		r->err = E_BUSY;
		actor_cast(a, ADDR_SESSION, &answer);
		return;
	}
	t = new_torrent(s, o);
	store_slot_set(s, t);
	store_enter(t, PHASE_OPEN);
	store_step(t);
}

static void on_noted(struct actor *a, struct msg **m)
{
	struct storrent *t = store_find(actor_self(a), MSG_AS(STATE_NOTED, *m)->t);

	if (t != NULL)
		store_news_noted(t);
}

static void on_pieces(struct actor *a, struct msg **m)
{
	store_watch_answer(actor_self(a), MSG_AS(STORE_PIECES, *m));
	actor_reply(a, m, E_OK);
}

static void on_check(struct actor *a, struct msg **m)
{
	struct storrent *t = store_find(actor_self(a), MSG_AS(STORE_CHECK, *m)->t);

	if (t != NULL)
		store_recheck(t);
}

static void on_files(struct actor *a, struct msg **m)
{
	struct m_store_files *f = MSG_AS(STORE_FILES, *m);
	struct storrent *t = store_find(actor_self(a), f->t);

	if (t == NULL || (f->file_priority != NULL && f->file_priority_n != t->meta->files_n))
		return;
	xfree(t->priority_new);
	t->priority_new = f->file_priority;
	f->file_priority = NULL;
	t->wished = true;
	store_step(t);
}

static void on_close(struct actor *a, struct msg **m)
{
	struct m_store_close *c = MSG_AS(STORE_CLOSE, *m);
	struct storrent *t = store_find(actor_self(a), c->t);

	if (t == NULL) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	t->closers = xrealloc(t->closers, (t->closers_n + 1) * sizeof(struct msg *));
	t->closers[t->closers_n++] = *m;
	*m = NULL;
	store_close(t, c->delete_data);
}

/* Somebody has removed, replaced or cut a file: its disk gives no trouble. */
static bool is_altered(enum err e)
{
	return e == E_NOENT || e == E_CHANGED || e == E_PATH || e == E_IS_DIR || e == E_IS_LINK ||
	       e == E_IS_SPECIAL;
}

static void take_note(struct store *s, uint16_t from, const struct note *n)
{
	struct storrent *t = store_find(s, n->t);
	struct words why;

	if (t == NULL)
		return;
	if (n->kind == NOTE_PIECE_OK && n->index < t->meta->pieces)
		store_note_piece(t, n->index);
	else if (n->kind == NOTE_FILE_DIRTY && n->index <= t->meta->files_n)
		store_note_dirty(t, from, n->index);
	else if (n->kind == NOTE_FILE_SEEN && n->index <= t->meta->files_n)
		store_file_seen(t, n->index, n->id, n->made);
	else if (n->kind == NOTE_DIR_MADE && n->index <= strlen(t->path))
		store_note_made(t, n->index);
	else if (n->kind == NOTE_ERROR && n->index <= t->meta->files_n &&
		 store_file_known(t, n->index) && is_altered(n->err)) {
		store_words(&why, t, n->index, n->op, n->err);
		store_file_altered(t, n->index, n->err, &why);
	} else if (n->kind == NOTE_ERROR && !t->closing) {
		store_words(&why, t, n->index, n->op, n->err);
		store_tell_error(t, n->err, &why, false);
	}
}

static void on_note(struct actor *a, struct msg **m)
{
	struct m_worker_note *n = MSG_AS(WORKER_NOTE, *m);

	for (unsigned i = 0; i < n->n && i < ARRAY_LEN(n->notes); i++)
		take_note(actor_self(a), n->h.from, &n->notes[i]);
	for (unsigned i = 0; i < n->n && i < ARRAY_LEN(n->notes); i++) {
		struct storrent *t = store_find(actor_self(a), n->notes[i].t);

		if (t != NULL && t->altered.n > 0)
			store_step(t);
	}
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct store *s = actor_self(a);
	const struct config *old = s->config;

	s->config = config_ref(MSG_AS(RELOAD, *m)->config);
	config_unref(&old);
	store_check_reload(s);
}

/* --- the actor --- */

static void end_stop(struct store *s)
{
	if (s->over)
		return;
	s->over = true;
	loop_timer_del(actor_loop(s->actor), &s->deadline);
	actor_quiesced(s->actor);
}

/* The disks hang: says which, and leaves; the next start hashes what was not synced. */
static void on_deadline(struct loop_timer *timer, int64_t now)
{
	struct store *s = container_of(timer, struct store, deadline);

	(void)now;
	for (uint32_t i = 0; i < s->slots_n; i++) {
		const struct storrent *t = s->slots[i];

		if (t != NULL)
			log_event(LOG_ERROR, "store_hangs", "path=\"%s\" phase=%s calls=%u",
				t->path, store_phase_name(t->phase), t->calls);
	}
	end_stop(s);
}

/* The torrent that was checked has ended: the one that is first in the line now begins. */
static void on_check_turn(struct loop_task *task)
{
	struct store *s = container_of(task, struct store, check_task);

	if (s->checking != NULL)
		store_step(s->checking);
}

static void *init_store(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct store *s;

	ALLOC_OBJ(s, STORE_MAGIC);
	s->actor = a;
	s->config = config_ref(env->config);
	s->workers = env->workers;
	s->deadline.fn = on_deadline;
	store_check_init(s);
	s->replied = store_replied;
	s->check_task.fn = on_check_turn;
	store_news_init(s);
	return s;
}

static void quiesce_store(struct actor *a)
{
	struct store *s = actor_self(a);

	s->stopping = true;
	for (uint32_t i = 0; i < s->slots_n; i++)
		if (s->slots[i] != NULL)
			store_close(s->slots[i], s->slots[i]->delete_data);
	store_news_flush(s);
	if (s->open == 0)
		end_stop(s);
	else
		loop_timer_set(actor_loop(a), &s->deadline, actor_now(a) + DEADLINE_US);
}

static void end_tick(struct actor *a)
{
	struct store *s = actor_self(a);

	for (struct storrent *t = s->news; t != NULL; t = t->news_next) {
		if (t->phase == PHASE_READY)
			store_checkpoint_arm(t);
		if (t->due)
			store_step(t);
	}
	store_news_end_tick(s);
	if (s->stopping && s->open == 0)
		end_stop(s);
}

/* Calls that never came back are the kernel's to end. */
static void fini_store(struct actor *a)
{
	struct store *s = actor_self(a);

	s->over = true;
	for (uint32_t i = 0; i < s->slots_n; i++) {
		struct storrent *t = s->slots[i];

		if (t == NULL)
			continue;
		actor_cancel_calls(a, t);
		while (t->closers_n > 0)
			msg_free(a, &t->closers[--t->closers_n]);
		store_torrent_free(&t);
	}
	loop_timer_del(actor_loop(a), &s->check_timer);
	loop_task_del(actor_loop(a), &s->check_task);
	loop_timer_del(actor_loop(a), &s->news_timer);
	loop_timer_del(actor_loop(a), &s->deadline);
	config_unref(&s->config);
	store_watch_end(s);
	xfree(s->jobs);
	xfree(s->slots);
	FREE_OBJ(s);
}

static const struct actor_handler store_handlers[] = {
	{MSG_STORE_OPEN, on_open},
	{MSG_STORE_CHECK, on_check},
	{MSG_STORE_FILES, on_files},
	{MSG_STORE_CLOSE, on_close},
	{MSG_WORKER_NOTE, on_note},
	{MSG_STATE_NOTED, on_noted},
	{MSG_STORE_PIECES, on_pieces},
	{MSG_RELOAD, on_reload},
	{0, NULL},
};

const struct actor_spec store_spec = {
	.role_name = "store",
	.handlers = store_handlers,
	.init = init_store,
	.quiesce = quiesce_store,
	.tick_end = end_tick,
	.fini = fini_store,
};
