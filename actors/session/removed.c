/* SPDX-License-Identifier: MIT */
/* The list of torrents that were removed and can come back. */
#include "actors/session/priv.h"

static unsigned bucket_of(const uint8_t infohash[20])
{
	/* A removal is a person's doing: nobody fills one bucket on purpose. */
	return (infohash[18] * 256u + infohash[19]) % REMOVED_BUCKETS;
}

void removed_init(struct removed_list *l, void (*purge)(struct loop_timer *, int64_t now))
{
	link_init(&l->line);
	l->timer.fn = purge;
}

struct removed *removed_find(const struct removed_list *l, const uint8_t infohash[20])
{
	struct removed *r = l->bucket != NULL ? l->bucket[bucket_of(infohash)] : NULL;

	while (r != NULL && memcmp(r->what.infohash, infohash, 20) != 0)
		r = r->next;
	return r;
}

void removed_drop(struct removed_list *l, struct removed **pr)
{
	struct removed *r, **at;

	TAKE_OBJ(r, pr, REMOVED_MAGIC);
	at = &l->bucket[bucket_of(r->what.infohash)];
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	link_remove(&r->line);
	l->n--;
	shelved_fini(&r->what);
	FREE_OBJ(r);
}

/* Takes *what.  The same torrent again takes the place of the one before. */
static void enter(struct removed_list *l, struct shelved *what)
{
	struct removed *r = removed_find(l, what->infohash);

	if (r != NULL)
		removed_drop(l, &r);
	if (l->bucket == NULL)
		l->bucket = xcalloc(REMOVED_BUCKETS, sizeof *l->bucket);
	ALLOC_OBJ(r, REMOVED_MAGIC);
	r->what = *what;
	*what = (struct shelved){0};
	r->next = l->bucket[bucket_of(r->what.infohash)];
	l->bucket[bucket_of(r->what.infohash)] = r;
	link_append(&l->line, &r->line);
	l->n++;
}

void removed_load(struct removed_list *l, struct m_state_load *m)
{
	for (uint32_t i = 0; i < m->removed_n; i++)
		enter(l, &m->removed[i]);
}

void removed_fini(struct session *s)
{
	struct removed_list *l;

	CHECK_OBJ(s, SESSION_MAGIC);
	l = &s->removed;
	while (!link_empty(&l->line)) {
		struct removed *r = container_of(l->line.next, struct removed, line);

		removed_drop(l, &r);
	}
	xfree(l->bucket);
	l->bucket = NULL;
	loop_timer_del(session_loop(s), &l->timer);
}

/* --- a torrent that goes --- */

bool removed_is_kept(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	return t->removal != REMOVAL_DELETE && t->session->config->trash_keep > 0;
}

void removed_describe(const struct torrent *t, struct shelved *out)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	*out = (struct shelved){
		.row = t->row,
		.name = xstrdup(t->meta->name),
		.path = xstrdup(t->path),
		.trash = t->trash != NULL ? xstrdup(t->trash) : NULL,
		.size = t->meta->size,
		.at = clock_wall_s(),
	};
	memcpy(out->infohash, t->meta->infohash.v1, sizeof out->infohash);
}

void removed_enter(const struct torrent *t)
{
	struct shelved what;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (!removed_is_kept(t))
		return;
	removed_describe(t, &what);
	enter(&t->session->removed, &what);
	removed_arm(t->session);
}

/* --- time --- */

/* Seconds since 1970. */
static int64_t end_of(const struct session *s, const struct removed *r)
{
	return r->what.at + s->config->trash_keep / USEC_PER_SEC;
}

static struct removed *oldest(const struct session *s)
{
	const struct link *line = &s->removed.line;

	for (struct link *l = line->next; l != line; l = l->next) {
		struct removed *r = container_of(l, struct removed, line);

		if (!r->busy) /* few are, and not for long */
			return r;
	}
	return NULL;
}

struct removed *removed_due(const struct session *s)
{
	struct removed *r = oldest(s);

	CHECK_OBJ(s, SESSION_MAGIC);
	if (r == NULL || (s->removed.n <= REMOVED_MAX && end_of(s, r) > clock_wall_s()))
		return NULL;
	return r;
}

void removed_arm(struct session *s)
{
	const struct removed *r = oldest(s);
	int64_t left;

	CHECK_OBJ(s, SESSION_MAGIC);
	loop_timer_del(session_loop(s), &s->removed.timer);
	if (r == NULL)
		return;
	/* The wall clock may be set meanwhile: an hour later somebody looks again. */
	left = MIN(MAX(end_of(s, r) - clock_wall_s(), 0), 3600);
	if (s->removed.n > REMOVED_MAX)
		left = 0;
	loop_timer_set(
		session_loop(s), &s->removed.timer, actor_now(s->actor) + left * USEC_PER_SEC);
}
