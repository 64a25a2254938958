/* SPDX-License-Identifier: MIT */
/*
 * The life of a torrent: phases, what moves it from one to the next, and what is done on the way.
 *
 *   ADDING > WAITING > OPENING > READY
 *   ADDING > METADATA > KEEPING > WAITING       a magnet: only its link is known at first
 *   ADDING > LOOKING > ADDING, PARTING > GONE   looked at by a preview, and added or not
 *   METADATA, KEEPING > FAILED > METADATA       what came is no torrent, or has no place
 *   READY > DETACHING > CHECKING > READY        its files are looked at again
 *   OPENING, CHECKING, WAITING > FAILED         they cannot be used
 *   FAILED > CHECKING, WAITING, REOPENING > WAITING
 *   READY > LIFTING > SHUTTING > SHIFTING > WAITING   its files get another place
 *   removed: all that are listed > LEAVING > CLOSING > TRASHING > FORGETTING > GONE
 *            REOPENING > DROPPING > LEAVING, ADDING > CLOSING
 *
 * torrent_step() is the only place where the phase changes.  An action is called in the new phase
 * and may return the event that follows from what it found; that is the next round of a loop, so
 * no action calls another step.  What is not in the table cannot happen.
 *
 * A removal is first marked in the database, then carried out, so that the next run finishes it
 * when this one dies: peers let go, trackers forget, the store closes and perhaps deletes.  The row
 * goes last, when nothing is left to finish.
 *
 * Peers have a magnet by its bare metainfo, from METADATA on until it is READY, so that connections
 * and candidates outlive the moment in which it becomes whole.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"
#include "proto/base/encode.h"

/* --- into use --- */

static enum torrent_event enqueue(struct torrent *t)
{
	struct session *s = t->session;

	link_remove(&t->line);
	if (s->loading || t->unasked)
		link_append(&s->to_open, &t->line);
	else
		link_prepend(&s->to_open, &t->line);
	return TEVENT_NONE;
}

static enum torrent_event open_files(struct torrent *t)
{
	struct session *s = t->session;

	link_remove(&t->line);
	s->opening++;
	t->in_store = true;
	t->checked = 0;
	tell_open(t, session_root(s->config, t->path));
	return TEVENT_NONE;
}

static enum torrent_event fail_root(struct torrent *t)
{
	link_remove(&t->line);
	t->failure = E_PATH;
	torrent_mark(t);
	torrent_set_error(t, E_PATH, "its directory is not beneath download.roots any more");
	return TEVENT_NONE;
}

/* --- a magnet --- */

static enum torrent_event seek(struct torrent *t)
{
	link_remove(&t->line);
	torrent_mark(t);
	if (t->found != NULL)
		return TEVENT_FOUND;
	/* What a preview has seen of it. */
	return t->failure == E_SYNTAX ? TEVENT_BAD : TEVENT_NONE;
}

static enum torrent_event look(struct torrent *t)
{
	torrent_mark(t);
	return TEVENT_NONE;
}

static void on_kept(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (torrent_kept(t, err, m != NULL && *m != NULL ? MSG_AS(STATE_META, *m) : NULL))
		torrent_step(t, TEVENT_STORED);
}

static enum torrent_event keep_again(struct torrent *t)
{
	t->unasked = false;
	torrent_keep(t, on_kept);
	return TEVENT_NONE;
}

static enum torrent_event keep(struct torrent *t)
{
	if (!torrent_take_found(t))
		return TEVENT_NO_PLACE;
	torrent_clear_error(t);
	return keep_again(t);
}

void torrent_drop_ready(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	struct msg *m = t->ready != NULL ? &t->ready->h : NULL;

	t->ready = NULL;
	msg_free(t->session->actor, &m);
}

/* The store knows more than the database from now on. */
static void drop_record(struct torrent *t)
{
	if (t->record != NULL)
		record_fini(t->record);
	xfree(t->record);
	t->record = NULL;
}

/* Those that failed for the same reason need not wait for their turn. */
static void note_return(struct torrent *t)
{
	struct session *s = t->session;

	if (t->unasked && !link_empty(&s->failed)) {
		s->came_back = true;
		loop_timer_set(session_loop(s), &s->failed_timer, torrent_now(t));
	}
	t->unasked = false;
}

static enum torrent_event take_ready(struct torrent *t)
{
	char ih[9];

