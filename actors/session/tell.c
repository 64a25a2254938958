/* SPDX-License-Identifier: MIT */
/*
 * What others are told of a torrent: one function a message.  Nothing is decided here.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"
#include "proto/meta/magnet.h"

/* --- the database --- */

static void on_noted(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	(void)a;
	(void)ctx;
	(void)m;
	if (err != E_OK && err != E_STOPPING)
		log_event(LOG_WARNING, "session_not_saved", "err=%s", err_name(err));
}

void tell_state(const struct torrent *t, enum state_key key, int64_t value)
{
	struct session *s;
	struct m_state_set *set;
	struct msg *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	s = t->session;
	set = msg_new(s->actor, MSG_STATE_SET);
	set->row = t->row;
	set->key = key;
	set->value = value;
	m = &set->h;
	actor_call_within(s->actor, ADDR_STATE, &m, STATE_TIMEOUT, on_noted, s);
}

struct m_state_meta *tell_meta_of(const struct torrent *t, const struct metainfo *meta)
{
	struct m_state_meta *put;

	CHECK_OBJ(t, TORRENT_MAGIC);
	put = msg_new(t->session->actor, MSG_STATE_META);
	put->row = t->row;
	put->meta = metainfo_ref(meta);
	put->discreet = t->wishes.discreet;
	return put;
}

void tell_meta(struct torrent *t, struct m_state_meta **put, actor_reply_f *fn)
{
	struct msg *m = &(*put)->h;

	CHECK_OBJ(t, TORRENT_MAGIC);
	*put = NULL;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, fn, t);
}

void tell_forget(struct torrent *t, actor_reply_f *fn)
{
	struct m_state_remove *remove;
	struct msg *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	remove = msg_new(t->session->actor, MSG_STATE_REMOVE);
	remove->row = t->row;
	m = &remove->h;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, fn, t);
}

void tell_shelve(struct torrent *t, actor_reply_f *fn)
{
	struct m_state_shelve *shelve;
	struct totals run;
	struct msg *m;

	CHECK_OBJ(t, TORRENT_MAGIC);
	run = torrent_run_totals(t);
	shelve = msg_new(t->session->actor, MSG_STATE_SHELVE);
	removed_describe(t, &shelve->what);
	shelve->downloaded = t->ever.downloaded + run.downloaded;
	shelve->uploaded = t->ever.uploaded + run.uploaded;
	shelve->wasted = t->ever.wasted + run.wasted;
	shelve->seeded = torrent_seeded(t);
	m = &shelve->h;
	actor_call_within(t->session->actor, ADDR_STATE, &m, STATE_TIMEOUT, fn, t);
}

/* --- the store --- */

static struct torrent_record copy_record(const struct torrent *t)
{
	struct torrent_record r = record_copy(t->record);

	/* What the torrent has taken out of it. */
	r.meta = metainfo_ref(t->meta);
	r.path = xstrdup(t->path);
	wishes_copy(&r.wishes, &t->wishes);
	return r;
}

void tell_open(const struct torrent *t, const char *root)
{
	struct session *s;
	struct m_store_open *open;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(root != NULL && t->record != NULL);
	s = t->session;
	open = msg_new(s->actor, MSG_STORE_OPEN);
	open->t = t->ref;
	open->root = xstrdup(root);
	open->make_root = strcmp(root, s->config->download_dir) == 0;
	open->record = copy_record(t);
	open->clean = s->clean;
	msg_send(s->actor, ADDR_STORE, open);
}

void tell_close(struct torrent *t, actor_reply_f *fn)
{
	struct m_store_close *close;

	CHECK_OBJ(t, TORRENT_MAGIC);
	close = msg_new(t->session->actor, MSG_STORE_CLOSE);
	close->t = t->ref;
	close->delete_data = t->removal == REMOVAL_DELETE;
	msg_call(t->session->actor, ADDR_STORE, close, fn, t);
}

void tell_check(const struct torrent *t)
{
	struct m_torrent *check;

	CHECK_OBJ(t, TORRENT_MAGIC);
	check = msg_new(t->session->actor, MSG_STORE_CHECK);
	check->t = t->ref;
	msg_send(t->session->actor, ADDR_STORE, check);
}

void tell_files(const struct torrent *t)
{
	struct m_store_files *f;

	CHECK_OBJ(t, TORRENT_MAGIC);
	f = msg_new(t->session->actor, MSG_STORE_FILES);
	f->t = t->ref;
	if (t->wishes.file_priority != NULL) {
		f->file_priority_n = t->wishes.file_priority_n;
		f->file_priority = xmemdup(t->wishes.file_priority, f->file_priority_n);
	}
	msg_send(t->session->actor, ADDR_STORE, f);
}

void tell_where(const struct session *s, const char *path, const struct metainfo *meta,
	struct whereabouts *out)
{
	const char *root;

	CHECK_OBJ(s, SESSION_MAGIC);
	root = session_root(s->config, path);
	/* What lies beneath no root is found nowhere. */
	out->root = xstrdup(root != NULL ? root : path);
	out->path = xstrdup(path);
	out->meta = metainfo_ref(meta);
}

