/* SPDX-License-Identifier: MIT */
/*
 * Rates: a token bucket that limits bytes, and a meter that estimates bytes a second.
 *
 * Both are plain values inside their owner, cost no allocation and take the time as an argument
 * (monotonic microseconds).  Adding to a meter or spending from a bucket is a few instructions and
 * needs no clock.  Not thread-safe: one owner.
 */
#ifndef PROTO_SWARM_RATE_H
#define PROTO_SWARM_RATE_H

#include "proto/base/base.h"

/* What bucket_allow() answers when there is no limit. */
#define BUCKET_UNLIMITED UINT64_MAX

/* Kept in millionths of a byte, so that no rate and no interval loses a fraction. */
struct bucket {
	uint64_t rate; /* bytes a second; 0 is unlimited */
	int64_t level; /* millionths of a byte; negative is debt */
	int64_t at_us; /* when level was true */
};

/* A full bucket.  rate in bytes a second, 0 is unlimited. */
void bucket_init(struct bucket *b, uint64_t rate, int64_t now_us);

/*
 * Changes the rate from now on.  Debt stays and is paid at the new rate; credit above the new burst
 * is lost.  Going to unlimited forgives the debt.
 */
void bucket_set_rate(struct bucket *b, uint64_t rate, int64_t now_us);

/* How many bytes may pass now: 0 while in debt, BUCKET_UNLIMITED without a limit. */
uint64_t bucket_allow(struct bucket *b, int64_t now_us);

/*
 * Notes n bytes that passed.  The caller asks bucket_allow() first; what cannot be cut (headers, a
 * message already begun) may overdraw, and the debt is paid before anything is allowed again.
 */
void bucket_spend(struct bucket *b, uint64_t n);

/* Of what was spent, n bytes have not passed after all.  What exceeds the burst is lost. */
void bucket_give_back(struct bucket *b, uint64_t n);

/*
 * When (us) bucket_allow() will say min(want, burst) or more; now_us when it already does.  A
 * caller that waits for a decent `want` is woken seldom; one that waits longer than bucket_burst()
 * worth of time loses tokens.
 */
int64_t bucket_next(struct bucket *b, uint64_t want, int64_t now_us);

/*
 * The most that can gather, in bytes: a twelfth of a second's worth, so that no second passes more
 * than 13/12 of the rate.  BUCKET_UNLIMITED without a limit.
 */
uint64_t bucket_burst(const struct bucket *b);

/* Marks are a second apart; the window is the time back to the oldest one that is not stale. */
#define METER_MARKS 6

struct meter_marks {
	struct {
		uint64_t total;
		int64_t at_us;
	} mark[METER_MARKS]; /* ring; mark[newest] is always valid */
	uint8_t newest, count;
};

/* Decisions and people look at different times; each has marks that the other does not move. */
struct meter {
	uint64_t total; /* bytes since meter_init(), or as set by the owner at start */
	struct meter_marks decide, show;
};

/* Starts at zero. */
void meter_init(struct meter *m, int64_t now_us);

/* Counts n bytes.  No clock. */
static inline void meter_add(struct meter *m, uint64_t n)
{
	m->total += n;
}

/*
 * Bytes a second over the last five to nine seconds, or since the last time it was asked when that
 * is longer; in the first second, the bytes so far.  O(1).  Called about once a second while
 * somebody looks, or seldom: both give a true average.
 */
uint64_t meter_rate(struct meter *m, int64_t now_us);

/*
 * The same for people: over the last three seconds, and 0 after two without a byte.  True to that
 * when it or meter_mark() is called once a second while bytes come.
 */
uint64_t meter_shown(struct meter *m, int64_t now_us);
void meter_mark(struct meter *m, int64_t now_us);

#endif
