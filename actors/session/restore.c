/* SPDX-License-Identifier: MIT */
/*
 * How a removed torrent comes back, or goes for good.
 *
 * The database still has all of it.  To come back it is read, put into the table like one that is
 * added (so that whoever adds it meanwhile waits), and opened when the database has it among the
 * others again.  What is known of its files is compared with them, as after a start: pieces are
 * hashed only of files that have changed.
 */
#include "actors/session/adding.h"

#include "actors/kernel/log.h"

#define RESTORE_MAGIC 0x52455354u

struct restore {
	uint32_t magic;
	struct session *s;
	struct removed *r;            /* busy */
	struct msg *m;                /* owned: who asked; NULL: nobody */
	struct torrent *t;            /* once its record has come */
	struct torrent_record record; /* owned */
};

static struct words *words_in(struct msg *m)
{
	return m->type == MSG_TORRENT_ADD ? &MSG_AS(TORRENT_ADD, m)->why
					  : &MSG_AS(TORRENT_SET, m)->why;
}

static void end_restore(struct restore *x, enum err e)
{
	if (x->r != NULL)
		x->r->busy = false;
	if (e != E_STOPPING)
		removed_arm(x->s);
	if (x->m != NULL)
		actor_reply(x->s->actor, &x->m, e);
	record_fini(&x->record);
	FREE_OBJ(x);
}

static struct restore *begin_restore(struct session *s, struct removed *r, struct msg **m)
{
	struct restore *x;

	ALLOC_OBJ(x, RESTORE_MAGIC);
	x->s = s;
	x->r = r;
	r->busy = true;
	if (m != NULL) {
		x->m = *m;
		*m = NULL;
	}
	return x;
}

static void call_state(struct restore *x, struct msg *m, actor_reply_f *fn)
{
	actor_call_within(x->s->actor, ADDR_STATE, &m, STATE_TIMEOUT, fn, x);
}

static void fetch(struct restore *x, actor_reply_f *fn)
{
	struct m_state_fetch *f = msg_new(x->s->actor, MSG_STATE_FETCH);

	f->row = x->r->what.row;
	call_state(x, &f->h, fn);
}

/* --- back --- */

static void give_up(struct restore *x, enum err err)
{
	deferred_move(&x->s->again, &x->t->adds);
	torrent_end(&x->t);
	end_restore(x, err);
}

static void on_back(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct restore *x;
	struct torrent *t;

	(void)a;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	t = x->t;
	if (err != E_OK && x->m != NULL && m != NULL && *m != NULL)
		*words_in(x->m) = MSG_AS(STATE_SHELVE, *m)->why;
	if (err == E_OK) {
		deferred_move(&x->s->again, &t->adds);
		log_event(LOG_INFO, "torrent_restored", "ih=%s",
			infohash_name(t->meta->infohash.v1).text);
		removed_drop(&x->s->removed, &x->r);
		torrent_adopt(t, &x->record);
		torrent_step(t, t->meta->bare ? TEVENT_SEEK : TEVENT_STORED);
		if (x->m != NULL && x->m->type == MSG_TORRENT_ADD)
			torrent_tell_added(t, MSG_AS(TORRENT_ADD, x->m), ADD_NEW);
		end_restore(x, err);
	} else {
		give_up(x, err);
	}
}

/* Whether its files have a place; else words say who has it, and *owner, if it is a torrent. */
static bool has_place(
	const struct session *s, const struct shelved *r, struct torrent **owner, struct words *why)
{
	*owner = NULL;
	return r->size == 0 || !target_is_taken(s, r->path, r->name, owner, why);
}

/* Its files are in their place. */
static void tell_back(struct restore *x)
{
	struct m_state_shelve *back = msg_new(x->s->actor, MSG_STATE_SHELVE);

	back->back = true;
	back->what.row = x->record.row;
	if (x->m->type == MSG_TORRENT_ADD)
		x->record.run = torrent_run_of(MSG_AS(TORRENT_ADD, x->m));
	back->run = x->record.run;
	call_state(x, &back->h, on_back);
}

static void on_shifted(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct restore *x;

	(void)a;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	if (err != E_OK && m != NULL && *m != NULL)
		*words_in(x->m) = MSG_AS(WORKER_SHIFT, *m)->why;
	if (err == E_OK)
		tell_back(x);
	else
		give_up(x, err);
}

static bool has_roots(const struct session *s, const struct shelved *r, struct words *why)
{
	if (r->trash == NULL || (session_root(s->config, r->path) != NULL &&
					session_root(s->config, r->trash) != NULL))
		return true;
	snprintf(why->text, sizeof why->text,
		"its data in the trash does not lie beneath download.roots any more");
	return false;
}

static void on_fetched(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *owner;
	struct restore *x;

	(void)a;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	if (err == E_OK && !has_roots(x->s, &x->r->what, words_in(x->m)))
		err = E_PATH;
	if (err == E_OK && !has_place(x->s, &x->r->what, &owner, words_in(x->m)))
		err = E_EXISTS;
	if (err != E_OK) {
		end_restore(x, err);
		return;
	}
	x->record = MSG_AS(STATE_FETCH, *m)->record;
	MSG_AS(STATE_FETCH, *m)->record = (struct torrent_record){0};
	x->t = torrent_new(x->s, x->record.meta);
	x->t->path = xstrdup(x->record.path);
	if (!x->t->meta->bare)
		target_link(x->t);
	if (x->r->what.trash != NULL && !x->t->meta->bare)
		trash_bring_back(x->s, &x->r->what, x->t->meta, on_shifted, x);
	else
		tell_back(x);
}

