/* SPDX-License-Identifier: MIT */
/*
 * A torrent as JSON: all of it, what has changed of it, or one value to sort by.
 *
 * Written of rows, so that it can be looked at without a session.  For the http actor's thread.
 */
#ifndef HTTP_QBITTORRENT_FIELDS_H
#define HTTP_QBITTORRENT_FIELDS_H

#include "actors/msg/rows.h"
#include "config/config.h"
#include "http/qbittorrent/nameset.h"
#include "proto/base/json_out.h"

#define QFIELDS_ALL 0xffffffffu
/* What qBittorrent says where there is no end. */
#define QFIELD_NEVER 8640000

/* What values need besides the row. */
struct qscene {
	const struct nameset *names; /* borrowed */
	int64_t uptime;              /* us, as row_progress.seed_since */
	int64_t seed_ratio;          /* thousandths, as configured; 0: none */
	int64_t seed_time;           /* seconds, likewise, as the next one */
	int64_t seed_idle;
	bool queueing; /* torrents wait for their turn */
};

struct qscene qscene_of(const struct config *, const struct nameset *, int64_t uptime);

/* Members for the fields that depend on these groups (1 << enum row_group, or-ed); with_hash: also
 * the one that says which torrent it is. */
void qfields_put(struct json_out *, const struct qscene *, const struct torrent_row *,
	unsigned groups, bool with_hash);
/* The place of a field in the table; false: there is none. */
bool qfield_find(const char *name, unsigned *field);
/* Its value alone. */
void qfield_put(
	struct json_out *, const struct qscene *, const struct torrent_row *, unsigned field);

const char *qfield_state(const struct torrent_row *);
/* Seconds of seeding. */
uint64_t qfield_seeded(const struct qscene *, const struct torrent_row *);
/* All that is wanted is there. */
bool qfield_complete(const struct torrent_row *);

#endif
