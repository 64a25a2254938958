/* SPDX-License-Identifier: MIT */
/*
 * A torrent's files get another place on their volume, or other names.
 *
 * What is wished is noted in the database first; then peers let go and the store closes, which
 * leaves all that is known of the files there; a worker renames them, all or none; the database
 * gets their place; and what it knows is read and opened as at a start.  The next run carries on
 * with what was noted: what has moved by then is found moved.  A failure after which all is where
 * it was ends it; after any other it is tried again, as nobody else knows where the files are.
 *
 * The command that asked for it is the first of the torrent's all the while, so others wait.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"

#define SHIFT_MAGIC 0x53484654u

struct shift {
	uint32_t magic;
	char *path, *names;    /* owned: where to */
	struct metainfo *meta; /* reference: with those names */
	bool resumed;          /* some may have moved already */
	bool orphan;           /* an earlier run was asked for it */
	bool settled;          /* the database has the outcome */
	enum err err;          /* E_OK, or why it does not take place */
	struct words why;
};

void shift_free(struct shift **ps)
{
	struct shift *s;

	if (*ps == NULL)
		return;
	TAKE_OBJ(s, ps, SHIFT_MAGIC);
	xfree(s->path);
	xfree(s->names);
	metainfo_unref(&s->meta);
	FREE_OBJ(s);
}

/* Takes the reference. */
static struct shift *shift_new(const char *path, const char *names, struct metainfo *meta)
{
	struct shift *s;

	ALLOC_OBJ(s, SHIFT_MAGIC);
	s->path = xstrdup(path);
	s->names = xstrdup(names);
	s->meta = meta;
	return s;
}

void torrent_resume_shift(struct torrent *t, const struct torrent_record *r)
{
	struct metainfo *meta;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (r->to_path == NULL || metainfo_renamed(t->meta, r->to_names, &meta) != E_OK)
		return;
	t->shift = shift_new(r->to_path, r->to_names, meta);
	t->shift->resumed = t->shift->orphan = true;
	t->saving = true; /* commands wait until it has ended */
}

/* --- the wish --- */

static enum err words(struct m_torrent_set *c, enum err e, const char *what)
{
	snprintf(c->why.text, sizeof c->why.text, "%s", what);
	return e;
}

/* Owned by the caller: its names after the command. */
static enum err names_after(const struct torrent *t, struct m_torrent_set *c, char **names)
{
	struct metainfo_rename r = {.from = c->from, .file = c->file, .to = c->to};
	enum err e;

	*names = NULL;
	if (c->to == NULL) {
		*names = xstrdup(t->names != NULL ? t->names : "");
		return E_OK;
	}
	e = metainfo_rename(t->meta, &r, names);
	if (e == E_NOT_FOUND)
		return words(c, E_RANGE, "the torrent has no such file or directory");
	if (e == E_PATH)
		return words(c, E_PATH,
			"the new name must be a path in the torrent's directory, without empty "
			"parts, '..' and controls");
	if (e == E_EXISTS)
		return words(c, E_EXISTS,
			"another file of the torrent has that name, or one would be a directory "
			"of the other");
	return e;
}

/* Whether the place is free, but for the torrent itself. */
static bool is_free(struct torrent *t, const struct shift *s, struct words *why)
{
	struct torrent *owner;
	bool taken;

	target_unlink(t);
	taken = target_is_taken(t->session, s->path, s->meta->name, &owner, why);
	target_link(t);
	return !taken;
}

/* t->shift is what the command asks for; NULL with E_OK: it is so. */
static enum err plan(struct torrent *t, struct m_torrent_set *c)
{
	struct metainfo *meta = NULL;
	char *names, *path;
	enum err e;

	if (t->meta->bare)
		return words(c, E_EXISTS, "its metadata has not come yet: it has no files");
	if (t->phase != TPHASE_READY)
		return words(c, E_BUSY,
			"its files are being looked at, or cannot be used: try again when the "
			"torrent is neither checked nor in error");
	path = c->path != NULL ? session_resolve_path(t->session->config, c->path, &c->why)
			       : xstrdup(t->path);
	if (path == NULL)
		return E_PATH;
	e = names_after(t, c, &names);
	if (e == E_OK)
		e = metainfo_renamed(t->meta, names, &meta);
	if (e == E_OK && (strcmp(path, t->path) != 0 ||
				 strcmp(names, t->names != NULL ? t->names : "") != 0))
		t->shift = shift_new(path, names, meta);
	else if (meta != NULL)
		metainfo_unref(&meta);
	if (t->shift != NULL && !is_free(t, t->shift, &c->why)) {
		shift_free(&t->shift);
		e = E_EXISTS;
	}
	xfree(path);
	xfree(names);
	return e;
}

