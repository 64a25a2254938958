/* SPDX-License-Identifier: MIT */
/*
 * Adding a torrent: what came is checked, written to the database, answered, and only then opened.
 *
 * The torrent is in the table from the first moment, so that a second add of the same info-hash, or
 * of another torrent with the same files, meets it and waits until it is settled: added (then it is
 * there already), refused, or removed.
 */
#include "actors/session/adding.h"

#include <limits.h>

#include "actors/kernel/log.h"
#include "proto/base/path.h"

enum err torrent_parse(struct slice body, bool is_link, struct metainfo **meta, struct words *why)
{
	struct parse_error pe = {0};
	enum err e = is_link ? metainfo_from_magnet((const char *)body.p, body.n, meta, &pe)
			     : metainfo_parse(body.p, body.n, meta, &pe);

	if (e == E_OK)
		return E_OK;
	snprintf(why->text, sizeof why->text, "not a valid %s: %s (at byte %zu)",
		is_link ? "magnet link" : "torrent", pe.what[0] != '\0' ? pe.what : err_words(e),
		pe.offset);
	return e == E_NOMEM ? e : E_SYNTAX;
}

/* What the store is told of a torrent of which nothing is known. */
static void adopt_fresh(struct torrent *t, unsigned run, int64_t row)
{
	struct torrent_record r = {
		.row = row,
		.meta = metainfo_ref(t->meta),
		.run = run,
		.added = t->added,
		.fresh = true,
		.place = t->place,
		.seed = t->seed,
	};

	wishes_move(&r.wishes, &t->wishes);
	if (t->meta->bare) {
		r.link = xcalloc(1, t->meta->raw.n + 1);
		memcpy(r.link, t->meta->raw.p, t->meta->raw.n);
		r.choice = t->choice;
		r.choice_n = t->choice_n;
		t->choice = NULL;
	}
	bitfield_init(&r.synced, t->meta->pieces);
	torrent_adopt(t, &r);
}

static void on_stored(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;
	struct m_torrent_add *add;
	struct msg *reply;

	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	add = t->add;
	t->add = NULL;
	reply = &add->h;
	if (err != E_STOPPING)
		deferred_move(&t->session->again, &t->adds);
	if (err == E_OK) {
		adopt_fresh(t, torrent_run_of(add), MSG_AS(STATE_ADD, *m)->row);
		torrent_step(t, t->meta->bare ? TEVENT_SEEK : TEVENT_STORED);
		torrent_tell_added(t, add, ADD_NEW);
	} else {
		if (m != NULL && *m != NULL)
			add->why = MSG_AS(STATE_ADD, *m)->why;
		if (t->attached)
			torrent_step(t, TEVENT_REFUSED);
		else
			torrent_end(&t);
	}
	actor_reply(a, &reply, err);
}

/* What the link says of files, and then what the person does. */
static void choose_files(struct torrent *t, const struct m_torrent_add *add)
{
	struct words why;
	uint32_t n;
	struct file_wish *list = files_of_link(t->meta, &n);

	(void)files_choose(t, list, n, &why);
	(void)files_choose(t, add->files, add->files_n, &why);
	xfree(list);
}

static enum discreet discreet_of(
	const struct session *s, const struct m_torrent_add *add, const struct metainfo *meta)
{
	int as = s->config->magnet_discreet;

	if (add->discreet_given || !meta->bare)
		return add->wishes.discreet;
	if (as == CONFIG_DISCREET_ON || (as == CONFIG_DISCREET_AUTO && metainfo_has_passkey(meta)))
		return DISCREET_UNTIL_KNOWN;
	return DISCREET_OFF;
}

/* Takes path and priority.  t: new, or looked at so far. */
static void store_torrent(struct torrent *t, char *path, uint8_t *priority, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct session *s = t->session;
	struct m_state_add *put = msg_new(s->actor, MSG_STATE_ADD);
	struct msg *call = &put->h;

	t->path = path;
	if (t->meta->bare)
		choose_files(t, add);
	else
		target_link(t);
	add->wishes.discreet = discreet_of(s, add, t->meta);
	wishes_move(&t->wishes, &add->wishes);
	t->wishes.file_priority = priority;
	t->wishes.file_priority_n = priority != NULL ? t->meta->files_n : 0;
	t->place = session_new_place(s, add->queue_top);
	if (add->seed_given)
		t->seed = add->seed;
	t->added = clock_wall_s();
	t->add = add;
	*m = NULL;
	put->meta = metainfo_ref(t->meta);
	put->path = xstrdup(path);
	put->run = torrent_run_of(add);
	put->seed = t->seed;
	wishes_copy(&put->wishes, &t->wishes);
	put->added = t->added;
	put->place = t->place;
	put->choice_n = t->choice_n;
	put->choice = t->choice_n > 0 ? xmemdup(t->choice, t->choice_n * sizeof *t->choice) : NULL;
	actor_call_within(s->actor, ADDR_STATE, &call, STATE_TIMEOUT, on_stored, t);
}

/* The place is known and allowed; takes path.  Takes *m or answers it. */
static void add_at(struct session *s, struct metainfo *meta, char *path, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct torrent *other = NULL;
	/* What it will be called is not known of a link; its place is looked for when it is. */
	bool taken = !meta->bare && target_is_taken(s, path, meta->name, &other, &add->why);
	uint8_t *priority = NULL;
	enum err e = E_EXISTS;

	if (other != NULL && !torrent_listed(other)) {
		xfree(path);
		deferred_push(&other->adds, m);
		return;
	}
	if (meta->bare) {
		e = E_OK;
	} else if (!taken) {
		e = files_wish(meta, NULL, add->files, add->files_n, &priority, &add->why);
	}
	if (e == E_OK) {
		store_torrent(torrent_new(s, meta), path, priority, m);
		return;
	}
	xfree(path);
	actor_reply(s->actor, m, e);
}

