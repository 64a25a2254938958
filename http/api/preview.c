/* SPDX-License-Identifier: MIT */
/*
 * Previews: what a link or a .torrent is, before it is added.
 *
 * Made from a magnet link, an info-hash or a file; then asked for by its id until it is ready.  The
 * answer may list very many files, so it is written a slice at a time, and shared.
 */
#include "http/api/priv.h"

#define LOOK_MAGIC 0x50564c4bu

static const char *const state_words[] =
	{[PREVIEW_RESOLVING] = "resolving", [PREVIEW_READY] = "ready", [PREVIEW_FAILED] = "failed"};

/* --- a new one --- */

static void put_id(struct json_out *o, const struct m_preview *m)
{
	char id[20];

	snprintf(id, sizeof id, "%016llx", (unsigned long long)m->id);
	json_out_put(o, "id", text, id);
	json_out_key(o, "hash");
	json_out_hex(o, m->meta->infohash.v1, sizeof m->meta->infohash.v1);
	json_out_put(o, "name", text, m->meta->name);
	json_out_put(o, "duplicate", bool, m->duplicate);
	json_out_put(o, "state", text, state_words[m->state]);
}

static void say_made(struct request *r, const struct m_preview *m)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	put_id(&o, m);
	json_out_close(&o, '}');
	answer_json(r, 201, &o);
}

static void on_made(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_preview *p = m != NULL ? MSG_AS(PREVIEW_ADD, *m) : NULL;

	(void)a;
	if (p != NULL && err == E_OK)
		say_made(r, p);
	else if (p != NULL && err == E_OVERLOAD)
		answer_problem(r, 503, "too_many_previews",
			"%u previews are being looked at: add or close one first", PREVIEWS_MAX);
	else if (p != NULL && err == E_SYNTAX)
		answer_problem(r, 422, "bad_torrent", "%s", p->why.text);
	else
		answer_err(r, err, p != NULL ? p->why.text : NULL);
	request_resume(r);
}

/* false: answered. */
static bool read_source(struct request *r, struct m_preview *m)
{
	const char *source, *file;

	if (!param_json(r) || !param_text(r, "source", &source) || !param_text(r, "file", &file))
		return false;
	if ((source != NULL) == (file != NULL)) {
		answer_text(r, 422,
			"one of 'source' (a magnet link or an info-hash) and 'file' (a .torrent in "
			"base64) must be there");
		return false;
	}
	m->source = source != NULL ? PREVIEW_LINK : PREVIEW_FILE;
	if (file != NULL)
		return api_read_base64(r, file, &m->body, &m->body_n);
	m->body_n = strlen(source);
	m->body = xmemdup(source, m->body_n);
	return true;
}

void api_preview_make(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_preview *m = msg_new(a, MSG_PREVIEW_ADD);
	struct msg *h = &m->h;
	bool raw = api_is_torrent(r);

	if ((!raw && !read_source(r, m)) || !request_may_wait(r)) {
		msg_free(a, &h);
		return;
	}
	if (raw)
		m->body = request_body_take(r, &m->body_n);
	request_suspend(r);
	actor_call(a, ADDR_SESSION, &h, on_made, r);
}

/* --- how it stands --- */

/* One being written. */
struct preview_look {
	uint32_t magic;
	struct actor *actor;
	struct msg *m; /* owned: the m_preview */
	bool begun;
	uint32_t file; /* the next one */
};

static void put_trackers(struct json_out *o, const struct metainfo *meta)
{
	json_out_key(o, "trackers");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < meta->tiers_n; i++)
		for (uint32_t k = 0; k < meta->tiers[i].urls_n; k++)
			json_out_text(o, meta->tiers[i].urls[k]);
	json_out_close(o, ']');
}

static void put_failure(struct json_out *o, const struct m_preview *m)
{
	json_out_put(o, "code", text, m->failure == E_SYNTAX ? "bad_torrent" : "removed");
	json_out_put(o, "detail", text, m->why.text);
}

