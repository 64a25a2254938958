/* SPDX-License-Identifier: MIT */
/*
 * A torrent gets another metainfo: the whole one after that of its magnet link, or more trackers.
 *
 * It is written to the database before anything comes of it, so that it is never fetched twice, and
 * what was wished of the files when they were not known is carried out.  Where another torrent has
 * the place, it is kept beside the link, until the place is free.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "actors/session/tracker_list.h"

bool torrent_found_fits(const struct torrent *t, struct words *why)
{
	struct torrent *owner;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->found != NULL && !t->targeted);
	return !target_is_taken(t->session, t->path, t->found->name, &owner, why);
}

/* What the store and the database are to know of it: nothing yet. */
static void renew_record(struct torrent *t)
{
	struct torrent_record *r = t->record;

	must(r != NULL);
	bitfield_free(&r->synced);
	bitfield_init(&r->synced, t->meta->pieces);
	r->fresh = true;
}

static void log_found(const struct torrent *t)
{
	log_event(LOG_INFO, "torrent_found", "ih=%s bytes=%zu files=%u private=%d",
		infohash_name(t->meta->infohash.v1).text, t->meta->info.n, t->meta->files_n,
		t->meta->is_private);
}

static void use_found(struct torrent *t)
{
	enum discreet before = t->wishes.discreet;
	bool told = t->told_wishes;
	uint8_t *priority;

	metainfo_unref(&t->meta);
	t->meta = t->found;
	t->found = NULL;
	log_found(t);
	target_link(t);
	renew_record(t);
	priority = files_chosen(t, t->meta);
	xfree(t->choice);
	t->choice = NULL;
	t->choice_n = 0;
	/* From this moment on nobody but trackers and people may name peers of a private one. */
	if (t->meta->is_private)
		t->wishes.discreet = DISCREET_ON;
	else if (t->wishes.discreet == DISCREET_UNTIL_KNOWN)
		t->wishes.discreet = DISCREET_OFF;
	torrent_set_files(t, &priority);
	/* Peers hear of the files when they get them, but of strangers at once. */
	t->told_wishes = told && t->wishes.discreet == before;
}

/* --- the database --- */

/* Whoever brought it learns what became of it. */
static void answer_finder(struct torrent *t, enum err e, const struct words *why)
{
	struct msg *m = t->add != NULL ? &t->add->h : NULL;

	if (m == NULL)
		return;
	if (why != NULL)
		t->add->why = *why;
	t->add->epoch = t->session->revisions.epoch;
	t->add->rev = torrent_settle_row(t);
	t->add = NULL;
	actor_reply(t->session->actor, &m, e);
}

static void on_kept_aside(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	(void)m;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	t->found_kept = err == E_OK;
}

/* Its place may be free one day, after a restart too. */
static void keep_aside(struct torrent *t)
{
	struct m_state_meta *put;

	if (t->found_kept)
		return;
	t->found_kept = true;
	put = tell_meta_of(t, t->found);
	put->aside = true;
	tell_meta(t, &put, on_kept_aside);
}

bool torrent_take_found(struct torrent *t)
{
	struct words why;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->meta->bare && t->found != NULL);
	if (torrent_found_fits(t, &why)) {
		use_found(t);
		return true;
	}
	answer_finder(t, E_EXISTS, &why);
	keep_aside(t);
	torrent_set_error(t, E_EXISTS, why.text);
	return false;
}

void torrent_keep(struct torrent *t, actor_reply_f *fn)
{
	struct m_state_meta *put;

	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->keeping)
		return;
	t->keeping = true;
	put = tell_meta_of(t, t->meta);
	put->choose = true;
	if (t->wishes.file_priority != NULL) {
		put->file_priority_n = t->wishes.file_priority_n;
		put->file_priority = xmemdup(t->wishes.file_priority, put->file_priority_n);
	}
	tell_meta(t, &put, fn);
}

bool torrent_kept(struct torrent *t, enum err err, const struct m_state_meta *m)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->keeping = false;
	answer_finder(t, err, m != NULL ? &m->why : NULL);
	if (err == E_STOPPING || t->phase != TPHASE_KEEPING)
		return false;
	if (err != E_OK) {
		torrent_set_error(t, err, m != NULL ? m->why.text : "");
		session_retry_later(t->session, &t->retry, &t->retry_after);
		return false;
	}
	t->retry_after = 0;
	torrent_clear_error(t);
	return true;
}

/* --- other trackers --- */

void torrent_take_meta(struct torrent *t, struct metainfo *meta)
{
	struct metainfo *named = NULL;

	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->meta->bare == meta->bare);
	if (t->names != NULL && t->names[0] != '\0' &&
		metainfo_renamed(meta, t->names, &named) == E_OK)
		meta = named;
	if (t->tracked && !trackers_same(t->meta, meta))
		tell_trackers(t, meta);
	metainfo_unref(&t->meta);
	t->meta = metainfo_ref(meta);
	if (named != NULL)
		metainfo_unref(&named);
	torrent_mark(t);
}
