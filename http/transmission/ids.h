/* SPDX-License-Identifier: MIT */
/*
 * The small numbers that torrents have in this dialect.
 *
 * They are those that the session has given out: no other torrent gets one again in this run.  The
 * table follows the session's list and is as long.  It also remembers when a torrent was last seen
 * to change, for who asks for those recently active, and which numbers went lately.  For the http
 * actor's thread.
 */
#ifndef HTTP_TRANSMISSION_IDS_H
#define HTTP_TRANSMISSION_IDS_H

#include "actors/msg/msg.h"

/* How long a torrent counts as recently active, or removed: seconds. */
#define TIDS_RECENT 60

struct tids;

struct tid {
	uint8_t infohash[20];
	int64_t id;       /* torrent_view.n */
	int64_t changed;  /* seconds since 1970: when it was seen to differ from before */
	int64_t active;   /* when its traffic was seen to go on; 0: never in this run */
	uint64_t print;   /* of what may change */
	uint64_t traffic; /* bytes, ever */
	uint64_t round;   /* the list it was last in */
	uint64_t mark;    /* of who looks for some of them */
};

struct tids *tids_new(void);
void tids_free(struct tids **);
/* NULL: nobody has it.  Valid until the next tids_sync(). */
struct tid *tids_find(const struct tids *, const uint8_t infohash[20]);
struct tid *tids_at(const struct tids *, int64_t id);
/* Takes note of what was seen; all: who is not in the list is gone.  now: seconds since 1970. */
void tids_sync(struct tids *, const struct torrent_view *, uint32_t n, bool all, int64_t now);
/* The numbers that went lately, the i-th of them; false: there are not so many. */
bool tids_gone(const struct tids *, int64_t now, uint32_t i, int64_t *id);

#endif
