/* SPDX-License-Identifier: MIT */
/*
 * Previews: what a link or a file is, told before anything of it is added.
 *
 * A link of which only the info-hash is known is looked at by a torrent of its own, TPHASE_LOOKING:
 * peers, trackers and the DHT have it as they have a magnet, but no list, no database and no queue.
 * Added, by whatever way, that torrent goes on as the one that was added, with the metainfo and the
 * peers it has met; else it ends with the last preview that looks at it.  Nothing is kept over a
 * restart.
 */
#include "actors/session/adding.h"

#include "actors/kernel/random.h"

#define PREVIEW_MAGIC 0x50524556u
#define KEPT          (300 * USEC_PER_SEC) /* after it was last looked at */
#define IN_USE        (10 * USEC_PER_SEC)  /* whoever waits for one looks more often */

struct preview {
	uint32_t magic;
	uint64_t id;
	struct metainfo *meta; /* reference; bare: the whole one is looked for */
	bool duplicate;        /* the torrent was there before */
	int64_t seen;          /* monotonic */
};

static struct torrent *torrent_of(const struct session *s, const struct preview *p)
{
	struct torrent *t = torrent_find(s, p->meta->infohash.v1);

	return t != NULL && !torrent_leaving(t) ? t : NULL;
}

/* --- the end of one --- */

static bool is_watched(const struct session *s, const struct torrent *t)
{
	for (unsigned i = 0; i < PREVIEWS_MAX; i++)
		if (s->previews[i] != NULL && torrent_of(s, s->previews[i]) == t)
			return true;
	return false;
}

static void free_preview(struct preview **pp)
{
	struct preview *p;

	TAKE_OBJ(p, pp, PREVIEW_MAGIC);
	metainfo_unref(&p->meta);
	FREE_OBJ(p);
}

static void drop(struct session *s, unsigned i)
{
	struct torrent *t = torrent_of(s, s->previews[i]);

	free_preview(&s->previews[i]);
	if (t != NULL && t->phase == TPHASE_LOOKING && !is_watched(s, t))
		torrent_step(t, TEVENT_REMOVE);
}

static void set_timer(struct session *s)
{
	int64_t at = INT64_MAX;

	for (unsigned i = 0; i < PREVIEWS_MAX; i++)
		if (s->previews[i] != NULL)
			at = MIN(at, s->previews[i]->seen + KEPT);
	if (at == INT64_MAX)
		loop_timer_del(session_loop(s), &s->previews_timer);
	else
		loop_timer_set(session_loop(s), &s->previews_timer, at);
}

void previews_on_timer(struct loop_timer *timer, int64_t now)
{
	struct session *s = container_of(timer, struct session, previews_timer);

	CHECK_OBJ(s, SESSION_MAGIC);
	for (unsigned i = 0; i < PREVIEWS_MAX; i++)
		if (s->previews[i] != NULL && now >= s->previews[i]->seen + KEPT)
			drop(s, i);
	set_timer(s);
}

void previews_free(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	for (unsigned i = 0; i < PREVIEWS_MAX; i++)
		if (s->previews[i] != NULL)
			free_preview(&s->previews[i]);
	loop_timer_del(session_loop(s), &s->previews_timer);
}

/* --- what is known --- */

/* What peers or a person have brought meanwhile is kept for who looks, whatever becomes of the
 * torrent. */
static void refresh(struct preview *p, const struct torrent *t)
{
	const struct metainfo *whole = t == NULL ? NULL : t->meta->bare ? t->found : t->meta;

	if (!p->meta->bare || whole == NULL)
		return;
	metainfo_unref(&p->meta);
	p->meta = metainfo_ref(whole);
}

static void fill_state(const struct preview *p, const struct torrent *t, struct m_preview *m)
{
	m->state = PREVIEW_READY;
	if (!p->meta->bare)
		return;
	m->state = PREVIEW_FAILED;
	if (t == NULL) {
		m->failure = E_NOT_FOUND;
		snprintf(m->why.text, sizeof m->why.text, "the torrent was removed meanwhile");
	} else if (t->failure == E_SYNTAX) {
		m->failure = E_SYNTAX;
		snprintf(m->why.text, sizeof m->why.text, "%s",
			t->error != NULL ? t->error : err_words(E_SYNTAX));
	} else {
		m->state = PREVIEW_RESOLVING;
	}
}

