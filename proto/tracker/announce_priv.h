/* SPDX-License-Identifier: MIT */
/*
 * What the files of the announce machine share: announce.c decides, tiers.c keeps the trackers in
 * the order in which they are asked.
 */
#ifndef PROTO_TRACKER_ANNOUNCE_PRIV_H
#define PROTO_TRACKER_ANNOUNCE_PRIV_H

#include "proto/base/rng.h"
#include "proto/tracker/announce.h"

#define ANNOUNCE_MAGIC 0x616e6e63u /* "annc" */
#define ANNOUNCE_NONE_ (-1)        /* no tracker, no position */

struct announce_tracker {
	char *url;
	char *trackerid; /* owned; NULL: none */
	char message[256];
	enum announce_status status;
	enum announce_event event; /* what it is being told while busy */
	uint32_t tier, fails;
	uint32_t peers;
	int64_t seeders, leechers, downloaded;
	int64_t last_wall;
	int64_t ready_at;                /* the end of its wait after failures */
	int64_t answered_at;             /* its last good answer; 0: none yet */
	uint32_t interval, min_interval; /* seconds, of that answer, never 0 */
	bool busy;
	bool started;  /* it was told "started" and not "stopped" */
	bool stop_due; /* it is to be told "stopped" */
	bool moved;    /* it gives others a port that is ours no more */
	bool moving;   /* and is being told */
	bool dropped;  /* not one of the torrent's: in no walk, to be told "stopped" at most */
};

struct announce {
	uint32_t magic;
	struct announce_tracker *trackers;
	int *order; /* the numbers of those that are not dropped, as walks take them */
	int order_n;
	int n;
	int walk;        /* next position in order[]; NONE_: no walk is under way */
	int flight;      /* the tracker that the walk waits for; NONE_ */
	int64_t late_at; /* until when it waits */
	bool running;
	bool heard;        /* a tracker has named peers since the start */
	bool completed;    /* announce_complete() was called */
	bool complete_due; /* and no tracker has taken it yet */
	bool paused;       /* what is wanted is there, and it is not all */
	bool completing;   /* but one is being told */
	int64_t due_at;    /* when the next walk starts */
	int due_by;        /* the tracker whose answer's interval says so; NONE_ */
	uint32_t floor;    /* seconds; no interval is shorter */
	struct rng rng;
};

/* --- tiers.c --- */

/* Fills the lists of an announce without any. What is not usable is left out. */
void announce_tiers_init(struct announce *, const struct announce_urls *);
void announce_tiers_fini(struct announce *);
/* Takes the URLs in the place of those before; the number of the first in order[] that is new, or
 * NONE_. */
int announce_tiers_edit(struct announce *, const struct announce_urls *);
/* Moves the tracker to the front of its tier (BEP 12). */
void announce_tiers_prefer(struct announce *, int tracker);

#endif
