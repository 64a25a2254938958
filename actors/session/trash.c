/* SPDX-License-Identifier: MIT */
/*
 * The trash: a directory .trash on the volume of the torrent's files, where they wait for a while
 * in one of the torrent's info-hash.
 *
 * It lies in the download root; where the root is on another volume, in the target directory.
 * Files only ever get other names: what would have to be copied stays where it is.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "proto/base/encode.h"

static const char trash_name[] = "/.trash";

/* Owned by the caller. */
static char *trash_beneath(const struct torrent *t, const char *dir)
{
	char hex[41];
	size_t n = strlen(dir) + sizeof trash_name + sizeof hex + 1;
	char *path = xcalloc(1, n);

	hex_encode(t->meta->infohash.v1, 20, hex);
	snprintf(path, n, "%s%s/%s", strcmp(dir, "/") == 0 ? "" : dir, trash_name, hex);
	return path;
}

uint32_t trash_made(const char *trash)
{
	return (uint32_t)MIN(strlen(trash), sizeof trash_name - 1 + 1 + 40);
}

/* --- there --- */

static void ask(struct torrent *t);

static void on_trashed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	const struct m_worker_shift *shift =
		m != NULL && *m != NULL ? MSG_AS(WORKER_SHIFT, *m) : NULL;
	struct torrent *t;
	char *beside;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return; /* the next run finishes it */
	beside = trash_beneath(t, t->path);
	if (err == E_OTHER_VOLUME && strcmp(beside, t->trash) != 0) {
		xfree(t->trash);
		t->trash = beside;
		ask(t);
		return;
	}
	xfree(beside);
	if (err != E_OK)
		log_event(LOG_WARNING, "torrent_data_not_trashed", "ih=%s err=%s text=\"%s\"",
			infohash_name(t->meta->infohash.v1).text, err_name(err),
			shift != NULL ? shift->why.text : "");
	/* Else some may be there, some here: both are looked at when it comes back. */
	if (err != E_OK && (shift == NULL || shift->back)) {
		xfree(t->trash);
		t->trash = NULL;
	}
	t->session->step(t, TEVENT_TRASHED);
}

static void ask(struct torrent *t)
{
	struct session *s = t->session;
	struct m_worker_shift *m = msg_new(s->actor, MSG_WORKER_SHIFT);

	tell_where(s, t->path, t->meta, &m->from);
	tell_where(s, t->trash, t->meta, &m->to);
	m->made = t->record != NULL ? t->record->made : 0;
	m->resumed = true; /* the place is the torrent's own */
	msg_call(s->actor, tell_worker_of(s, t->meta), m, on_trashed, t);
}

bool torrent_trash(struct torrent *t)
{
	const char *root;

	CHECK_OBJ(t, TORRENT_MAGIC);
	root = session_root(t->session->config, t->path);
	if (t->removal != REMOVAL_TRASH || t->meta->bare || root == NULL)
		return false;
	t->trash = trash_beneath(t, root);
	ask(t);
	return true;
}

/* --- and back --- */

void trash_bring_back(struct session *s, const struct shelved *r, const struct metainfo *meta,
	actor_reply_f *fn, void *ctx)
{
	struct m_worker_shift *m;

	CHECK_OBJ(s, SESSION_MAGIC);
	m = msg_new(s->actor, MSG_WORKER_SHIFT);
	must(r->trash != NULL);
	tell_where(s, r->trash, meta, &m->from);
	tell_where(s, r->path, meta, &m->to);
	m->made = trash_made(r->trash);
	m->resumed = true;
	msg_call(s->actor, tell_worker_of(s, meta), m, fn, ctx);
}

/* --- what there is --- */

static void on_looked(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct msg *held;
	struct m_torrent_data *d;

	CAST_OBJ(held, ctx, MSG_MAGIC);
	d = MSG_AS(TORRENT_DATA, held);
	if (err == E_OK) {
		d->bytes = MSG_AS(WORKER_LOOK, *m)->bytes;
		d->device = MSG_AS(WORKER_LOOK, *m)->device;
	}
	actor_reply(a, &held, err);
}

void session_on_data(struct actor *a, struct msg **pm)
{
	struct session *s = session_of(a);
	struct m_torrent_data *d = MSG_AS(TORRENT_DATA, *pm);
	struct m_worker_look *look;
	struct torrent *t;

	if (session_defer_early(s, pm))
		return;
	t = torrent_find(s, d->infohash);
	if (t == NULL || !torrent_listed(t)) {
		actor_reply(a, pm, E_NOT_FOUND);
		return;
	}
	if (t->meta->bare || session_root(s->config, t->path) == NULL) {
		actor_reply(a, pm, E_OK);
		return;
	}
	d->trash = s->config->trash_keep > 0;
	look = msg_new(a, MSG_WORKER_LOOK);
	tell_where(s, t->path, t->meta, &look->at);
	msg_call(a, tell_worker_of(s, t->meta), look, on_looked, *pm);
	*pm = NULL;
}
