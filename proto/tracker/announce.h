/* SPDX-License-Identifier: MIT */
/*
 * When one torrent announces, to which of its trackers, and with what event (BEP 12 tiers, BEP 3
 * intervals).
 *
 * An announce is a walk over the tiers in order: the first tracker that answers ends it and moves
 * to the front of its tier; one that fails sends the walk on and waits out a backoff of its own;
 * one that is late sends the walk on, too, and its answer still counts, so that a dead tracker
 * delays nobody for long.  A walk skips trackers that wait; when all have failed, the
 * next walk comes with the first whose wait ends.  Events belong to trackers: each is told
 * "started" before anything else, and "stopped" when it was; a partial seed is "paused" between;
 * "completed" is kept until one tracker has taken it.
 *
 * Announces are under way to one tracker that is not late at most, save for "stopped", which goes
 * to all at once.  Times are
 * microseconds of one monotonic clock; wall is seconds since 1970.  One owner.
 */
#ifndef PROTO_TRACKER_ANNOUNCE_H
#define PROTO_TRACKER_ANNOUNCE_H

#include "proto/base/base.h"
#include "proto/meta/metainfo.h"
#include "proto/tracker/http.h"

#define ANNOUNCE_TRACKERS_MAX 256u
#define ANNOUNCE_URL_MAX      2048u

struct announce_url {
	struct slice url;
	uint32_t tier; /* trackers of one tier stand together; lower tiers first */
};

struct announce_urls {
	const struct announce_url *list;
	size_t n;
};

enum announce_status {
	ANNOUNCE_IDLE, /* not contacted yet */
	ANNOUNCE_WORKING,
	ANNOUNCE_ERROR,
};

struct announce_todo {
	int tracker;
	enum announce_event event;
	const char *url;       /* borrowed until announce_edit() or announce_free() */
	const char *trackerid; /* borrowed until announce_done(); NULL: none */
};

struct announce_view {
	const char *url; /* borrowed until announce_edit() or announce_free() */
	const char
		*message; /* borrowed until announce_done(); "" or words: an error, or a warning */
	enum announce_status status;
	uint32_t tier;
	uint32_t fails;  /* in a row */
	int64_t seeders; /* -1: unknown, as for the next two */
	int64_t leechers;
	int64_t downloaded;
	uint32_t peers;    /* in the last answer */
	int64_t last_wall; /* when the last announce ended; 0: never */
	int64_t next;      /* when it may be contacted next; INT64_MAX: not planned */
	int64_t least; /* a plain announce that somebody asks for goes out then at the earliest */
	bool busy;     /* an announce is under way */
	bool dropped;  /* it is none of the torrent's any more, or the number is free */
};

struct announce;

/*
 * The trackers that a metainfo names, tier by tier, without what announce_new() leaves out.
 * Borrowed from the metainfo; out has room for ANNOUNCE_TRACKERS_MAX.
 */
size_t announce_urls_of(const struct metainfo *m, struct announce_url *out);

/*
 * Copies what it needs.  URLs that are not http, https or udp, too long, not plain ASCII without
 * spaces, or there already, and those over ANNOUNCE_TRACKERS_MAX, are left out.  random shuffles
 * the tiers and spreads the retries.  Starts stopped.  Never NULL.
 */
struct announce *announce_new(const struct announce_urls *urls, uint64_t random);
void announce_free(struct announce **pa);
/*
 * No interval is shorter than this many seconds, whatever a tracker says; 60 unless it is called.
 * May be called at any time, and counts for what trackers said before.
 */
void announce_floor(struct announce *a, uint32_t seconds);

/*
 * Other trackers from now on.  Who stays goes on as it was, under its number; who was told
 * "started" and is not among them is told "stopped"; who is new is asked in its turn, at once where
 * it comes before all that have answered.  Numbers of those that left are given to others when
 * nothing is to be said to them any more.
 */
void announce_edit(struct announce *a, const struct announce_urls *urls, int64_t now);
/* Whether it is the URL of a tracker that can be asked. */
bool announce_url_usable(struct slice url);

/* Both may be called at any time, and again.  Stopping tells every tracker that was told "started".
 */
void announce_start(struct announce *a, int64_t now);
void announce_stop(struct announce *a);
/* The download has finished in this session; "completed" goes out once, however often this is
 * called. */
void announce_complete(struct announce *a, int64_t now);
/*
 * Whether all that is wanted is there although there is more: every announce that has nothing else
 * to say is "paused" then (BEP 21), and the trackers hear of a change as announce_again() has it.
 */
void announce_pause(struct announce *a, bool paused, int64_t now);
/*
 * Announces as soon as the tracker's minimum interval, or its wait after failures, allows; returns
 * when that is.  A tracker that names no minimum is asked at its interval.
 */
int64_t announce_again(struct announce *a, int64_t now);

/*
 * Where others reach us has changed, and trackers tell them the old place: the same, but their
 * minimum interval is not waited for, only the floor.
 */
int64_t announce_moved(struct announce *a, int64_t now);

/*
 * 1: *todo is to be contacted now, and announce_done() will be called for it, exactly once; 0:
 * nothing is due. Call it until it gives 0, at the deadline, and after every other call here.
 */
int announce_next(struct announce *a, int64_t now, struct announce_todo *todo);
/* The tracker is being contacted now, not only next in a queue: from now on it can be late. */
void announce_begun(struct announce *a, int tracker, int64_t now);
/*
 * How it went.  e is E_OK with reply set, or why it failed (E_CANCELLED: given up by us, which
 * counts for nothing); a reply with a failure text is a failure.  text: words on the error, may be
 * NULL.
 */
void announce_done(struct announce *a, int tracker, const struct announce_reply *reply, enum err e,
	const char *text, int64_t now, int64_t wall);
/* A scrape's answer, for the view. */
void announce_scraped(struct announce *a, int tracker, const struct announce_reply *reply);

/* When announce_next() may have something by itself, perhaps a moment that has passed; INT64_MAX:
 * only after another call here.
 */
int64_t announce_deadline(const struct announce *a);
/* Stopped, and nobody is left to be told. */
bool announce_stopped(const struct announce *a);

/* Trackers keep their number, 0 to count - 1, as long as they are the torrent's: at first the order
 * given to announce_new().  Some numbers may be of nobody (view.dropped). */
int announce_count(const struct announce *a);
void announce_view(const struct announce *a, int tracker, struct announce_view *out);

#endif
