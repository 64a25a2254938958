/* SPDX-License-Identifier: MIT */
/*
 * Looking at torrents: the session is asked for a snapshot, which is rendered a slice at a time.
 *
 * Whoever asks for the same meanwhile gets the same answer (shared_ask()), so what is shown is part
 * of the question's key.
 */
#include "http/api/priv.h"

#include <stdio.h>

#include "actors/kernel/clock.h"
#include "http/api/render.h"

#define LOOK_MAGIC 0x4c4f4f4bu

/* A question; every byte is compared, so it begins as zeros. */
struct question {
	bool all;
	uint8_t infohash[20];
	struct render_wish wish;
};

/* A snapshot being rendered. */
struct look {
	uint32_t magic;
	struct actor *actor;
	struct msg *snapshot; /* owned */
	struct render render;
};

static bool render_slice(void *ctx, struct json_out *o, size_t bytes)
{
	struct look *l;

	CAST_OBJ(l, ctx, LOOK_MAGIC);
	return render_some(&l->render, o, bytes);
}

static void free_look(void *ctx)
{
	struct look *l;

	CAST_OBJ(l, ctx, LOOK_MAGIC);
	msg_free(l->actor, &l->snapshot);
	FREE_OBJ(l);
}

static void begin_render(struct actor *a, struct shared *s, struct msg **m)
{
	const struct m_torrent_view *v = MSG_AS(TORRENT_VIEW, *m);
	const struct question *q = shared_key(s);
	struct shared_source source = {
		.some = render_slice, .free = free_look, .varying = render_varying(v)};
	struct look *l;

	ALLOC_OBJ(l, LOOK_MAGIC);
	l->actor = a;
	l->snapshot = *m;
	*m = NULL;
	render_init(&l->render, v, &q->wish, clock_wall_s());
	source.ctx = l;
	shared_make(s, &source);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shared *s = shared_of(ctx);

	if (err == E_OK && m != NULL)
		begin_render(a, s, m);
	else if (err == E_NOT_FOUND)
		shared_fail(s, 404, "no torrent with this infohash");
	else
		shared_fail(s, answer_status(err), err_words(err));
}

static bool read_fields(struct request *r, struct render_wish *w)
{
	const char *names;
	struct slice bad = {0};

	if (!param_text(r, "fields", &names))
		return false;
	if (names == NULL)
		return true;
	switch (render_fields(w, names, &bad)) {
	case E_OK:
		return true;
	case E_NOT_FOUND:
		answer_text(r, 422, "parameter 'fields': there is no field '%.*s'",
			(int)MIN(bad.n, (size_t)100), (const char *)bad.p);
		return false;
	default:
		answer_text(r, 422, "parameter 'fields' names none: give it as name,status,Peers");
		return false;
	}
}

/* false: answered. */
static bool read_question(struct request *r, struct question *q)
{
	struct render_wish *w = &q->wish;

	q->all = request_resource(r)->arg == VIEW_OF_ALL;
	w->legacy = request_config(r)->api_legacy_names;
	return (q->all || param_infohash(r, q->infohash)) &&
	       param_bool(r, "files", !q->all, &w->files) &&
	       param_bool(r, "bitfields", true, &w->bitfields) && read_fields(r, w);
}

void api_view(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_view *m;
	struct question q;
	struct shared *s;

	memset(&q, 0, sizeof q);
	if (!read_question(r, &q))
		return;
	s = shared_ask(r, &q, sizeof q);
	if (s == NULL)
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	m->all = q.all;
	m->parts = render_parts(&q.wish);
	memcpy(m->infohash, q.infohash, sizeof q.infohash);
	msg_call(a, ADDR_SESSION, m, on_view, s);
}
