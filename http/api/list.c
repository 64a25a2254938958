/* SPDX-License-Identifier: MIT */
/*
 * The list of torrents for who keeps one: all of it once, in pages if need be, then what changed.
 *
 * Whoever asks for the same meanwhile gets the same answer (shared_ask()).
 */
#include "http/api/field_names.h"
#include "http/api/priv.h"

#include "actors/kernel/clock.h"
#include "http/api/list_render.h"

#define LISTING_MAGIC 0x4c53544eu
#define PAGE_MAX      100000u

/* A question; every byte is compared, so it begins as zeros. */
struct question {
	char path[8]; /* tells it from the questions of other resources */
	struct list_wish wish;
	uint32_t from, limit;
};

/* Rows being rendered. */
struct listing {
	uint32_t magic;
	struct actor *actor;
	struct msg *rows; /* owned */
	struct list_render render;
};

static bool render_slice(void *ctx, struct json_out *o, size_t bytes)
{
	struct listing *l;

	CAST_OBJ(l, ctx, LISTING_MAGIC);
	return list_render_some(&l->render, o, bytes);
}

static void free_listing(void *ctx)
{
	struct listing *l;

	CAST_OBJ(l, ctx, LISTING_MAGIC);
	msg_free(l->actor, &l->rows);
	FREE_OBJ(l);
}

static void on_rows(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shared *s = shared_of(ctx);
	const struct question *q = shared_key(s);
	struct shared_source source = {.some = render_slice, .free = free_listing};
	struct listing *l;
	int64_t now = clock_wall_s();

	if (err != E_OK) {
		shared_fail(s, answer_status(err), err_words(err));
		return;
	}
	ALLOC_OBJ(l, LISTING_MAGIC);
	l->actor = a;
	l->rows = *m;
	*m = NULL;
	list_render_init(&l->render, MSG_AS(TORRENT_ROWS, l->rows), &q->wish, now);
	source.ctx = l;
	source.varying = list_render_varying(now);
	shared_make(s, &source);
}

/* --- the question --- */

bool list_param_fields(struct request *r, uint32_t *fields)
{
	return field_names_param(r, list_fields, "n,name,state", fields);
}

bool list_param_since(struct request *r, bool *given, struct list_point *seen)
{
	const char *since;

	if (!param_text(r, "since", &since))
		return false;
	*given = since != NULL;
	if (since == NULL || list_point_read(since, seen, NULL))
		return true;
	answer_text(r, 422,
		"parameter 'since' must be the epoch and the revision of an answer before, such as "
		"0123456789abcdef.42");
	return false;
}

static bool read_page(struct request *r, struct question *q)
{
	const char *cursor, *limit;
	uint64_t n = 0;

	if (!param_text(r, "cursor", &cursor) || !param_text(r, "limit", &limit) ||
		(limit != NULL && !param_count(r, "limit", &n)))
		return false;
	q->limit = (uint32_t)MIN(n, PAGE_MAX);
	q->wish.more = cursor != NULL;
	if (cursor == NULL)
		return true;
	if (q->wish.delta)
		answer_text(r, 422, "give 'since' or 'cursor', not both");
	else if (!list_point_read(cursor, &q->wish.seen, &q->from))
		answer_text(r, 422, "parameter 'cursor' must be the 'next' of the page before");
	else
		return true;
	return false;
}

void api_list(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_rows *m;
	struct question q;
	struct shared *s;

	memset(&q, 0, sizeof q);
	memcpy(q.path, "list", 4);
	if (!list_param_fields(r, &q.wish.fields) ||
		!list_param_since(r, &q.wish.delta, &q.wish.seen) || !read_page(r, &q))
		return;
	s = shared_ask(r, &q, sizeof q);
	if (s == NULL)
		return;
	m = msg_new(a, MSG_TORRENT_ROWS);
	m->of = q.wish.delta ? ROWS_SINCE : ROWS_PAGE;
	m->epoch = q.wish.seen.epoch;
	m->since = q.wish.seen.rev;
	m->else_page = true;
	m->from = q.from;
	m->limit = q.limit;
	msg_call(a, ADDR_SESSION, m, on_rows, s);
}