	hex_encode(t->meta->infohash.v1, 4, ih);
	log_event(LOG_INFO, "torrent_ready", "ih=%s have=%u/%u hashed=%u", ih, t->ready->have.count,
		t->ready->have.bits, t->ready->hashed);
	note_return(t);
	drop_record(t);
	if (t->fault == FAULT_NONE)
		torrent_clear_error(t);
	if (t->check_due)
		return TEVENT_CHECK;
	torrent_attach(t);
	return TEVENT_NONE;
}

static enum torrent_event take_opened(struct torrent *t)
{
	t->session->opening--;
	return take_ready(t);
}

/* What the database knows of it still holds; it may be looked at again without any harm. */
static void fail_for_now(struct torrent *t)
{
	struct session *s = t->session;

	link_append(&s->failed, &t->line);
	if (!t->unasked)
		s->failed_after = 0;
	if (!loop_timer_is_set(&s->failed_timer) || !t->unasked)
		session_retry_later(s, &s->failed_timer, &s->failed_after);
	t->unasked = false;
}

/* What is left of a torrent whose files cannot be used is what people are to see. */
static void show_have(struct torrent *t)
{
	if (t->ready->have.bits != t->meta->pieces)
		return;
	bitfield_free(&t->have);
	t->have = t->ready->have;
	t->have_n = t->have.count;
	t->ready->have = (struct bitfield){0};
}

static enum torrent_event fail_place(struct torrent *t)
{
	t->failure = E_EXISTS;
	fail_for_now(t);
	torrent_mark(t);
	return TEVENT_NONE;
}

/* Peers would bring the same again: it waits for a person. */
static enum torrent_event fail_metadata(struct torrent *t)
{
	t->failure = E_SYNTAX;
	torrent_mark(t);
	return TEVENT_NONE;
}

static enum torrent_event fail(struct torrent *t)
{
	t->failure = t->ready->err;
	show_have(t);
	torrent_set_error(t, t->ready->err, t->ready->why.text);
	torrent_drop_ready(t);
	if (t->record != NULL && error_may_pass(t->failure))
		fail_for_now(t);
	t->unasked = false;
	torrent_mark(t);
	return TEVENT_NONE;
}

static enum torrent_event fail_opened(struct torrent *t)
{
	t->session->opening--;
	return fail(t);
}

/* --- looked at again --- */

static void on_detached(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return;
	torrent_detached(t, err == E_OK ? MSG_AS(PEERS_REMOVE, *m) : NULL);
	torrent_step(t, TEVENT_DETACHED);
}

static enum torrent_event detach(struct torrent *t)
{
	return torrent_detach(t, on_detached) ? TEVENT_NONE : TEVENT_DETACHED;
}

static enum torrent_event detach_to_check(struct torrent *t)
{
	t->check_due = true;
	return detach(t);
}

/* What it said before holds no more. */
static enum torrent_event detach_lost(struct torrent *t)
{
	torrent_drop_ready(t);
	return detach(t);
}

static enum torrent_event lose_ready(struct torrent *t)
{
	torrent_drop_ready(t);
	return TEVENT_NONE;
}

static enum torrent_event want_check(struct torrent *t)
{
	t->check_due = true;
	return TEVENT_NONE;
}

static enum torrent_event hash(struct torrent *t)
{
	link_remove(&t->line);
	torrent_drop_ready(t);
	t->check_due = false;
	t->checked = 0;
	tell_check(t);
	return TEVENT_NONE;
}

static enum torrent_event after_detach(struct torrent *t)
{
	if (t->check_due)
		return hash(t);
	if (t->ready == NULL)
		return TEVENT_NONE;
	return t->ready->err == E_OK ? TEVENT_READY : TEVENT_UNUSABLE;
}

/* A person starts one that is in use. */
static enum torrent_event retry_used(struct torrent *t)
{
	if (t->fault == FAULT_STOP) {
		torrent_end_fault(t);
		return TEVENT_CHECK;
	}
	if (t->fault == FAULT_REFUSED)
		torrent_retry_writes(t);
	return TEVENT_NONE;
}

/* The files are being looked at: whatever was wrong with them will be found out. */
static enum torrent_event retry_soon(struct torrent *t)
{
	t->unasked = false;
	if (t->fault == FAULT_STOP)
		torrent_end_fault(t);
	return TEVENT_NONE;
}

