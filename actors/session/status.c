/* SPDX-License-Identifier: MIT */
/* What a torrent is at, and why, as people see it: facts from the session's record. */
#include "actors/session/priv.h"

#include "actors/session/why.h"

enum torrent_status torrent_status(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	if (t->phase == TPHASE_FAILED || t->fault == FAULT_STOP || t->unasked)
		return STATUS_ERROR;
	if (t->phase != TPHASE_READY && t->phase != TPHASE_METADATA && t->phase != TPHASE_KEEPING)
		return STATUS_CHECKING;
	if (!torrent_started(t))
		return STATUS_STOPPED;
	if (t->slot == SLOT_WAITS)
		return STATUS_QUEUED;
	if (t->phase != TPHASE_READY)
		return STATUS_METADATA;
	return t->left == 0 ? STATUS_SEEDING : STATUS_DOWNLOADING;
}

enum torrent_why torrent_why(const struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	const struct session *s = t->session;
	struct why_facts f = {
		.status = torrent_status(t),
		.trouble = t->trouble,
		.refused = t->fault == FAULT_REFUSED || t->fault == FAULT_PROBE,
		.limit_reached = (t->run & RUN_LIMIT_REACHED) != 0,
		.trackers_fail = t->trackers.fail,
		.now = t->counts,
		.down_limit = t->wishes.down_limit,
		.up_limit = t->wishes.up_limit,
		.all_down_limit = session_down_limit(s),
		.all_up_limit = session_up_limit(s),
		.all_down = s->revisions.down_rate,
		.all_up = s->revisions.up_rate,
	};

	return why_of(&f);
}
