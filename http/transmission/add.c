/* SPDX-License-Identifier: MIT */
/*
 * torrent-add: a .torrent file in base64, or a magnet link; the answer has the torrent's number and
 * name, which the session is asked for when it is stored.
 */
#include <strings.h>

#include "actors/kernel/clock.h"
#include "http/transmission/ids.h"
#include "http/transmission/set.h"
#include "proto/base/encode.h"
#include "proto/base/priority.h"

#define ADDING_MAGIC 0x41444430u

/* What the session said, until it is known what to tell of it. */
struct adding {
	uint32_t magic;
	enum err err;
	struct words why;
};

static void free_adding(void **p)
{
	struct adding *one;

	CAST_OBJ(one, *p, ADDING_MAGIC);
	*p = NULL;
	FREE_OBJ(one);
}

/* --- the answer --- */

static void put_added(struct rcall *c, const struct torrent_view *t, bool is_old)
{
	struct tids *ids = rcall_rpc(c)->ids;
	struct json_out *o = &c->out;

	tids_sync(ids, t, 1, false, clock_wall_s());
	rcall_key(o, c->snake, is_old ? "torrent-duplicate" : "torrent-added",
		is_old ? "torrent_duplicate" : "torrent_added");
	json_out_open(o, '{');
	rcall_key(o, c->snake, "hashString", "hash_string");
	json_out_hex(o, t->infohash, 20);
	json_out_put(o, "id", uint, t->n);
	json_out_put(o, "name", text, t->meta->name);
	json_out_close(o, '}');
}

static bool is_corrupt(enum err e)
{
	static const enum err errors[] = {E_SYNTAX, E_TRUNCATED, E_TOO_BIG, E_TOO_DEEP, E_TRAILING,
		E_MISSING, E_TYPE, E_BADHASH};

	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i] == e)
			return true;
	return false;
}

static void end_failed(struct rcall *c, enum err e, const struct words *why)
{
	if (is_corrupt(e))
		rcall_end(c, RPC_CORRUPT, "invalid or corrupt torrent file: %s",
			why->text[0] != '\0' ? why->text : err_words(e));
	else
		rcall_end_err(c, e, why->text);
}

/* "Already there" may also mean that another torrent has its place. */
static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct adding *one;
	struct words why;

	(void)a;
	CAST_OBJ(one, c->work, ADDING_MAGIC);
	if (err == E_OK && m != NULL) {
		put_added(c, &MSG_AS(TORRENT_VIEW, *m)->torrents[0], one->err == E_EXISTS);
		rcall_done(c);
		return;
	}
	why = one->why;
	end_failed(c, one->err != E_OK ? one->err : err, &why);
}

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct m_torrent_add *add = m != NULL ? MSG_AS(TORRENT_ADD, *m) : NULL;
	struct words why = {""};
	struct m_torrent_view *view;
	struct adding *one;

	if (add != NULL)
		why = add->why;
	shared_changed(a);
	if (add == NULL || (err != E_OK && err != E_EXISTS)) {
		end_failed(c, err, &why);
		return;
	}
	ALLOC_OBJ(one, ADDING_MAGIC);
	one->err = err;
	one->why = why;
	c->work = one;
	c->work_free = free_adding;
	view = msg_new(a, MSG_TORRENT_VIEW);
	memcpy(view->infohash, add->infohash, sizeof view->infohash);
	msg_call(a, ADDR_SESSION, view, on_view, c);
}

/* --- the request --- */

/* false: the call has ended. */
static bool read_metainfo(struct rcall *c, const char *text, struct m_torrent_add *m)
{
	size_t n = strlen(text);

	m->body = xcalloc(1, base64_room(n) + 1);
	m->body_n = base64_decode(text, n, m->body);
	if (m->body_n > 0)
		return true;
	rcall_end(c, RPC_CORRUPT, "invalid or corrupt torrent file: metainfo is not base64");
	return false;
}

static bool is_hash(const char *text)
{
	uint8_t hash[20];

	return hex_decode(text, strlen(text), hash, sizeof hash) ||
	       (strlen(text) == 32 && base32_decode(text, 32, hash, sizeof hash));
}

/* A server that a stranger names is not fetched from, and a file of this machine is not read: the
 * client sends what is in it. */
static bool read_filename(struct rcall *c, const char *name, struct m_torrent_add *m)
{
	if (strncasecmp(name, "magnet:", 7) == 0 || is_hash(name)) {
		m->is_link = true;
		m->body_n = strlen(name);
		m->body = xmemdup(name, m->body_n);
		return true;
	}
	rcall_end(c, RPC_UNKNOWN_INFO,
		"unrecognized info: filename must be a magnet link; send what is in a .torrent "
		"file "
		"as metainfo");
	return false;
}

static bool read_content(struct rcall *c, struct m_torrent_add *m)
{
	const char *metainfo = rcall_text(c, "metainfo"), *name = rcall_text(c, "filename");

	if (metainfo != NULL && metainfo[0] != '\0')
		return read_metainfo(c, metainfo, m);
	if (name != NULL && name[0] != '\0')
		return read_filename(c, name, m);
	rcall_end(c, RPC_PARAMS, "no filename or metainfo specified");
	return false;
}

static bool read_files(struct rcall *c, struct m_torrent_add *m)
{
	static const struct {
		const char *name;
		uint8_t priority;
	} lists[] = {
		{"priority_low", PRIORITY_LOW},
		{"priority_normal", PRIORITY_NORMAL},
		{"priority_high", PRIORITY_TOP},
		{"files_unwanted", PRIORITY_SKIP},
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (!rcall_files(c, lists[i].name, lists[i].priority, &m->files, &m->files_n)) {
			rcall_end(c, RPC_FILE_RANGE, "file index out of range");
			return false;
		}
	return true;
}

/* false: the call has ended. */
static bool read_add(struct rcall *c, struct m_torrent_add *m)
{
	const char *path = rcall_text(c, "download_dir"), *why = set_fixed(c);
	char *labels;

	if (why != NULL) {
		rcall_end(c, RPC_PARAMS, "%s", why);
		return false;
	}
	if (!rcall_labels(c, &labels)) {
		rcall_end(c, RPC_PARAMS, "%s", set_bad_labels);
		return false;
	}
	m->wishes.labels = label_new(labels);
	xfree(labels);
	if (path != NULL && path[0] != '/' && path[0] != '\0') {
		rcall_end(c, RPC_NOT_ABSOLUTE, "download directory path is not absolute");
		return false;
	}
	m->path = path != NULL && path[0] != '\0' ? xstrdup(path) : NULL;
	m->start = !rcall_bool(c, "paused", false);
	m->wishes.sequential = rcall_bool(c, "sequential_download", false);
	return read_content(c, m) && read_files(c, m);
}

void add_torrent(struct rcall *c)
{
	struct actor *a = rcall_rpc(c)->actor;
	struct m_torrent_add *m = msg_new(a, MSG_TORRENT_ADD);
	struct msg *h = &m->h;

	/* The call, which a mistake ends, is not looked at any more then. */
	if (read_add(c, m))
		msg_call(a, ADDR_SESSION, m, on_added, c);
	else
		msg_free(a, &h);
}