static void forgive(struct torrent *t)
{
	link_remove(&t->line);
	if (!t->unasked)
		torrent_end_fault(t);
}

/* The store takes what is there for the truth: right when a person asks for it, and when the
 * database knows nothing better. */
static enum torrent_event check_failed(struct torrent *t)
{
	forgive(t);
	if (t->in_store)
		return TEVENT_HASH;
	t->check_due = true;
	return TEVENT_OPEN;
}

static enum torrent_event retry_failed(struct torrent *t)
{
	/* The bytes that were no torrent are those of its info-hash: there are no others. */
	if (t->meta->bare && t->found == NULL)
		return TEVENT_NONE;
	forgive(t);
	if (t->meta->bare)
		return TEVENT_SEEK;
	if (!t->in_store)
		return TEVENT_OPEN;
	/* Files that others have changed are the truth when a person says so by starting it. */
	return t->record == NULL || t->failure == E_CHANGED ? TEVENT_HASH : TEVENT_REOPEN;
}

static void on_closed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING || (err == E_TIMEOUT && torrent_leaving(t)))
		return; /* not known to be done: the next run does it again */
	if (err != E_OK && t->phase == TPHASE_CLOSING)
		log_event(LOG_WARNING, "torrent_data_left", "ih=%s err=%s text=\"%s\"",
			infohash_name(t->meta->infohash.v1).text, err_name(err),
			m != NULL && *m != NULL ? MSG_AS(STORE_CLOSE, *m)->why.text : "");
	t->in_store = false;
	torrent_step(t, TEVENT_CLOSED);
}

static enum torrent_event close_for_now(struct torrent *t)
{
	enum removal removal = t->removal;

	t->removal = REMOVAL_KEEP;
	tell_close(t, on_closed);
	t->removal = removal;
	return TEVENT_NONE;
}

static enum torrent_event carry(struct torrent *t)
{
	link_remove(&t->line);
	torrent_drop_ready(t);
	torrent_carry(t);
	return TEVENT_NONE;
}

/* --- removal --- */

/* Data can only be deleted where it may have been written. */
static bool can_delete(const struct torrent *t)
{
	return t->removal == REMOVAL_DELETE && t->record != NULL &&
	       session_root(t->session->config, t->path) != NULL;
}

static enum torrent_event close_files(struct torrent *t)
{
	torrent_untrack(t);
	link_remove(&t->line);
	if (!t->in_store && !can_delete(t))
		return TEVENT_NO_FILES;
	/* Only the store finds its files, and it may not have heard of them yet. */
	if (!t->in_store)
		tell_open(t, session_root(t->session->config, t->path));
	t->in_store = true;
	tell_close(t, on_closed);
	return TEVENT_NONE;
}

static enum torrent_event leave(struct torrent *t)
{
	torrent_untrack(t);
	link_remove(&t->line);
	return detach(t);
}

static enum torrent_event leave_opening(struct torrent *t)
{
	t->session->opening--;
	return leave(t);
}

static enum torrent_event leave_detaching(struct torrent *t)
{
	torrent_untrack(t);
	return TEVENT_NONE;
}

static enum torrent_event trash(struct torrent *t)
{
	return torrent_trash(t) ? TEVENT_NONE : TEVENT_TRASHED;
}

static void on_forgotten(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct torrent *t;

	(void)a;
	(void)m;
	CAST_OBJ(t, ctx, TORRENT_MAGIC);
	if (err == E_STOPPING)
		return; /* the next run finishes it */
	if (err == E_OK) {
		removed_enter(t);
		torrent_step(t, TEVENT_FORGOTTEN);
		return;
	}
	log_event(LOG_ERROR, "torrent_not_forgotten", "ih=%s err=%s",
		infohash_name(t->meta->infohash.v1).text, err_name(err));
	session_retry_later(t->session, &t->retry, &t->retry_after);
}

/* Until the database has said yes it is not in the list of those that can come back. */
static enum torrent_event forget(struct torrent *t)
{
	if (removed_is_kept(t))
		tell_shelve(t, on_forgotten);
	else
		tell_forget(t, on_forgotten);
	return TEVENT_NONE;
}

static enum torrent_event end(struct torrent *t)
{
	log_event(LOG_INFO, "torrent_removed", "ih=%s", infohash_name(t->meta->infohash.v1).text);
	deferred_move(&t->session->again, &t->adds);
	torrent_end(&t);
	return TEVENT_NONE;
}

