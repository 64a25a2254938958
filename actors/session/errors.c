/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a torrent whose disk gives trouble, and what a person is told of it.
 *
 * No room, no permission, read-only: it goes on serving what it has and tries to write again, after
 * two seconds at first and a minute in the end.  Anything else: it stops until a person has looked,
 * because going on could trust data that is not there.  The words go with what they are about.
 */
#include "actors/session/priv.h"

#include "actors/kernel/log.h"

#define RETRY_FIRST  (2 * USEC_PER_SEC)
#define RETRY_LAST   (60 * USEC_PER_SEC)
#define FORGET_AFTER (5 * USEC_PER_SEC) /* without a new error after a try */

static bool is_refusal(enum err e)
{
	return e == E_NOSPACE || e == E_READONLY || e == E_PERM || e == E_NFILES;
}

bool error_may_pass(enum err e)
{
	return is_refusal(e) || e == E_NOENT || e == E_BUSY;
}

/* What a person can do, by error and by what happens without them. */
static const char *advice(const struct torrent *t, enum err e)
{
	bool alone = t->phase != TPHASE_FAILED || (error_may_pass(e) && t->record != NULL);

	switch (e) {
	case E_NOSPACE:
		return alone ? "make room; it is tried again by itself"
			     : "make room, then start the torrent again";
	case E_PERM:
	case E_READONLY:
		return alone ? "allow writing there; it is tried again by itself"
			     : "allow writing there, then start the torrent again";
	case E_NOENT:
		if (t->phase == TPHASE_FAILED && alone)
			return "bring it back, and the torrent goes on by itself";
		return "bring it back, then start the torrent again";
	case E_NFILES:
		return "raise the limit of open files, or lower store.open_files; it is tried "
		       "again";
	case E_EXISTS:
		return "remove the other torrent, or this one and add it with another path; it is "
		       "tried again by itself";
	case E_SYNTAX:
		return "remove it, and look for another link";
	case E_BUSY:
		return "it is tried again by itself";
	case E_PATH:
		return "add its directory to download.roots, then start the torrent again";
	case E_CHANGED:
		if (t->phase != TPHASE_FAILED && t->fault == FAULT_NONE)
			return "it is being checked";
		return "start the torrent again to have its files checked";
	default:
		return "look at the disk, then start the torrent again to have its files checked";
	}
}

void torrent_set_error(struct torrent *t, enum err e, const char *why)
{
	char text[512];

	CHECK_OBJ(t, TORRENT_MAGIC);
	t->trouble = e;
	torrent_changed(t);
	snprintf(text, sizeof text, "%s; %s", why[0] != '\0' ? why : err_words(e), advice(t, e));
	if (t->error == NULL || strcmp(t->error, text) != 0)
		log_event(LOG_ERROR, "torrent_error", "ih=%s err=%s text=\"%s\"",
			infohash_name(t->meta->infohash.v1).text, err_name(e), text);
	xfree(t->error);
	t->error = xstrdup(text);
}

void torrent_clear_error(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	xfree(t->error);
	t->error = NULL;
	t->trouble = E_OK;
	torrent_changed(t);
}

void session_retry_later(struct session *s, struct loop_timer *timer, int64_t *after)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	*after = MIN(MAX(*after * 2, RETRY_FIRST), RETRY_LAST);
	loop_timer_set(session_loop(s), timer, actor_now(s->actor) + *after);
}

void torrent_fault(struct torrent *t, enum err e)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (!is_refusal(e) || t->fault == FAULT_STOP) {
		t->fault = FAULT_STOP;
		loop_timer_del(session_loop(t->session), &t->retry);
	} else if (t->fault != FAULT_REFUSED) {
		t->fault = FAULT_REFUSED;
		session_retry_later(t->session, &t->retry, &t->retry_after);
	}
	torrent_mark(t);
}

void torrent_retry_writes(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	must(t->fault == FAULT_REFUSED);
	t->fault = FAULT_PROBE;
	torrent_mark(t);
	loop_timer_set(session_loop(t->session), &t->retry, torrent_now(t) + FORGET_AFTER);
}

void torrent_end_fault(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	t->fault = FAULT_NONE;
	t->retry_after = 0;
	loop_timer_del(session_loop(t->session), &t->retry);
	torrent_clear_error(t);
	torrent_mark(t);
}

void torrent_note_progress(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->fault == FAULT_PROBE)
		torrent_end_fault(t);
}