static void refuse_busy(struct session *s, struct msg **m)
{
	snprintf(words_in(*m)->text, sizeof words_in(*m)->text,
		"the removed torrent is being restored or forgotten; try again");
	actor_reply(s->actor, m, E_BUSY);
}

void session_restore(struct session *s, struct removed *r, struct msg **m)
{
	struct torrent *owner;

	CHECK_OBJ(s, SESSION_MAGIC);
	CHECK_OBJ(r, REMOVED_MAGIC);
	if (r->busy)
		refuse_busy(s, m);
	else if (has_place(s, &r->what, &owner, words_in(*m)))
		fetch(begin_restore(s, r, m), on_fetched);
	else if (owner != NULL && !torrent_listed(owner))
		deferred_push(&owner->adds, m);
	else
		actor_reply(s->actor, m, E_EXISTS);
}

/* --- for good --- */

/* Whoever wants to add it anew comes again. */
static void on_gone(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct restore *x;

	(void)a;
	(void)m;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	if (err == E_OK) {
		removed_drop(&x->s->removed, &x->r);
		if (x->m != NULL && x->m->type == MSG_TORRENT_ADD)
			deferred_push(&x->s->again, &x->m);
	}
	end_restore(x, err);
}

/*
 * What is in the trash is deleted as any torrent's data: it comes back as one that lies there and
 * is being removed, which the next run would finish.
 */
static void on_purge_fetched(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct restore *x;
	struct torrent *t;

	(void)a;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	if (err != E_OK) {
		end_restore(x, err);
		return;
	}
	x->record = MSG_AS(STATE_FETCH, *m)->record;
	MSG_AS(STATE_FETCH, *m)->record = (struct torrent_record){0};
	removed_drop(&x->s->removed, &x->r);
	t = torrent_new(x->s, x->record.meta);
	torrent_adopt(t, &x->record);
	if (x->m != NULL && x->m->type == MSG_TORRENT_ADD)
		deferred_push(&t->adds, &x->m);
	torrent_remove(t, REMOVAL_DELETE);
	end_restore(x, E_OK);
}

static void on_purging(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct restore *x;

	(void)a;
	(void)m;
	CAST_OBJ(x, ctx, RESTORE_MAGIC);
	if (err == E_OK)
		fetch(x, on_purge_fetched);
	else
		end_restore(x, err);
}

static void purge_trash(struct restore *x)
{
	struct m_state_shelve *back = msg_new(x->s->actor, MSG_STATE_SHELVE);

	back->back = back->purge = true;
	back->what.row = x->r->what.row;
	back->what.trash = xstrdup(x->r->what.trash);
	back->made = trash_made(x->r->what.trash);
	call_state(x, &back->h, on_purging);
}

/* Takes *m; NULL: nobody waits for it. */
static void purge(struct session *s, struct removed *r, struct msg **m)
{
	struct restore *x = begin_restore(s, r, m);
	struct m_state_remove *remove;

	if (r->what.trash != NULL) {
		purge_trash(x);
		return;
	}
	remove = msg_new(s->actor, MSG_STATE_REMOVE);
	remove->row = r->what.row;
	call_state(x, &remove->h, on_gone);
}

void session_purge(struct session *s, struct removed *r, struct msg **m)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	CHECK_OBJ(r, REMOVED_MAGIC);
	if (r->busy && m != NULL)
		refuse_busy(s, m);
	else if (!r->busy)
		purge(s, r, m);
}

void session_on_purge_timer(struct loop_timer *timer, int64_t now)
{
	struct session *s = container_of(timer, struct session, removed.timer);
	struct removed *r;

	(void)now;
	CHECK_OBJ(s, SESSION_MAGIC);
	for (unsigned n = 0; n < 64 && (r = removed_due(s)) != NULL; n++)
		session_purge(s, r, NULL);
	removed_arm(s);
}

/* --- who asks --- */

void session_set_removed(struct session *s, struct torrent *t, struct msg **m)
{
	struct m_torrent_set *c = MSG_AS(TORRENT_SET, *m);
	struct removed *r;

	CHECK_OBJ(s, SESSION_MAGIC);
	r = removed_find(&s->removed, c->infohash);
	if (t != NULL)
		CHECK_OBJ(t, TORRENT_MAGIC);
	if (t != NULL && !torrent_listed(t)) {
		deferred_push(&t->adds, m); /* what is under way ends first */
	} else if (t != NULL) {
		snprintf(c->why.text, sizeof c->why.text, "the torrent is there");
		actor_reply(s->actor, m, E_EXISTS);
	} else if (r == NULL) {
		actor_reply(s->actor, m, E_NOT_FOUND);
	} else if (c->op == TORRENT_RESTORE) {
		session_restore(s, r, m);
	} else {
		session_purge(s, r, m);
	}
}

void session_on_removed(struct actor *a, struct msg **pm)
{
	struct session *s = session_of(a);
	struct m_removed *m = MSG_AS(REMOVED_VIEW, *pm);
	struct link *line = &s->removed.line;

	if (session_defer_early(s, pm))
		return;
	m->keep = s->config->trash_keep / USEC_PER_SEC;
	m->list = xcalloc(MAX(s->removed.n, 1u), sizeof *m->list);
	for (struct link *l = line->next; l != line; l = l->next)
		shelved_copy(&m->list[m->n++], &container_of(l, struct removed, line)->what);
	actor_reply(a, pm, E_OK);
}