/* Nobody has added it. */
static enum torrent_event end_look(struct torrent *t)
{
	deferred_move(&t->session->again, &t->adds);
	torrent_end(&t);
	return TEVENT_NONE;
}

/* --- the table --- */

/* Goes to a phase; stays in it, because it means nothing there. */
#define GO(phase, act)                                                                             \
	{                                                                                          \
		TPHASE_##phase, act, true                                                          \
	}
#define STAY(phase)                                                                                \
	{                                                                                          \
		TPHASE_##phase, NULL, true                                                         \
	}
#define NEWS_MEAN_NOTHING(phase)                                                                   \
	[TEVENT_READY] = STAY(phase), [TEVENT_UNUSABLE] = STAY(phase),                             \
	[TEVENT_LOST] = GO(phase, lose_ready)

static const struct {
	const char *name;
	struct {
		enum torrent_phase next;
		enum torrent_event (*act)(struct torrent *); /* NULL: there is nothing to do */
		bool possible;
	} on[TEVENT_MAX_];
} phases[TPHASE_MAX_] = {
	[TPHASE_ADDING] = {"adding", {[TEVENT_STORED] = GO(WAITING, enqueue),
					     [TEVENT_SEEK] = GO(METADATA, seek),
					     [TEVENT_LOOK] = GO(LOOKING, look),
					     [TEVENT_REFUSED] = GO(PARTING, leave),
					     [TEVENT_SHIFT] = GO(SHIFTING, carry),
					     [TEVENT_REMOVE] = GO(CLOSING, close_files)}},
	[TPHASE_LOOKING] = {"looking",
		{[TEVENT_TAKEN] = STAY(ADDING), [TEVENT_REMOVE] = GO(PARTING, leave)}},
	[TPHASE_METADATA] = {"metadata", {[TEVENT_FOUND] = GO(KEEPING, keep),
						 [TEVENT_BAD] = GO(FAILED, fail_metadata),
						 [TEVENT_RETRY] = STAY(METADATA),
						 [TEVENT_REMOVE] = GO(LEAVING, leave)}},
	[TPHASE_KEEPING] = {"keeping", {[TEVENT_STORED] = GO(WAITING, enqueue),
					       [TEVENT_NO_PLACE] = GO(FAILED, fail_place),
					       [TEVENT_CHECK] = GO(KEEPING, want_check),
					       [TEVENT_RETRY] = GO(KEEPING, keep_again),
					       [TEVENT_REMOVE] = GO(LEAVING, leave)}},
	[TPHASE_WAITING] = {"waiting", {[TEVENT_PLACE] = GO(OPENING, open_files),
					       [TEVENT_NO_ROOT] = GO(FAILED, fail_root),
					       [TEVENT_CHECK] = GO(WAITING, want_check),
					       [TEVENT_RETRY] = GO(WAITING, retry_soon),
					       [TEVENT_REMOVE] = GO(LEAVING, leave),
					       NEWS_MEAN_NOTHING(WAITING)}},
	[TPHASE_OPENING] = {"opening", {[TEVENT_READY] = GO(READY, take_opened),
					       [TEVENT_UNUSABLE] = GO(FAILED, fail_opened),
					       [TEVENT_LOST] = STAY(OPENING),
					       [TEVENT_CHECK] = GO(OPENING, want_check),
					       [TEVENT_RETRY] = GO(OPENING, retry_soon),
					       [TEVENT_REMOVE] = GO(LEAVING, leave_opening)}},
	[TPHASE_READY] = {"ready", {[TEVENT_READY] = GO(DETACHING, detach),
					   [TEVENT_UNUSABLE] = GO(DETACHING, detach),
					   [TEVENT_LOST] = GO(DETACHING, detach_lost),
					   [TEVENT_CHECK] = GO(DETACHING, detach_to_check),
					   [TEVENT_RETRY] = GO(READY, retry_used),
					   [TEVENT_SHIFT] = GO(LIFTING, detach),
					   [TEVENT_REMOVE] = GO(LEAVING, leave)}},
	[TPHASE_DETACHING] = {"detaching", {[TEVENT_READY] = STAY(DETACHING),
						   [TEVENT_UNUSABLE] = STAY(DETACHING),
						   [TEVENT_LOST] = GO(DETACHING, lose_ready),
						   [TEVENT_CHECK] = GO(DETACHING, want_check),
						   [TEVENT_RETRY] = GO(DETACHING, retry_used),
						   [TEVENT_DETACHED] = GO(CHECKING, after_detach),
						   [TEVENT_REMOVE] = GO(LEAVING, leave_detaching)}},
	[TPHASE_CHECKING] = {"checking",
		{[TEVENT_READY] = GO(READY, take_ready),
			[TEVENT_UNUSABLE] = GO(FAILED, fail),
			[TEVENT_LOST] = STAY(CHECKING),
			[TEVENT_CHECK] = STAY(CHECKING), /* it is being hashed */
			[TEVENT_RETRY] = GO(CHECKING, retry_soon),
			[TEVENT_REMOVE] = GO(LEAVING, leave)}},
	[TPHASE_FAILED] = {"failed", {[TEVENT_CHECK] = GO(FAILED, check_failed),
					     [TEVENT_RETRY] = GO(FAILED, retry_failed),
					     [TEVENT_HASH] = GO(CHECKING, hash),
					     [TEVENT_OPEN] = GO(WAITING, enqueue),
					     [TEVENT_REOPEN] = GO(REOPENING, close_for_now),
					     [TEVENT_SEEK] = GO(METADATA, seek),
					     [TEVENT_REMOVE] = GO(LEAVING, leave),
					     NEWS_MEAN_NOTHING(FAILED)}},
	[TPHASE_REOPENING] = {"reopening", {[TEVENT_CLOSED] = GO(WAITING, enqueue),
						   [TEVENT_CHECK] = GO(REOPENING, want_check),
						   [TEVENT_RETRY] = GO(REOPENING, retry_soon),
						   [TEVENT_REMOVE] = STAY(DROPPING),
						   NEWS_MEAN_NOTHING(REOPENING)}},
	/* Whoever asks for anything meanwhile waits. */
	[TPHASE_LIFTING] = {"lifting",
		{[TEVENT_DETACHED] = GO(SHUTTING, close_for_now), NEWS_MEAN_NOTHING(LIFTING)}},
	[TPHASE_SHUTTING] = {"shutting",
		{[TEVENT_CLOSED] = GO(SHIFTING, carry), NEWS_MEAN_NOTHING(SHUTTING)}},
	[TPHASE_SHIFTING] = {"shifting", {[TEVENT_STORED] = GO(WAITING, enqueue),
						 [TEVENT_RETRY] = GO(SHIFTING, carry),
						 NEWS_MEAN_NOTHING(SHIFTING)}},
	[TPHASE_LEAVING] = {"leaving",
		{[TEVENT_DETACHED] = GO(CLOSING, close_files), NEWS_MEAN_NOTHING(LEAVING)}},
	[TPHASE_DROPPING] = {"dropping",
		{[TEVENT_CLOSED] = GO(LEAVING, leave), NEWS_MEAN_NOTHING(DROPPING)}},
	[TPHASE_CLOSING] = {"closing", {[TEVENT_CLOSED] = GO(TRASHING, trash),
					       [TEVENT_NO_FILES] = GO(TRASHING, trash),
					       NEWS_MEAN_NOTHING(CLOSING)}},
	[TPHASE_TRASHING] = {"trashing",
		{[TEVENT_TRASHED] = GO(FORGETTING, forget), NEWS_MEAN_NOTHING(TRASHING)}},
	[TPHASE_FORGETTING] = {"forgetting", {[TEVENT_FORGOTTEN] = GO(GONE, end),
						     [TEVENT_RETRY] = GO(FORGETTING, forget),
						     NEWS_MEAN_NOTHING(FORGETTING)}},
	[TPHASE_PARTING] = {"parting", {[TEVENT_DETACHED] = GO(GONE, end_look)}},
	[TPHASE_GONE] = {.name = "gone"},
};

const char *torrent_phase_name(enum torrent_phase p)
{
	return phases[p].name;
}

bool torrent_event_possible(enum torrent_phase p, enum torrent_event e)
{
	return phases[p].on[e].possible;
}

void torrent_step(struct torrent *t, enum torrent_event e)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	while (e != TEVENT_NONE) {
		enum torrent_phase p = t->phase;

		must(phases[p].on[e].possible);
		t->phase = phases[p].on[e].next;
		torrent_changed(t);
		if (phases[p].on[e].act == NULL)
			break;
		e = phases[p].on[e].act(t);
	}
}