/*
 * It was removed a while ago: it comes back with all that it had, unless it is to lie elsewhere or
 * who adds it wishes something of it, who gets a new one.  Takes path and *m.
 */
static void add_removed(struct session *s, struct removed *r, char *path, struct msg **m)
{
	const struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct wishes none;
	bool same;

	wishes_init(&none);
	none.discreet = add->wishes.discreet;
	same = (add->path == NULL || strcmp(path, r->what.path) == 0) && add->files_n == 0 &&
	       !add->seed_given && wishes_equal(&add->wishes, &none);
	xfree(path);
	if (same)
		session_restore(s, r, m);
	else
		session_purge(s, r, m);
}

/* Takes *m or answers it. */
static void add_new(struct session *s, struct metainfo *meta, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	char *path = session_resolve_path(s->config, add->path, &add->why);

	if (path == NULL)
		actor_reply(s->actor, m, E_PATH);
	else if (removed_find(&s->removed, meta->infohash.v1) != NULL)
		add_removed(s, removed_find(&s->removed, meta->infohash.v1), path, m);
	else
		add_at(s, meta, path, m);
}

/* --- what a preview looks at --- */

void torrent_look(struct session *s, const struct metainfo *bare)
{
	const struct m_torrent_add nothing = {.discreet_given = false};
	struct torrent *t = torrent_new(s, bare);

	must(bare->bare);
	t->link = xcalloc(1, bare->raw.n + 1);
	memcpy(t->link, bare->raw.p, bare->raw.n);
	t->wishes.discreet = discreet_of(s, &nothing, bare);
	t->run = RUN_STARTED | RUN_FORCED; /* outside of the queue */
	torrent_step(t, TEVENT_LOOK);
}

void torrent_look_also(struct torrent *t, const struct metainfo *more)
{
	struct metainfo *joined = NULL;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->attached && more->bare)
		tell_named(t, more->raw);
	if (metainfo_join(t->meta, more, &joined, NULL) == E_OK)
		torrent_take_meta(t, joined);
	if (joined != NULL)
		metainfo_unref(&joined);
	if (t->found == NULL && !more->bare)
		t->found = metainfo_ref(more);
	if (t->found == NULL || metainfo_join(t->found, more, &joined, NULL) != E_OK)
		return;
	metainfo_unref(&t->found);
	t->found = joined;
}

/* Whether its files have a place, and those that are named exist.  E_BUSY: *other is settled first.
 */
static enum err check_found(const struct torrent *t, const char *path,
	const struct m_torrent_add *add, struct torrent **other, struct words *why)
{
	uint8_t *priority = NULL;
	enum err e;

	*other = NULL;
	if (t->found == NULL)
		return E_OK;
	if (target_is_taken(t->session, path, t->found->name, other, why))
		return *other != NULL && !torrent_listed(*other) ? E_BUSY : E_EXISTS;
	e = files_wish(t->found, NULL, add->files, add->files_n, &priority, why);
	xfree(priority);
	return e;
}

/* The torrent that a preview looks at becomes the one that is added.  Takes *m or answers it. */
static void add_looked(struct torrent *t, const struct metainfo *meta, struct msg **m)
{
	struct session *s = t->session;
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	char *path = session_resolve_path(s->config, add->path, &add->why);
	struct torrent *other = NULL;
	enum err e = E_PATH;

	if (path != NULL) {
		torrent_look_also(t, meta);
		e = check_found(t, path, add, &other, &add->why);
	}
	if (e == E_OK) {
		torrent_step(t, TEVENT_TAKEN);
		wishes_fini(&t->wishes);
		t->told_wishes = false;
		t->started_at = 0;
		store_torrent(t, path, NULL, m);
		return;
	}
	xfree(path);
	if (e == E_BUSY)
		deferred_push(&other->adds, m);
	else
		actor_reply(s->actor, m, e);
}

/* The database has one that was removed, which is added when the one that is looked at is gone. */
static void make_way(struct torrent *t, struct msg **m)
{
	deferred_push(&t->adds, m);
	torrent_step(t, TEVENT_REMOVE);
}

/* --- what was asked for --- */

void session_add(struct session *s, struct metainfo *meta, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct torrent *old;

	CHECK_OBJ(s, SESSION_MAGIC);
	old = torrent_find(s, meta->infohash.v1);
	memcpy(add->infohash, meta->infohash.v1, sizeof add->infohash);
	if (old == NULL)
		add_new(s, meta, m);
	else if (old->phase == TPHASE_LOOKING && removed_find(&s->removed, meta->infohash.v1))
		make_way(old, m);
	else if (old->phase == TPHASE_LOOKING)
		add_looked(old, meta, m);
	else if (torrent_listed(old))
		session_add_again(old, meta, m);
	else
		deferred_push(&old->adds, m);
}

void session_on_add(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct metainfo *meta = NULL;
	enum err e;

	if (session_defer_early(s, m))
		return;
	if (s->load_err != E_OK) {
		snprintf(add->why.text, sizeof add->why.text, "the database could not be read");
		actor_reply(a, m, s->load_err);
		return;
	}
	e = torrent_parse((struct slice){add->body, add->body_n}, add->is_link, &meta, &add->why);
	if (e != E_OK) {
		actor_reply(a, m, e);
		return;
	}
	session_add(s, meta, m);
	metainfo_unref(&meta);
}
