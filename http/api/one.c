/* SPDX-License-Identifier: MIT */
/*
 * Looking at one torrent from one side (aspect.h): the session is asked for a snapshot, which is
 * rendered a slice at a time.
 *
 * Whoever asks for the same meanwhile gets the same answer (shared_ask()).
 */
#include "http/api/field_names.h"
#include "http/api/priv.h"

#include <stdio.h>

#include "http/api/aspect.h"

#define ONE_MAGIC 0x4f4e4531u

/* A question; every byte is compared, so it begins as zeros. */
struct question {
	char path[8]; /* tells it from the questions of other resources */
	uint8_t infohash[20];
	struct aspect_wish wish;
};

/* A snapshot being rendered. */
struct one {
	uint32_t magic;
	struct actor *actor;
	struct msg *snapshot; /* owned */
	struct aspect_render render;
};

static bool render_slice(void *ctx, struct json_out *o, size_t bytes)
{
	struct one *one;

	CAST_OBJ(one, ctx, ONE_MAGIC);
	return aspect_some(&one->render, o, bytes);
}

static void free_one(void *ctx)
{
	struct one *one;

	CAST_OBJ(one, ctx, ONE_MAGIC);
	msg_free(one->actor, &one->snapshot);
	FREE_OBJ(one);
}

static void begin_render(struct actor *a, struct shared *s, struct msg **m)
{
	const struct m_torrent_view *v = MSG_AS(TORRENT_VIEW, *m);
	const struct question *q = shared_key(s);
	struct shared_source source = {.some = render_slice, .free = free_one};
	struct one *one;

	ALLOC_OBJ(one, ONE_MAGIC);
	one->actor = a;
	one->snapshot = *m;
	*m = NULL;
	aspect_init(&one->render, &v->torrents[0], &q->wish);
	source.ctx = one;
	shared_make(s, &source);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shared *s = shared_of(ctx);

	if (err == E_OK)
		begin_render(a, s, m);
	else if (err == E_NOT_FOUND)
		shared_fail(s, 404, "no torrent with this infohash");
	else
		shared_fail(s, answer_status(err), err_words(err));
}

/* --- the question --- */

static bool read_fields(struct request *r, uint32_t *fields)
{
	return field_names_param(r, aspect_file_fields, "i,path,size", fields);
}

static bool read_buckets(struct request *r, struct aspect_wish *w)
{
	const char *given;
	uint64_t n = PIECE_BUCKETS_USUAL;

	if (!param_bool(r, "full", false, &w->full) || !param_text(r, "buckets", &given))
		return false;
	if (given != NULL && !param_count(r, "buckets", &n))
		return false;
	w->buckets = (uint32_t)n;
	if (n <= PIECE_BUCKETS_MOST)
		return true;
	answer_text(r, 422, "parameter 'buckets' must be at most %u", PIECE_BUCKETS_MOST);
	return false;
}

static bool read_wish(struct request *r, struct aspect_wish *w)
{
	w->of = (enum aspect)request_resource(r)->arg;
	if (w->of == ASPECT_FILES)
		return read_fields(r, &w->fields);
	return w->of != ASPECT_PIECES || read_buckets(r, w);
}

void api_one(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_view *m;
	struct question q;
	struct shared *s;

	memset(&q, 0, sizeof q);
	memcpy(q.path, "one", 3);
	if (!param_infohash(r, q.infohash) || !read_wish(r, &q.wish))
		return;
	s = shared_ask(r, &q, sizeof q);
	if (s == NULL)
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	m->parts = aspect_parts(q.wish.of);
	memcpy(m->infohash, q.infohash, sizeof q.infohash);
	msg_call(a, ADDR_SESSION, m, on_view, s);
}
