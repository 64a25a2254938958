/* SPDX-License-Identifier: MIT */
/* A torrent's trackers, changed by a person; for the session's thread. */
#ifndef ACTORS_SESSION_TRACKER_LIST_H
#define ACTORS_SESSION_TRACKER_LIST_H

#include "actors/session/priv.h"

/*
 * m after the changes, in *out, one reference that is the caller's.  E_NOT_FOUND: no such tracker;
 * E_EXISTS: it is there already; E_RANGE: no URL of a tracker; E_TOO_BIG; and words.
 */
enum err trackers_changed(const struct metainfo *m, const struct tracker_change *, uint32_t n,
	struct metainfo **out, struct words *why);
/* Whether both have the same trackers in the same tiers. */
bool trackers_same(const struct metainfo *, const struct metainfo *);

/* What TORRENT_TRACKERS is, for the table of commands. */
enum err trackers_check(const struct torrent *, struct m_torrent_set *);
int64_t trackers_ask(const struct torrent *, const struct m_torrent_set *);
void trackers_put(const struct torrent *, const struct m_torrent_set *, struct m_state_set *);
void trackers_set(struct torrent *, const struct m_torrent_set *, int64_t value);

#endif
