/* SPDX-License-Identifier: MIT */
/*
 * The content of a file of a torrent, read by the workers a run at a time: to be watched, or saved
 * elsewhere.
 *
 * Only verified bytes leave.  Of a file that is not complete a range is answered as far as it is
 * there; the whole is refused.  What strangers have made must not act in the name of this origin:
 * only sound, moving and still pictures are shown by a browser, all else it saves.
 */
#include "http/api/priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "http/server/pour.h"
#include "http/server/range.h"
#include "proto/base/encode.h"
#include "proto/meta/layout.h"

/* What a browser makes around a picture or sound loads that again, and has styles of its own. */
#define POLICY                                                                                     \
	"default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; "        \
	"frame-ancestors 'none'"

#define CONTENT_MAGIC 0x434f4e54u

struct content {
	uint32_t magic;
	struct actor *actor;
	struct tref ref;
	struct layout layout;
	unsigned workers;
	uint64_t base;     /* of the answer's first byte, in the torrent's content */
	struct pour *pour; /* that waits for a run; NULL: none */
};

/* --- runs --- */

static void on_run(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct content *c;
	struct pour *pour;
	struct m_content *run;
	uint8_t *data;

	(void)a;
	CAST_OBJ(c, ctx, CONTENT_MAGIC);
	pour = c->pour;
	c->pour = NULL;
	if (err != E_OK || m == NULL) {
		pour_fail(pour);
		return;
	}
	run = MSG_AS(CONTENT_READ, *m);
	data = run->data;
	run->data = NULL;
	pour_give(pour, data, run->length);
}

static void want_run(void *ctx, struct pour *pour, uint64_t at, size_t n)
{
	struct content *c;
	struct m_content *run;
	uint64_t offset;

	CAST_OBJ(c, ctx, CONTENT_MAGIC);
	offset = c->base + at;
	run = msg_new(c->actor, MSG_CONTENT_READ);
	run->t = c->ref;
	run->piece = (uint32_t)(offset / c->layout.piece_length);
	run->begin = (uint32_t)(offset % c->layout.piece_length);
	run->length =
		(uint32_t)MIN((uint64_t)n, layout_piece_size(&c->layout, run->piece) - run->begin);
	run->data = xrealloc(NULL, run->length); /* all of it is written, or it is not looked at */
	c->pour = pour;
	msg_call(c->actor, ADDR(ROLE_WORKER, tref_worker(run->t, run->piece, c->workers)), run,
		on_run, c);
}

static void content_free(void *ctx)
{
	struct content *c;

	CAST_OBJ(c, ctx, CONTENT_MAGIC);
	actor_cancel_calls(c->actor, c);
	FREE_OBJ(c);
}

/* --- the answer --- */

/* Bytes of the file from `at` on that are verified, n at most. */
static uint64_t verified(const struct torrent_view *t, uint64_t file, uint64_t at, uint64_t n)
{
	uint64_t offset = file + at, end = offset + n;

	for (uint64_t piece = offset / t->piece_length; piece * t->piece_length < end; piece++)
		if (piece >= t->bits || !bits_get(t->bitfield, (uint32_t)piece))
			return MAX(piece * t->piece_length, offset) - offset;
	return n;
}

static void answer_incomplete(struct request *r, uint64_t there, uint64_t length)
{
	answer_problem(r, 409, "incomplete",
		"these bytes are not all here yet: %llu of %llu from there on are verified",
		(unsigned long long)there, (unsigned long long)length);
}

static void pour_part(struct request *r, const struct torrent_view *t,
	const struct metainfo_file *f, unsigned status, uint64_t from, uint64_t n)
{
	const char *type = media_type_of(f->path);
	struct content *c;
	struct pour_source source = {.want = want_run, .free = content_free};
	bool save;

	if (!param_bool(r, "save", false, &save))
		return;
	ALLOC_OBJ(c, CONTENT_MAGIC);
	c->actor = request_actor(r);
	c->ref = t->ref;
	c->layout = layout_of_metainfo(t->meta);
	c->workers = request_workers(r);
	c->base = f->offset + from;
	source.ctx = c;
	answer_policy(r, POLICY);
	api_name_file(r, f->path, "", save || type == NULL);
	pour_open(r, &source, status, type != NULL ? type : "application/octet-stream", n);
}

/* The file is known, and may be looked at. */
static void answer_file(struct request *r, const struct torrent_view *t, uint32_t file)
{
	const struct metainfo_file *f = &t->meta->files[file];
	uint64_t from = 0, n = f->length, there;
	enum range range = RANGE_ALL;
	char hex[41], tag[64];

	hex_encode(t->infohash, 20, hex);
	snprintf(tag, sizeof tag, "\"%s-%u\"", hex, file);
	/* What the client has of it already counts only if it is the same. */
	if (request_header(r, "If-Range") == NULL ||
		tag_is_named(request_header(r, "If-Range"), tag))
		range = range_parse(request_header(r, "Range"), f->length, &from, &n);
	if (range == RANGE_NONE) {
		answer_header(r, "Content-Range", "bytes */%llu", (unsigned long long)f->length);
		answer_problem(r, 416, "no_such_range", "the file has %llu bytes",
			(unsigned long long)f->length);
		return;
	}
	there = verified(t, f->offset, from, n);
	if (there < n && (range == RANGE_ALL || there == 0)) {
		answer_incomplete(r, there, n);
		return;
	}
	answer_header(r, "ETag", "%s", tag);
	answer_header(r, "Accept-Ranges", "bytes");
	if (range == RANGE_PART)
		answer_header(r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)from,
			(unsigned long long)(from + there - 1), (unsigned long long)f->length);
	pour_part(r, t, f, range == RANGE_PART ? 206 : 200, from, there);
}

static void answer_view(struct request *r, const struct torrent_view *t)
{
	uint64_t file;

	if (!param_index(r, "file", &file))
		return;
	if (t->meta->bare)
		answer_problem(r, 409, "no_metadata", "the list of files is not known yet");
	else if (file >= t->meta->files_n || t->meta->files[file].pad ||
		 t->meta->files[file].symlink != NULL)
		answer_problem(r, 404, "no_such_file", "the torrent has no file of that number");
	else
		answer_file(r, t, (uint32_t)file);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_torrent_view *v = m != NULL ? MSG_AS(TORRENT_VIEW, *m) : NULL;

	(void)a;
	if (err == E_OK && v != NULL && v->torrents_n == 1)
		answer_view(r, &v->torrents[0]);
	else if (err == E_NOT_FOUND)
		answer_text(r, 404, "no torrent with this infohash");
	else
		answer_err(r, err != E_OK ? err : E_NOT_FOUND, NULL);
	request_resume(r);
}

void api_content(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_view *m;
	uint8_t infohash[20];
	uint64_t file;
	bool save;

	if (!param_infohash(r, infohash) || !param_index(r, "file", &file) ||
		!param_bool(r, "save", false, &save) || !request_may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	memcpy(m->infohash, infohash, sizeof m->infohash);
	m->parts = VIEW_BITFIELDS;
	request_suspend(r);
	msg_call(a, ADDR_SESSION, m, on_view, r);
}
