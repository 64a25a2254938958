/* SPDX-License-Identifier: MIT */
/*
 * The torrents as subscribers have been told of them: a row each, and how far each of its topics
 * is.
 *
 * There only while somebody subscribes or asks.  Sequences begin where no earlier run of the
 * daemon, and no earlier mirror of this one, has been, and grow by one with each message, so that a
 * gap tells of what was lost.  Pure; one owner.
 */
#ifndef ACTORS_STATUS_MIRROR_H
#define ACTORS_STATUS_MIRROR_H

#include "actors/msg/rows.h"

/* What is told of a torrent, each on a topic of its own; TOPICS of them. */
enum topic { TOPIC_STATE, TOPIC_PROGRESS, TOPIC_ERROR, TOPIC_PIECE, TOPICS };

struct mirrored {
	struct torrent_row row; /* with references */
	uint64_t sequence[TOPICS];
	uint32_t round; /* of the last look at all in which it was there */
};

struct mirror {
	struct mirrored **list; /* owned, each too; by row.n */
	uint32_t n, room;
	struct mirrored **index; /* owned: by info-hash; a power of two of places, NULL: free */
	uint32_t places;
	uint64_t base;  /* sequences of those that come begin behind it */
	uint32_t round; /* looks at all so far */
};

/* Without torrents; base is larger than it ever was. */
void mirror_reset(struct mirror *, uint64_t base);
void mirror_fini(struct mirror *);

/* NULL: not there. */
struct mirrored *mirror_by_n(const struct mirror *, uint32_t n);
struct mirrored *mirror_by_hash(const struct mirror *, const uint8_t infohash[20]);

/*
 * Takes the references of the row, which replaces the one with the same n.  *topics is a bit for
 * each topic of which there is something new, and their sequences have been counted up.
 */
struct mirrored *mirror_put(struct mirror *, struct torrent_row *, unsigned *topics);
void mirror_remove(struct mirror *, struct mirrored *);

/* One that was not there in the last look at all; NULL: none.  From *at on, which begins as 0. */
struct mirrored *mirror_stale(const struct mirror *, uint32_t *at);

#endif
