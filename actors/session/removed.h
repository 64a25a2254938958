/* SPDX-License-Identifier: MIT */
/*
 * Torrents that were removed and can come back for a while: by info-hash, and the oldest first.
 *
 * Their rows stay in the database; here is what is asked of them.  The one that is oldest sets the
 * timer, so that nobody looks at the others.  Known of a torrent that is being removed: nothing,
 * until the database has its new state.
 */
#ifndef ACTORS_SESSION_REMOVED_H
#define ACTORS_SESSION_REMOVED_H

#include "actors/kernel/loop.h"
#include "actors/msg/msg.h"
#include "proto/base/link.h"

#define REMOVED_MAGIC 0x52454d56u
/* More are not kept; the oldest go for good. */
#define REMOVED_MAX     20000u
#define REMOVED_BUCKETS 4096u

struct session;
struct torrent;

struct removed {
	uint32_t magic;
	struct link line;     /* in removed_list.line */
	struct removed *next; /* in its bucket */
	struct shelved what;
	bool busy; /* it comes back, or goes for good: the database is asked */
};

struct removed_list {
	struct link line;        /* the latest last */
	struct removed **bucket; /* owned; NULL: there never was one */
	uint32_t n;
	struct loop_timer timer;
};

void removed_init(struct removed_list *, void (*purge)(struct loop_timer *, int64_t now));
void removed_fini(struct session *);
/* What the database had at the start; takes it. */
void removed_load(struct removed_list *, struct m_state_load *);
/* NULL: there is none. */
struct removed *removed_find(const struct removed_list *, const uint8_t infohash[20]);
/* Out of the list, and freed. */
void removed_drop(struct removed_list *, struct removed **);

/* Whether the torrent, which is being removed, is to be kept so. */
bool removed_is_kept(const struct torrent *);
/* Fills *out, which holds nothing, with copies. */
void removed_describe(const struct torrent *, struct shelved *out);
/* The torrent's removal has ended; it is entered if it is to be kept. */
void removed_enter(const struct torrent *);

/* The first that has been there too long, or of too many; NULL: none. */
struct removed *removed_due(const struct session *);
/* The timer is for the oldest. */
void removed_arm(struct session *);

#endif
