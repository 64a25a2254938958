/* SPDX-License-Identifier: MIT */
/*
 * Torrents that a call names, as the session shows them now.
 *
 * A few are asked for one by one, more than that as all there are, of which some are meant.  What
 * comes also tells which numbers there are.
 */
#include "http/transmission/look.h"

#include "actors/kernel/clock.h"
#include "http/transmission/ids.h"
#include "proto/base/array.h"

#define LOOK_MAGIC 0x4c4f4f52u
#define SINGLE_MAX 16u /* torrents that are asked for one by one */

void look_free(struct look **pl)
{
	struct look *l;

	TAKE_OBJ(l, pl, LOOK_MAGIC);
	for (unsigned i = 0; i < l->views_n; i++)
		msg_free(l->actor, &l->views[i]);
	xfree(l->views);
	xfree(l->rows);
	FREE_OBJ(l);
}

static void free_work(void **p)
{
	struct look *l = *p;

	*p = NULL;
	look_free(&l);
}

/* --- what came --- */

/* Of all there are, those that are meant. */
static void select_rows(struct rcall *c, struct look *l, const struct m_torrent_view *v)
{
	struct rpc *rpc = rcall_rpc(c);
	struct chosen ch;

	chosen_read(c, &ch);
	chosen_mark(&ch, rpc, ++rpc->serial);
	for (uint32_t i = 0; i < v->torrents_n; i++) {
		const struct torrent_view *t = &v->torrents[i];
		const struct tid *one = tids_find(rpc->ids, t->infohash);

		if (one != NULL && (ch.all || one->mark == rpc->serial ||
					   (ch.recent && l->now - one->changed <= TIDS_RECENT)))
			ARRAY_PUSH(l->rows, l->rows_n, l->rows_room, t);
	}
}

static void read_views(struct rcall *c, struct look *l)
{
	struct tids *ids = rcall_rpc(c)->ids;

	for (unsigned i = 0; i < l->views_n; i++) {
		const struct m_torrent_view *v = MSG_AS(TORRENT_VIEW, l->views[i]);

		tids_sync(ids, v->torrents, v->torrents_n, v->all, l->now);
		if (v->all)
			select_rows(c, l, v);
		else if (v->torrents_n == 1)
			ARRAY_PUSH(l->rows, l->rows_n, l->rows_room, v->torrents);
	}
}

static void end_look(struct rcall *c, struct look *l)
{
	look_f *fn = l->fn;

	c->work = NULL;
	if (l->failed != E_OK) {
		enum err e = l->failed;

		look_free(&l);
		rcall_end_err(c, e, NULL);
		return;
	}
	l->now = clock_wall_s();
	read_views(c, l);
	fn(c, l);
}

/* What is not there any more is left out. */
static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct look *l;

	(void)a;
	CAST_OBJ(l, c->work, LOOK_MAGIC);
	if (err == E_OK && m != NULL) {
		l->views[l->views_n++] = *m;
		*m = NULL;
	} else if (err != E_NOT_FOUND) {
		l->failed = err != E_OK ? err : E_TIMEOUT;
	}
	if (--l->waiting == 0)
		end_look(c, l);
}

/* --- asking --- */

static void ask(struct rcall *c, struct look *l, unsigned parts, const uint8_t *infohash)
{
	struct m_torrent_view *m = msg_new(l->actor, MSG_TORRENT_VIEW);

	m->all = infohash == NULL;
	m->parts = parts;
	if (infohash != NULL)
		memcpy(m->infohash, infohash, sizeof m->infohash);
	l->waiting++;
	msg_call(l->actor, ADDR_SESSION, m, on_view, c);
}

static struct look *look_new(struct rcall *c, look_f *fn, uint32_t views)
{
	struct look *l;

	ALLOC_OBJ(l, LOOK_MAGIC);
	l->actor = rcall_rpc(c)->actor;
	l->fn = fn;
	l->views = xcalloc(MAX(views, 1u), sizeof(struct msg *));
	must(c->work == NULL);
	c->work = l;
	c->work_free = free_work;
	return l;
}

void look_all(struct rcall *c, unsigned parts, look_f *fn)
{
	ask(c, look_new(c, fn, 1), parts, NULL);
}

void look_start(struct rcall *c, unsigned parts, look_f *fn)
{
	struct chosen ch;
	struct look *l;
	uint8_t(*hashes)[20];
	uint32_t n;

	chosen_read(c, &ch);
	if (!chosen_hashes(&ch, rcall_rpc(c), SINGLE_MAX, &hashes, &n)) {
		look_all(c, parts, fn);
		return;
	}
	l = look_new(c, fn, n);
	for (uint32_t i = 0; i < n; i++)
		ask(c, l, parts, hashes[i]);
	xfree(hashes);
	if (n == 0)
		end_look(c, l);
}
