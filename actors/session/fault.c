/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a torrent whose disk gives trouble.
 *
 * No room, no permission, read-only: it goes on serving what it has and tries to write again after
 * a while.  Anything else: it stops until a person has looked, because going on could trust data
 * that is not there.
 */
#include "actors/session/priv.h"

#include <inttypes.h>

#include "actors/kernel/log.h"

#define RETRY_AFTER  (60 * USEC_PER_SEC)
#define FORGET_AFTER (10 * USEC_PER_SEC) /* without a new error after a try */

static bool is_refusal(enum err e)
{
	return e == E_NOSPACE || e == E_READONLY || e == E_PERM || e == E_NFILES;
}

/* What a person can do, by error and by whether it is tried again without them. */
static const char *advice(const struct torrent *t, enum err e)
{
	if (e == E_NFILES)
		return "raise the limit of open files, or lower store.open_files; it is tried "
		       "again";
	if (t->phase != PHASE_FAILED && is_refusal(e))
		return e == E_NOSPACE ? "make room; it is tried again every minute"
				      : "allow writing there; it is tried again every minute";
	switch (e) {
	case E_NOENT:
		return "then start the torrent again";
	case E_NOSPACE:
		return "make room, then start the torrent again";
	case E_PERM:
	case E_READONLY:
		return "allow writing there, then start the torrent again";
	case E_PATH:
		return "add its directory to download.roots, then start the torrent again";
	case E_CHANGED:
		return "start the torrent again to have its files checked";
	default:
		return "look at the disk, then start the torrent again to have its files checked";
	}
}

void torrent_set_error(struct torrent *t, enum err e, const char *why)
{
	char text[512];

	snprintf(text, sizeof text, "%s; %s", why[0] != '\0' ? why : err_words(e), advice(t, e));
	if (t->error == NULL || strcmp(t->error, text) != 0)
		log_event(LOG_ERROR, "torrent_error", "row=%" PRId64 " error=%s text=\"%s\"",
			t->row, err_name(e), text);
	xfree(t->error);
	t->error = xstrdup(text);
}

void torrent_clear_error(struct torrent *t)
{
	xfree(t->error);
	t->error = NULL;
}

static void set_retry_timer(struct torrent *t, int64_t after)
{
	loop_timer_set(session_loop(t->session), &t->retry, actor_now(t->session->actor) + after);
}

void torrent_fault(struct torrent *t, enum err e)
{
	if (is_refusal(e) && t->fault != FAULT_STOP) {
		t->fault = FAULT_HOLD;
		torrent_send_set(t);
		set_retry_timer(t, RETRY_AFTER);
		return;
	}
	t->fault = FAULT_STOP;
	loop_timer_del(session_loop(t->session), &t->retry);
	torrent_update_active(t);
}

void torrent_retry_writes(struct torrent *t)
{
	t->fault = FAULT_PROBE;
	torrent_send_set(t);
	set_retry_timer(t, FORGET_AFTER);
}

void torrent_on_retry_timer(struct loop_timer *timer, int64_t now)
{
	struct torrent *t = container_of(timer, struct torrent, retry);

	(void)now;
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->phase == PHASE_REMOVING) {
		torrent_remove_step(t);
	} else if (t->fault == FAULT_HOLD) {
		torrent_retry_writes(t);
	} else if (t->fault == FAULT_PROBE) {
		t->fault = FAULT_NONE;
		torrent_clear_error(t);
	}
}

/* Somebody has altered files: the store looks at them, and goes on by itself where it may. */
static bool is_altered(const struct m_store_error *e)
{
	return e->lost &&
	       (e->err == E_NOENT || e->err == E_CHANGED || e->err == E_PATH ||
		       e->err == E_IS_DIR || e->err == E_IS_LINK || e->err == E_IS_SPECIAL);
}

void session_on_store_error(struct actor *a, struct msg **m)
{
	const struct m_store_error *got = container_of(*m, struct m_store_error, h);
	struct torrent *t = torrent_at(session_of(a), got->t);

	if (t == NULL || !torrent_listed(t))
		return;
	if (is_altered(got)) {
		torrent_set_error(t, got->err, got->why.text); /* until it has been looked at */
	} else {
		torrent_set_error(t, got->lost ? E_IO : got->err, got->why.text);
		torrent_fault(t, got->lost ? E_IO : got->err);
	}
	/* Peers have pieces that are not there any more; STORE_READY tells which are left. */
	if (got->lost && t->phase == PHASE_READY)
		torrent_detach(t);
}