static void fill(struct session *s, struct preview *p, struct m_preview *m)
{
	const struct torrent *t = torrent_of(s, p);

	p->seen = actor_now(s->actor);
	refresh(p, t);
	fill_state(p, t, m);
	m->id = p->id;
	m->duplicate = p->duplicate;
	m->meta = metainfo_ref(p->meta);
	if (t != NULL) {
		m->known = t->counts.known;
		m->answered = t->counts.peers;
	}
	set_timer(s);
}

/* --- a new one --- */

/* A place for it: a free one, or of the one that was looked at longest ago; PREVIEWS_MAX: none. */
static unsigned make_room(struct session *s)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < PREVIEWS_MAX; i++) {
		if (s->previews[i] == NULL)
			return i;
		if (s->previews[i]->seen < s->previews[oldest]->seen)
			oldest = i;
	}
	if (actor_now(s->actor) < s->previews[oldest]->seen + IN_USE)
		return PREVIEWS_MAX;
	drop(s, oldest);
	return oldest;
}

/* Takes a reference of meta. */
static struct preview *begin(struct session *s, unsigned place, const struct metainfo *meta)
{
	struct torrent *t;
	struct preview *p;

	ALLOC_OBJ(p, PREVIEW_MAGIC);
	s->previews[place] = p;
	random_bytes(&p->id, sizeof p->id);
	p->id |= 1; /* 0 is nobody's */
	p->meta = metainfo_ref(meta);
	t = torrent_of(s, p);
	p->duplicate = t != NULL && t->phase != TPHASE_LOOKING;
	if (t != NULL && t->phase == TPHASE_LOOKING)
		torrent_look_also(t, meta);
	else if (t == NULL && meta->bare)
		torrent_look(s, meta);
	return p;
}

/* Takes *m if it has to wait. */
static void add(struct session *s, const struct metainfo *meta, struct msg **m)
{
	struct torrent *old = torrent_find(s, meta->infohash.v1);
	unsigned place;

	if (old != NULL && torrent_leaving(old)) {
		deferred_push(&old->adds, m);
		return;
	}
	place = make_room(s);
	if (place == PREVIEWS_MAX) {
		actor_reply(s->actor, m, E_OVERLOAD);
		return;
	}
	fill(s, begin(s, place, meta), MSG_AS(PREVIEW_ADD, *m));
	actor_reply(s->actor, m, E_OK);
}

void session_on_preview_add(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	struct m_preview *ask = MSG_AS(PREVIEW_ADD, *m);
	struct metainfo *meta = NULL;
	enum err e;

	if (session_defer_early(s, m))
		return;
	e = torrent_parse((struct slice){ask->body, ask->body_n}, ask->source == PREVIEW_LINK,
		&meta, &ask->why);
	if (e != E_OK) {
		actor_reply(a, m, e);
		return;
	}
	add(s, meta, m);
	metainfo_unref(&meta);
}

/* --- those there are --- */

static unsigned find(const struct session *s, uint64_t id)
{
	unsigned i = 0;

	while (i < PREVIEWS_MAX && (s->previews[i] == NULL || s->previews[i]->id != id))
		i++;
	return i;
}

void session_on_preview_view(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	struct m_preview *ask = MSG_AS(PREVIEW_VIEW, *m);
	unsigned i = find(s, ask->id);

	if (i < PREVIEWS_MAX)
		fill(s, s->previews[i], ask);
	actor_reply(a, m, i < PREVIEWS_MAX ? E_OK : E_NOT_FOUND);
}

void session_on_preview_drop(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	unsigned i = find(s, MSG_AS(PREVIEW_DROP, *m)->id);

	if (i < PREVIEWS_MAX) {
		drop(s, i);
		set_timer(s);
	}
	actor_reply(a, m, i < PREVIEWS_MAX ? E_OK : E_NOT_FOUND);
}

void session_on_preview_taken(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	unsigned i = find(s, MSG_AS(TORRENT_ADD, *m)->preview);
	struct metainfo *meta;

	if (i == PREVIEWS_MAX) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	refresh(s->previews[i], torrent_of(s, s->previews[i]));
	meta = metainfo_ref(s->previews[i]->meta);
	session_add(s, meta, m);
	metainfo_unref(&meta);
}
