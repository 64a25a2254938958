/* SPDX-License-Identifier: MIT */
/*
 * Changes of many torrents that one request asks for: a message to the session for each, a few at a
 * time, so that its turns stay short; one answer when all are in the database.
 *
 * The job is its own: it goes on when the client leaves.  For the http actor's thread.
 */
#ifndef HTTP_API_ACTION_JOB_H
#define HTTP_API_ACTION_JOB_H

#include "http/server/server.h"

/* So many torrents one request may name. */
#define ACTION_HASHES_MAX 10000u

/* What is done to each torrent; a step is a copy of one of these. */
struct action {
	struct m_torrent_set *set[3]; /* owned; not sent themselves */
	unsigned n;
	bool one_by_one; /* each follows from what the one before has left */
};

void action_fini(struct actor *, struct action *);
/* One more message of it, blank. */
struct m_torrent_set *action_add(struct actor *, struct action *, enum torrent_op);

/* Takes *action and hashes (owned by the caller until then); what can be undone is kept.  The
 * request, which is suspended in this turn, is answered and resumed. */
void action_run(struct request *, struct action *, uint8_t (*hashes)[20], uint32_t n);
/* Likewise puts back what an undo has kept, which was loaded into m: takes it. */
void action_undo(struct request *, struct m_undo *m);

#endif