uint16_t tell_worker_of(const struct session *s, const struct metainfo *meta)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	return (uint16_t)ADDR(ROLE_WORKER, meta->infohash.v1[1] % s->workers);
}

/* --- peers --- */

/* What peers can do with of them: who has no files has no wishes for any. */
static void copy_wishes(struct wishes *to, const struct torrent *t, bool bare)
{
	wishes_copy(to, &t->wishes);
	if (!bare)
		return;
	xfree(to->file_priority);
	to->file_priority = NULL;
	to->file_priority_n = 0;
}

void tell_attach(const struct torrent *t, bool active, struct m_store_ready *r)
{
	struct m_peers_add *add;

	CHECK_OBJ(t, TORRENT_MAGIC);
	add = msg_new(t->session->actor, MSG_PEERS_ADD);
	add->t = t->ref;
	add->meta = metainfo_ref(t->meta);
	if (r != NULL) {
		add->have = r->have;
		r->have = (struct bitfield){0};
		add->partials = r->partials;
		add->partials_n = r->partials_n;
		r->partials = NULL;
		r->partials_n = 0;
	}
	add->active = active;
	copy_wishes(&add->wishes, t, t->meta->bare);
	msg_send(t->session->actor, ADDR(ROLE_PEERS, t->ref.shard), add);
}

void tell_detach(struct torrent *t, actor_reply_f *fn)
{
	struct m_peers_remove *remove;

	CHECK_OBJ(t, TORRENT_MAGIC);
	remove = msg_new(t->session->actor, MSG_PEERS_REMOVE);
	remove->t = t->ref;
	msg_call(t->session->actor, ADDR(ROLE_PEERS, t->ref.shard), remove, fn, t);
}

void tell_peers(const struct torrent *t, bool active, bool no_download)
{
	struct m_peers_set *set;

	CHECK_OBJ(t, TORRENT_MAGIC);
	set = msg_new(t->session->actor, MSG_PEERS_SET);
	set->t = t->ref;
	set->active = active;
	set->no_download = no_download;
	copy_wishes(&set->wishes, t, t->told_bare);
	msg_send(t->session->actor, ADDR(ROLE_PEERS, t->ref.shard), set);
}

void tell_named(const struct torrent *t, struct slice link)
{
	struct m_peers_found *f;
	struct magnet g;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (magnet_parse((const char *)link.p, link.n, &g, NULL) != E_OK)
		return;
	f = msg_new(t->session->actor, MSG_PEERS_FOUND);
	f->t = t->ref;
	f->source = PEER_MANUAL;
	f->seeds = -1;
	f->peers = xcalloc(MAX(g.peers_n, 1u), sizeof *f->peers);
	for (uint32_t i = 0; i < g.peers_n; i++)
		if (g.peers[i].is_literal)
			f->peers[f->n++] = g.peers[i].at;
	magnet_fini(&g);
	msg_send(t->session->actor, ADDR(ROLE_PEERS, t->ref.shard), f);
}

/* --- trackers --- */

void tell_track(const struct torrent *t, bool active)
{
	struct m_tracker_add *add;

	CHECK_OBJ(t, TORRENT_MAGIC);
	add = msg_new(t->session->actor, MSG_TRACKER_ADD);
	add->t = t->ref;
	add->meta = metainfo_ref(t->meta);
	add->active = active;
	add->left = t->lacks;
	add->partial = t->left == 0 && t->lacks > 0;
	msg_send(t->session->actor, ADDR_TRACKER, add);
}

void tell_tracker(const struct torrent *t, enum tracker_op op)
{
	struct m_tracker_event *event;

	CHECK_OBJ(t, TORRENT_MAGIC);
	event = msg_new(t->session->actor, MSG_TRACKER_EVENT);
	event->t = t->ref;
	event->op = op;
	event->downloaded = t->now.downloaded;
	event->uploaded = t->now.uploaded;
	event->left = t->lacks;
	event->partial = t->left == 0 && t->lacks > 0;
	msg_send(t->session->actor, ADDR_TRACKER, event);
}

void tell_trackers(const struct torrent *t, const struct metainfo *meta)
{
	struct m_tracker_edit *edit;

	CHECK_OBJ(t, TORRENT_MAGIC);
	edit = msg_new(t->session->actor, MSG_TRACKER_EDIT);
	edit->t = t->ref;
	edit->meta = metainfo_ref(meta);
	msg_send(t->session->actor, ADDR_TRACKER, edit);
}

void tell_web_seeds(const struct torrent *t, bool active)
{
	struct m_webseed_set *set;

	CHECK_OBJ(t, TORRENT_MAGIC);
	set = msg_new(t->session->actor, MSG_WEBSEED_SET);
	set->t = t->ref;
	set->meta = active ? metainfo_ref(t->meta) : NULL;
	msg_send(t->session->actor, ADDR_WEBSEED, set);
}