static void on_begun(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct words why = {0};
	struct torrent *t;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_OK) {
		t->session->step(t, TEVENT_SHIFT);
		return;
	}
	if (m != NULL && *m != NULL)
		why = MSG_AS(STATE_PLACE, *m)->why;
	shift_free(&t->shift);
	if (err != E_STOPPING)
		t->session->shift_ended(t, err, &why);
}

bool torrent_shift(struct torrent *t, struct m_torrent_set *c, enum err *err)
{
	struct m_state_place *put;
	struct msg *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	*err = plan(t, c);
	if (*err != E_OK || t->shift == NULL)
		return false;
	put = msg_new(t->session->actor, MSG_STATE_PLACE);
	put->row = t->row;
	put->begin = true;
	put->path = xstrdup(t->shift->path);
	put->names = xstrdup(t->shift->names);
	m = &put->h;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_begun, t);
	return true;
}

/* --- back into use --- */

static void try_again(struct torrent *t, enum err err, const char *why)
{
	t->shift->resumed = true;
	torrent_set_error(t, err, why);
	session_retry_later(t->session, &t->retry, &t->retry_after);
}

/* What the database knows of it is what the store begins with. */
static void take_record(struct torrent *t, struct torrent_record *r)
{
	if (t->record != NULL)
		record_fini(t->record);
	xfree(t->record);
	/* The torrent has its own of these. */
	metainfo_unref(&r->meta);
	wishes_fini(&r->wishes);
	xfree(r->path);
	r->path = NULL;
	t->record = xmemdup(r, sizeof *r);
	*r = (struct torrent_record){0};
}

static void on_fetched(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct words why;
	struct torrent *t;
	bool orphan;
	enum err e;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return;
	if (err != E_OK) {
		try_again(t, err, "the database could not be read");
		return;
	}
	take_record(t, &MSG_AS(STATE_FETCH, *m)->record);
	t->retry_after = 0;
	e = t->shift->err;
	why = t->shift->why;
	orphan = t->shift->orphan;
	shift_free(&t->shift);
	torrent_clear_error(t);
	t->session->step(t, TEVENT_STORED);
	t->session->shift_ended(t, e, orphan ? NULL : &why);
}

static void fetch(struct torrent *t)
{
	struct m_state_fetch *f = msg_new(t->session->actor, MSG_STATE_FETCH);
	struct msg *m = &f->h;

	f->row = t->row;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_fetched, t);
}

/* The torrent lies there from now on. */
static void take_place(struct torrent *t)
{
	struct shift *s = t->shift;

	target_unlink(t);
	xfree(t->path);
	t->path = xstrdup(s->path);
	xfree(t->names);
	t->names = xstrdup(s->names);
	torrent_take_meta(t, s->meta);
	target_link(t);
	log_event(LOG_INFO, "torrent_moved", "ih=%s path=\"%s\"",
		infohash_name(t->meta->infohash.v1).text, t->path);
}

static void on_placed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	(void)m;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return; /* the next run finds out */
	if (err != E_OK) {
		try_again(t, err, "the database could not be written");
		return;
	}
	if (t->shift->err == E_OK)
		take_place(t);
	t->shift->settled = true;
	fetch(t);
}

/* --- the files --- */

static void on_carried(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct m_state_place *put;
	struct torrent *t;
	struct msg *call;
	bool back = false;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return;
	t->shift->err = err;
	if (m != NULL && *m != NULL) {
		t->shift->why = MSG_AS(WORKER_SHIFT, *m)->why;
		back = MSG_AS(WORKER_SHIFT, *m)->back;
	}
	if (err != E_OK && !back) {
		try_again(t, err, t->shift->why.text);
		return;
	}
	put = msg_new(t->session->actor, MSG_STATE_PLACE);
	put->row = t->row;
	if (err == E_OK) {
		put->path = xstrdup(t->shift->path);
		put->names = xstrdup(t->shift->names);
		put->made = MSG_AS(WORKER_SHIFT, *m)->made_there;
	}
	call = &put->h;
	actor_call_within(t->session->actor, ADDR_STATE, &call, STATE_TIMEOUT, on_placed, t);
}

void torrent_carry(struct torrent *t)
{
	struct session *s;
	struct m_worker_shift *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	CHECK_OBJ(t->shift, SHIFT_MAGIC);
	s = t->session;
	if (t->shift->settled) {
		fetch(t); /* the database has it */
		return;
	}
	m = msg_new(s->actor, MSG_WORKER_SHIFT);
	tell_where(s, t->path, t->meta, &m->from);
	tell_where(s, t->shift->path, t->shift->meta, &m->to);
	m->made = t->record != NULL ? t->record->made : 0;
	m->resumed = t->shift->resumed;
	msg_call(s->actor, tell_worker_of(s, t->meta), m, on_carried, t);
}