/* Up to the list of files, which is left open. */
static void put_head(struct json_out *o, const struct m_preview *m)
{
	const struct metainfo *meta = m->meta;

	json_out_open(o, '{');
	put_id(o, m);
	if (m->state == PREVIEW_FAILED)
		put_failure(o, m);
	json_out_key(o, "peers");
	json_out_open(o, '{');
	json_out_put(o, "asked", uint, m->known);
	json_out_put(o, "answered", uint, m->answered);
	json_out_close(o, '}');
	put_trackers(o, meta);
	json_out_key(o, "created");
	if (meta->creation_date != 0)
		json_out_int(o, meta->creation_date);
	else
		json_out_null(o);
	json_out_put(o, "comment", text, meta->comment);
	if (!meta->bare) {
		json_out_put(o, "private", bool, meta->is_private);
		json_out_put(o, "size", uint, meta->size);
		json_out_put(o, "piece_length", uint, meta->piece_length);
		json_out_put(o, "pieces", uint, meta->pieces);
	}
	json_out_key(o, "files");
	json_out_open(o, '[');
}

/* By the number that wishes for files go by; pad files are nobody's business. */
static void put_file(struct json_out *o, const struct metainfo *meta, uint32_t i)
{
	const struct metainfo_file *f = &meta->files[i];

	if (f->pad)
		return;
	json_out_open(o, '{');
	json_out_put(o, "i", uint, i);
	json_out_put(o, "path", text, f->path);
	json_out_put(o, "size", uint, f->length);
	json_out_close(o, '}');
}

static bool write_slice(void *ctx, struct json_out *o, size_t bytes)
{
	const struct m_preview *m;
	struct preview_look *l;
	size_t from = o->n;

	CAST_OBJ(l, ctx, LOOK_MAGIC);
	m = MSG_AS(PREVIEW_VIEW, l->m);
	if (!l->begun)
		put_head(o, m);
	l->begun = true;
	while (l->file < m->meta->files_n && o->n - from < bytes)
		put_file(o, m->meta, l->file++);
	if (l->file < m->meta->files_n)
		return false;
	json_out_close(o, ']');
	json_out_close(o, '}');
	return true;
}

static void free_look(void *ctx)
{
	struct preview_look *l;

	CAST_OBJ(l, ctx, LOOK_MAGIC);
	msg_free(l->actor, &l->m);
	FREE_OBJ(l);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shared *s = shared_of(ctx);
	struct shared_source source = {.some = write_slice, .free = free_look};
	struct preview_look *l;

	if (err == E_NOT_FOUND) {
		shared_fail(s, 404, "no preview has this id: they end after five minutes");
		return;
	}
	if (err != E_OK || m == NULL) {
		shared_fail(s, answer_status(err), err_words(err));
		return;
	}
	ALLOC_OBJ(l, LOOK_MAGIC);
	l->actor = a;
	l->m = *m;
	*m = NULL;
	source.ctx = l;
	shared_make(s, &source);
}

void api_preview(struct request *r)
{
	struct {
		char what[16];
		uint64_t id;
	} key = {.what = "preview"};
	struct m_preview *m;
	struct shared *s;

	if (!api_read_preview(r, "id", &key.id))
		return;
	s = shared_ask(r, &key, sizeof key);
	if (s == NULL)
		return;
	m = msg_new(request_actor(r), MSG_PREVIEW_VIEW);
	m->id = key.id;
	msg_call(request_actor(r), ADDR_SESSION, m, on_view, s);
}

/* --- its end --- */

static void on_dropped(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);

	(void)a;
	(void)m;
	if (err == E_OK)
		answer_nothing(r);
	else
		answer_err(r, err, err == E_NOT_FOUND ? "no preview has this id" : NULL);
	request_resume(r);
}

void api_preview_drop(struct request *r)
{
	struct m_preview *m;
	uint64_t id;

	if (!api_read_preview(r, "id", &id) || !request_may_wait(r))
		return;
	m = msg_new(request_actor(r), MSG_PREVIEW_DROP);
	m->id = id;
	request_suspend(r);
	msg_call(request_actor(r), ADDR_SESSION, m, on_dropped, r);
}
