/* SPDX-License-Identifier: MIT */
/*
 * How far clients are that follow the list by sync/maindata.
 *
 * An answer has a number (rid), which the client shows with its next question.  What it stands for
 * is remembered of the last ones; whoever shows another is told everything.  Numbers begin
 * anywhere, so that those of an earlier run are not known, and fit in 31 bits.  One owner.
 */
#ifndef HTTP_QBITTORRENT_SYNC_H
#define HTTP_QBITTORRENT_SYNC_H

#include "proto/base/base.h"

/* So many answers are remembered. */
#define SYNC_POINTS 4096u

struct sync;

/* What a client has seen. */
struct sync_point {
	uint64_t epoch, rev; /* of the rows */
	uint64_t serial;     /* of the names */
	uint64_t age;        /* of the names */
};

struct sync *sync_new(uint32_t first);
void sync_free(struct sync **);
/* The number for one. */
uint32_t sync_add(struct sync *, const struct sync_point *);
/* false: it is not remembered. */
bool sync_find(const struct sync *, int64_t rid, struct sync_point *);

/*
 * The addresses of all trackers now: sorted, each once, borrowed.  Whoever has seen less than the
 * revision that this returns may know of one that has gone.
 */
uint64_t sync_trackers(struct sync *, const char *const *urls, uint32_t n, uint64_t rev);

#endif
