/* SPDX-License-Identifier: MIT */
/*
 * Adding what is there already.
 *
 * A .torrent file is all that a magnet waits for: it completes it, with the trackers of both.  A
 * magnet link may know trackers that the torrent lacks, and files that are to be fetched after all
 * (BEP 53): both are taken, unless it is private, and the answer is that it is there already.  Who
 * asks by name for either, to have the trackers or to be told what it would bring, gets that.
 *
 * While the database is asked, the torrent's commands wait, and what comes from peers, so that
 * everything is carried out in the order in which it is stored.
 */
#include "actors/session/adding.h"

#include "actors/kernel/log.h"
#include "proto/base/priority.h"

/* --- answers --- */

static uint32_t count_trackers(const struct metainfo *m)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->tiers_n; i++)
		n += m->tiers[i].urls_n;
	return n;
}

/* Takes *m. */
static void refuse(struct torrent *t, const struct metainfo *meta, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct metainfo *joined = NULL;

	add->outcome = ADD_HERE;
	if (metainfo_join(t->meta, meta, &joined, NULL) == E_OK) {
		add->trackers_n = count_trackers(joined) - count_trackers(t->meta);
		metainfo_unref(&joined);
	}
	actor_reply(t->session->actor, m, E_EXISTS);
}

/* --- a .torrent file for a magnet --- */

/* Takes *m or answers it. */
static void complete(struct torrent *t, struct metainfo *meta, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	uint8_t *priority;
	enum err e = files_wish(meta, NULL, add->files, add->files_n, &priority, &add->why);

	xfree(priority);
	if (e == E_OK)
		e = metainfo_join(meta, t->meta, &t->found, NULL);
	if (e == E_OK && !torrent_found_fits(t, &add->why))
		e = E_EXISTS;
	if (e == E_OK)
		e = files_choose(t, add->files, add->files_n, &add->why);
	if (e != E_OK) {
		if (t->found != NULL)
			metainfo_unref(&t->found);
		actor_reply(t->session->actor, m, e);
		return;
	}
	add->outcome = ADD_COMPLETED;
	t->add = add;
	*m = NULL;
	torrent_found(t);
}

/* --- trackers and files for a torrent --- */

/* What a link adds to a torrent, while the database is asked. */
struct joining {
	uint32_t magic;
	struct torrent *t;
	struct msg *m;           /* owned: the m_torrent_add to answer */
	struct metainfo *meta;   /* reference: with more trackers */
	struct file_wish *files; /* owned: to be fetched after all */
	uint32_t files_n;
};
#define JOINING_MAGIC 0x4a4f494eu

static void free_joining(struct joining *j)
{
	metainfo_unref(&j->meta);
	xfree(j->files);
	FREE_OBJ(j);
}

/* The priorities after it, owned by the caller: who was skipped is not, others stay.  *changes: it
 * makes a difference. */
static uint8_t *enable_files(const struct torrent *t, const struct joining *j, bool *changes)
{
	uint32_t n = t->meta->files_n;
	const uint8_t *now = t->wishes.file_priority;
	uint8_t *list, *out;
	struct words why;

	*changes = false;
	if (now == NULL)
		return NULL;
	list = xmemdup(now, n);
	for (uint32_t i = 0; i < j->files_n; i++)
		for (uint32_t k = j->files[i].first; k < n && k <= j->files[i].last; k++)
			if (list[k] == PRIORITY_SKIP) {
				list[k] = PRIORITY_NORMAL;
				*changes = true;
			}
	must(files_wish(t->meta, list, NULL, 0, &out, &why) ==
		E_OK); /* NULL where all are normal */
	xfree(list);
	return out;
}

static void say_joined(struct m_torrent_add *add, bool trackers)
{
	snprintf(add->why.text, sizeof add->why.text, "already there%s",
		trackers ? "; the trackers of the link were added to it" : "");
}

/* Takes *m. */
static void answer_joined(struct torrent *t, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	bool merged = add->again == AGAIN_MERGE;

	torrent_tell_added(t, add, merged ? ADD_MERGED : ADD_HERE);
	actor_reply(t->session->actor, m, merged ? E_OK : E_EXISTS);
}

static void on_joined(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct joining *j;
	struct torrent *t;
	struct m_torrent_add *add;
	uint8_t *list;
	bool changes;

	CAST_OBJ(j, ctx, JOINING_MAGIC);
	t = j->t;
	add = MSG_AS(TORRENT_ADD, j->m);
	if (err != E_OK && m != NULL && *m != NULL)
		add->why = MSG_AS(STATE_META, *m)->why;
	if (err == E_OK) {
		say_joined(add, j->meta != t->meta);
		add->trackers_n = count_trackers(j->meta) - count_trackers(t->meta);
		torrent_take_meta(t, j->meta);
		if (t->meta->bare) {
			(void)files_choose(t, j->files, j->files_n, &add->why);
		} else {
			list = enable_files(t, j, &changes);
			if (changes)
				torrent_set_files(t, &list);
			xfree(list);
		}
	}
	if (err == E_OK)
		answer_joined(t, &j->m);
	else
		actor_reply(a, &j->m, err);
	free_joining(j);
	if (err != E_STOPPING)
		torrent_saved(t);
}

/* What the database is to have.  false: it has all of it. */
static bool fill_meta(const struct torrent *t, const struct joining *j, struct m_state_meta *put)
{
	if (t->meta->bare && j->files_n > 0) {
		put->choose = true;
		put->choice = files_choice_with(t, j->files, j->files_n, &put->choice_n);
	} else if (!t->meta->bare) {
		put->file_priority = enable_files(t, j, &put->choose);
		put->file_priority_n = put->file_priority != NULL ? t->meta->files_n : 0;
	}
	return put->choose || j->meta != t->meta;
}

/* The files that the link names; none: it says nothing of them, or is a file. */
static void read_files(struct joining *j, const struct metainfo *more)
{
	if (!more->bare)
		return;
	j->files = files_of_link(more, &j->files_n);
	if (j->files_n > 0)
		memmove(j->files, j->files + 1, --j->files_n * sizeof *j->files);
}

/* Takes *m or answers it. */
static void join(struct torrent *t, struct metainfo *more, struct msg **m)
{
	struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);
	struct m_state_meta *put;
	struct joining *j;
	struct msg *call;

	ALLOC_OBJ(j, JOINING_MAGIC);
	j->t = t;
	if (metainfo_join(t->meta, more, &j->meta, NULL) != E_OK)
		j->meta = metainfo_ref(t->meta);
	read_files(j, more);
	put = tell_meta_of(t, j->meta);
	call = &put->h;
	if (fill_meta(t, j, put) && files_may_choose(t, j->files, j->files_n, &add->why) == E_OK) {
		j->m = *m;
		*m = NULL;
		t->saving = true;
		actor_call_within(
			t->session->actor, ADDR_STATE, &call, STATE_TIMEOUT, on_joined, j);
		return;
	}
	msg_free(t->session->actor, &call);
	free_joining(j);
	answer_joined(t, m);
}

void session_add_again(struct torrent *old, struct metainfo *meta, struct msg **m)
{
	const struct m_torrent_add *add = MSG_AS(TORRENT_ADD, *m);

	CHECK_OBJ(old, TORRENT_MAGIC);
	if (old->saving || (old->add != NULL && old->meta->bare))
		deferred_push(&old->adds, m);
	else if (old->meta->bare && !meta->bare && old->found == NULL)
		complete(old, meta, m);
	else if (add->again == AGAIN_MERGE || (add->again == AGAIN_JOIN && add->is_link))
		join(old, meta, m);
	else
		refuse(old, meta, m);
}
